"""A task published to six municipalities that have come differently far, and an oracle of what a correction does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy import select, update

from klik.domain.rights import Level
from klik.domain.status import Status
from klik.installation import Installation
from klik.models import MunicipalTask, Person, Task
from klik.services import correcting, publishing
from klik.services.correcting import Corrected
from klik.services.publishing import Draft
from klik.services.tasks import changing
from klik.services.tasks.assigning import Assignee
from klik.services.tasks.changing import Changes
from klik.services.work import Actor
from tests import make

HOUR = timedelta(hours=1)
OLD_DAY, NEW_DAY, OWN_DAY = date(2026, 12, 1), date(2026, 12, 15), date(2026, 12, 10)
DRAFT = Draft(
    project="kp",
    title="Udpeg systemansvarlig",
    phase="forberedelse",
    theme="it-miljoe-og-infrastruktur",
    purpose="Opgaven sikrer overblik.",
    description="Vælg en systemansvarlig.\n\nSkriv navnet i rollegalleriet.",
    responsible_role="systemansvarlig",
    deadline_rule="core.date",
    deadline_parameter=OLD_DAY.isoformat(),
)
# How far each has come, by the words of the table of traps ("not started / started / adjusted / finished …").
NOT_STARTED, STARTED, OWN_DEADLINE, OWN_PERSON, FINISHED, NOT_RELEVANT, WITHDRAWN = (
    259,
    657,
    751,
    825,
    101,
    147,
    153,
)
CODES = (NOT_STARTED, STARTED, OWN_DEADLINE, OWN_PERSON, FINISHED, NOT_RELEVANT, WITHDRAWN)
OPEN = (NOT_STARTED, STARTED, OWN_DEADLINE, OWN_PERSON)


@dataclass
class Scene:
    """The published task and its people."""

    house: Installation
    task_id: int
    editor: Actor
    leaders: dict[int, Actor]

    def copies(self) -> dict[int, MunicipalTask]:
        """Every copy as it is stored, by municipality."""
        with self.house.reading(make.NOW) as work:
            rows = work.session.scalars(
                select(MunicipalTask).where(MunicipalTask.task_id == self.task_id)
            ).all()
            work.session.expunge_all()
            return {row.municipality_id: row for row in rows}

    def correct(self, hour: float = 48, note: str = "Fristen er flyttet.", **change: object) -> Corrected:
        """Correct the task as it stands now; options of ``correct`` go by their names."""
        options = {name: change.pop(name) for name in ("key", "reopen", "quiet", "version") if name in change}
        with self.house.writing(make.NOW + hour * HOUR, self.editor) as work:
            draft = replace(publishing.draft_of(work, self.task_id), **change)  # type: ignore[arg-type]
            task = work.session.get_one(Task, self.task_id)
            options.setdefault("version", task.current_number)
            return correcting.correct(work, self.task_id, draft, note, options.pop("key", None), **options)  # type: ignore[arg-type]

    def change(self, code: int, hour: float, **wanted: object) -> MunicipalTask:
        """What a municipality does to its copy."""
        with self.house.writing(make.NOW + hour * HOUR, self.leaders[code]) as work:
            copy = work.session.scalars(
                select(MunicipalTask).where(
                    MunicipalTask.task_id == self.task_id, MunicipalTask.municipality_id == code
                )
            ).one()
            return changing.change(work, copy.id, copy.version, Changes(**wanted))  # type: ignore[arg-type]


def scene(house: Installation, draft: Draft = DRAFT) -> Scene:
    """Publish and let each municipality come as far as its name says."""
    with house.writing(make.NOW) as work:
        session = work.session
        make.project(session)
        editor = make.actor(session, make.person(session, "Ida Krog", level=Level.KOMBIT_EDITOR))
        people: dict[int, Person] = {}
        for code in CODES:
            make.has_system(session, code)
            people[code] = make.person(session, f"Leder {code}", municipality=code)
            make.holding(session, holder=people[code], municipality=code)
        other = make.person(session, "Bo Dam", municipality=OWN_PERSON)
        leaders = {code: make.actor(session, row) for code, row in people.items()}
    with house.writing(make.NOW, editor) as work:
        published = publishing.publish(work, draft, CODES)
    found = Scene(house, published.task_id, editor, leaders)
    found.change(STARTED, 1, status=Status.IN_PROGRESS)
    found.change(OWN_DEADLINE, 2, deadline=OWN_DAY)
    found.change(OWN_PERSON, 3, responsible=Assignee(person_id=other.id))
    found.change(FINISHED, 4, status=Status.COMPLETED)
    found.change(NOT_RELEVANT, 5, status=Status.NOT_RELEVANT, not_relevant_reason="Vi har ikke systemet")
    with house.writing(make.NOW + 6 * HOUR) as work:
        work.session.execute(
            update(MunicipalTask)
            .where(MunicipalTask.municipality_id == WITHDRAWN)
            .values(withdrawn_at=work.now)
        )
    return found
