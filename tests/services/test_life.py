"""Before a task is published: approval by a second redaktør, announcement, and a plan that publishes itself."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from bench.measuring import statements
from klik import jobs
from klik.domain.life import Act, State
from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import AuditEntry, MunicipalTask, Notice, Project, Task, TaskStep
from klik.services import publishing
from klik.services.errors import ConflictError, ForbiddenError, RefusedError
from klik.services.publishing import Draft, RecipientChoice, announced, life, recipients, steps
from klik.services.publishing.steps import Press
from klik.services.work import Actor, Work
from tests import make

DRAFT = Draft(
    project="kp",
    title="Udpeg systemansvarlig",
    phase="forberedelse",
    theme="it-miljoe-og-infrastruktur",
    purpose="Fordi nogen skal følge idriftsættelsen.",
    deadline_rule="core.days-after-publication",
    deadline_parameter="30",
)
THREE = RecipientChoice.parse("101,147,259")
MONDAY = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Scene:
    """Two redaktører, a plusbruger in Køge, and how to work as each of them."""

    house: Installation
    ida: Actor
    per: Actor
    mette: Actor

    @contextmanager
    def by(self, actor: Actor | None, now: datetime = make.NOW) -> Iterator[Work]:
        """A writing unit of work of this actor."""
        with self.house.writing(now) as work:
            yield replace(work, actor=actor)

    def stored(self, choice: RecipientChoice = THREE, draft: Draft = DRAFT) -> int:
        """A draft of Ida's."""
        with self.by(self.ida) as work:
            return publishing.save_draft(work, draft, None, choice)

    def do(
        self, actor: Actor | None, act: Act, task_id: int, now: datetime = make.NOW, **more: object
    ) -> None:
        """One act, in a transaction of its own."""
        with self.by(actor, now) as work:
            life.do(work, act, task_id, Press(), **more)  # type: ignore[arg-type]

    def task(self, task_id: int) -> Task:
        """The task as it is stored."""
        with self.house.reading(make.NOW) as work:
            task = work.session.get_one(Task, task_id)
            work.session.expunge(task)
            return task

    def count(self, what: object, *conditions: object) -> int:
        """How many rows."""
        with self.house.reading(make.NOW) as work:
            return work.session.scalar(select(func.count(what)).where(*conditions)) or 0  # type: ignore[arg-type]


@pytest.fixture
def scene(house: Installation) -> Scene:
    with house.database.writing() as session:
        make.project(session)
        people = [
            make.person(session, "Ida Krog", level=Level.KOMBIT_EDITOR),
            make.person(session, "Per Dahl", level=Level.KOMBIT_EDITOR),
            make.person(session, "Mette Holm", level=Level.PLUS_USER),
        ]
        return Scene(house, *(make.actor(session, person) for person in people))


def test_a_draft_remembers_whom_it_is_for(scene: Scene) -> None:
    for words in (
        "system",
        "alle",
        "101,147",
        "kommuner:Køge",
        "bølge:ky/b1",
        "region:Region Sjælland",
        "undtagen:101",
        "system+region:Sjælland",
    ):
        task_id = scene.stored(RecipientChoice.parse(words), replace(DRAFT, title=f"Til {words}"))
        task = scene.task(task_id)
        assert task.recipients == words
        assert publishing.choice_of(task) == RecipientChoice.parse(words)
    # Nobody named yet is no choice; a draft may wait with it.
    assert scene.task(scene.stored(RecipientChoice("kommuner"))).recipients is None


def test_a_second_redaktor_approves(scene: Scene) -> None:
    task_id = scene.stored()
    scene.do(scene.ida, Act.SUBMIT, task_id)
    for act, more in ((Act.PUBLISH, {}), (Act.ANNOUNCE, {}), (Act.PLAN, {"at": MONDAY})):
        with pytest.raises(RefusedError, match="En anden redaktør skal godkende"):
            scene.do(scene.ida, act, task_id, **more)
    with scene.by(scene.per) as work, pytest.raises(RefusedError, match="Send den tilbage, før teksten"):
        publishing.change_draft(work, task_id, DRAFT, scene.task(task_id).version)
    with scene.by(scene.ida) as work, pytest.raises(RefusedError, match="Send den tilbage, før teksten"):
        publishing.publish(work, DRAFT, (101,), task_id=task_id)
    scene.do(scene.per, Act.PUBLISH, task_id)
    assert scene.task(task_id).state == State.PUBLISHED
    assert scene.count(MunicipalTask.id) == 3
    with scene.house.reading(make.NOW) as work:
        lines = steps.of_task(replace(work, actor=scene.per), work.session.get_one(Task, task_id))
    assert [(line.who, line.what) for line in lines] == [
        ("Per Dahl", "Udgivet"),
        ("Ida Krog", "Sendt til godkendelse"),
        ("Ida Krog", "Oprettet"),
    ]
    # Pressed again, by whomever, it is the same publication.
    scene.do(scene.ida, Act.PUBLISH, task_id)
    assert scene.count(MunicipalTask.id) == 3
    assert scene.count(AuditEntry.id, AuditEntry.action == "publish") == 1


def test_sent_back_with_a_reason(scene: Scene) -> None:
    task_id = scene.stored()
    scene.do(scene.ida, Act.SUBMIT, task_id)
    with pytest.raises(RefusedError, match="Begrundelse skal udfyldes"):
        scene.do(scene.per, Act.RETURN, task_id)
    scene.do(scene.per, Act.RETURN, task_id, note="Formålet mangler")
    assert scene.task(task_id).state == State.DRAFT
    with scene.house.reading(make.NOW) as work:
        told = work.session.scalars(select(Notice)).one()
        assert told.person_id == scene.ida.person_id and "Formålet mangler" in told.sentence
        assert (
            work.session.scalars(select(TaskStep.note).order_by(TaskStep.id.desc())).first()
            == "Formålet mangler"
        )
    # Who sent it may take it back without a reason, and then it is a draft like any other.
    scene.do(scene.ida, Act.SUBMIT, task_id)
    scene.do(scene.ida, Act.RETURN, task_id)
    scene.do(scene.ida, Act.PUBLISH, task_id)


def test_what_is_wrong_is_said_before_it_is_sent(scene: Scene) -> None:
    task_id = scene.stored(RecipientChoice("kommuner"))
    for act, more in ((Act.SUBMIT, {}), (Act.ANNOUNCE, {}), (Act.PLAN, {"at": MONDAY}), (Act.PUBLISH, {})):
        with pytest.raises(RefusedError, match="vælg, hvem opgaven skal udgives til"):
            scene.do(scene.ida, act, task_id, **more)
    late = scene.stored(
        draft=replace(DRAFT, deadline_rule="core.date", deadline_parameter="22-11-2026", title="Sent")
    )
    with pytest.raises(RefusedError, match=r"Fristen 22\. november 2026 er allerede overskredet"):
        scene.do(scene.ida, Act.PLAN, late, at=MONDAY)
    for at in (None, make.NOW):
        with pytest.raises(RefusedError, match="allerede passeret"):
            scene.do(scene.ida, Act.PLAN, late, at=at)
    with pytest.raises(ForbiddenError):
        scene.do(scene.mette, Act.ANNOUNCE, late)


def test_an_announced_task_is_seen_by_those_it_concerns(scene: Scene) -> None:
    task_id = scene.stored()
    scene.do(scene.ida, Act.ANNOUNCE, task_id)
    assert (
        scene.count(Notice.id, Notice.occasion == "annonceret", Notice.person_id == scene.mette.person_id)
        == 1
    )
    with scene.by(scene.mette) as work:
        (seen,) = announced.coming(work)
        assert (seen.title, seen.purpose) == (DRAFT.title, DRAFT.purpose)
        assert "30 dage" in seen.deadline_words
        assert announced.coming(replace(work, actor=replace(scene.mette, municipality_id=make.HERNING))) == []
        assert len(announced.coming(replace(work, actor=scene.ida))) == 1
    # It stays announced while it is planned, and when the plan is stopped; and is told of once.
    scene.do(scene.ida, Act.PLAN, task_id, at=MONDAY)
    scene.do(scene.ida, Act.UNPLAN, task_id)
    assert scene.task(task_id).state == State.ANNOUNCED
    assert (
        scene.count(Notice.id, Notice.occasion == "annonceret", Notice.person_id == scene.mette.person_id)
        == 1
    )
    scene.do(scene.ida, Act.PUBLISH, task_id)
    with scene.by(scene.mette) as work:
        assert announced.coming(work) == []


def test_who_is_concerned_is_who_would_get_it(scene: Scene) -> None:
    """The quick look at one municipality against the choice worked out for all of them."""
    with scene.house.database.writing() as session:
        wave = make.wave(session, "b1", "ky")
        project = make.project(session, "ky", system_code="ky")
        codes = recipients(Work(session, None, make.NOW, scene.house.registry), RecipientChoice("alle"), "ky")
        for code in codes[::3]:
            make.has_system(session, code, "ky", wave=wave if code % 2 else None)
        assert project.id
    for text in (
        *("all", "alle", "101,259", "undtagen:259,101", "region:Region Sjælland", "region:sjaelland"),
        *("bølge:ky/b1", "bølge:b1"),
    ):
        for project_slug in ("ky", "kp"):
            if text == "bølge:b1" and project_slug == "kp":
                continue
            choice = RecipientChoice.parse(text)
            draft = replace(DRAFT, project=project_slug, title=f"{project_slug} {text}")
            task_id = scene.stored(choice, draft)
            scene.do(None, Act.ANNOUNCE, task_id)
    with scene.house.reading(make.NOW) as work:
        tasks = work.session.execute(select(Task, Project).join(Project)).all()
        for code in codes:
            there = {
                task.task_id
                for task in announced.coming(replace(work, actor=replace(scene.mette, municipality_id=code)))
            }
            wanted = {
                task.id
                for task, project in tasks
                if code in recipients(work, RecipientChoice.parse(task.recipients), project.slug)
            }
            assert there == wanted, code


def test_a_plan_publishes_itself_once_and_however_late(scene: Scene) -> None:
    task_id = scene.stored()
    scene.do(scene.ida, Act.PLAN, task_id, at=MONDAY)
    early = jobs.publish_planned(scene.house, MONDAY - timedelta(seconds=1))
    assert early.sentence == "Ingen planlagt opgave skal udgives nu." and scene.count(MunicipalTask.id) == 0
    # The server was down over the time.
    late = MONDAY + timedelta(days=2)
    assert jobs.publish_planned(scene.house, late) == jobs.Outcome("1 planlagt opgave er udgivet.")
    assert jobs.publish_planned(scene.house, late).sentence == "Ingen planlagt opgave skal udgives nu."
    task = scene.task(task_id)
    assert (task.state, task.published_at, task.publish_problem) == (State.PUBLISHED, late, None)
    assert scene.count(MunicipalTask.id) == 3
    assert (
        scene.count(Notice.id, Notice.occasion == "udgivet", Notice.person_id == scene.mette.person_id) == 1
    )


def test_a_plan_that_fails_says_why_and_holds_nothing_up(scene: Scene) -> None:
    with scene.house.database.writing() as session:
        make.project(session, "gammelt", system_code=None)
    closed = scene.stored(draft=replace(DRAFT, project="gammelt"))
    passed = scene.stored(
        draft=replace(DRAFT, deadline_rule="core.date", deadline_parameter="24-11-2026", title="Nå det")
    )
    fine = scene.stored()
    for task_id in (closed, passed, fine):
        scene.do(scene.per, Act.PLAN, task_id, at=MONDAY)
    with scene.house.database.writing() as session:
        session.scalars(select(Project).where(Project.slug == "gammelt")).one().active = False
    outcome = jobs.publish_planned(scene.house, MONDAY + timedelta(days=3))
    assert not outcome.well and outcome.sentence.startswith(
        "1 planlagt opgave er udgivet; 2 kunne ikke udgives"
    )
    assert scene.task(fine).state == State.PUBLISHED
    assert "er afsluttet; vælg et andet" in (scene.task(closed).publish_problem or "")
    assert "Fristen 24. november 2026 er allerede overskredet" in (scene.task(passed).publish_problem or "")
    told = {scene.ida.person_id, scene.per.person_id}
    with scene.house.reading(make.NOW) as work:
        rows = work.session.execute(
            select(Notice.task_id, Notice.person_id).where(Notice.occasion == "plan-fejlede")
        )
        assert set(rows.all()) == {(task_id, person) for task_id in (closed, passed) for person in told}
    # It is not tried again before KOMBIT has done something about it.
    assert jobs.publish_planned(scene.house, MONDAY + timedelta(days=4)).sentence.startswith("Ingen")
    again = MONDAY + timedelta(days=5)
    with pytest.raises(RefusedError, match="allerede overskredet"):
        scene.do(scene.ida, Act.PLAN, passed, MONDAY + timedelta(days=4), at=again)
    with scene.by(scene.ida, MONDAY + timedelta(days=4)) as work:
        draft = replace(publishing.draft_of(work, passed), deadline_parameter="31-12-2026")
        publishing.change_draft(work, passed, draft, work.session.get_one(Task, passed).version)
    scene.do(scene.ida, Act.PLAN, passed, MONDAY + timedelta(days=4), at=again)
    assert jobs.publish_planned(scene.house, again).well
    assert scene.task(passed).publish_problem is None


def test_a_press_counts_once_and_a_loser_is_told(scene: Scene) -> None:
    task_id = scene.stored()
    press = Press(scene.task(task_id).version, str(uuid.uuid4()))
    for _press in range(2):
        with scene.by(scene.ida) as work:
            life.do(work, Act.PLAN, task_id, press, at=MONDAY)
    assert scene.count(TaskStep.id) == 1
    with scene.by(scene.per) as work, pytest.raises(ConflictError) as lost:
        life.do(work, Act.ANNOUNCE, task_id, Press(press.version, str(uuid.uuid4())))
    assert lost.value.who == "Ida Krog"
    assert [(each.mine, each.theirs) for each in lost.value.differences] == [
        ("Annonceret som kommende", "Planlagt")
    ]
    with scene.by(scene.ida) as work, pytest.raises(RefusedError, match="brugt til noget andet"):
        life.do(work, Act.ANNOUNCE, task_id, press)
    with scene.by(scene.per) as work, pytest.raises(ConflictError) as lost:
        publishing.publish(
            work, replace(DRAFT, title="Pers titel"), (101,), task_id=task_id, version=press.version
        )
    assert ("Titel", "Pers titel", DRAFT.title) in [
        (each.field, each.mine, each.theirs) for each in lost.value.differences
    ]


def test_the_statements_of_a_plan_do_not_grow(scene: Scene) -> None:
    counts = []
    for choice in (THREE, RecipientChoice("alle")):
        task_id = scene.stored(choice)
        with statements(scene.house.database.engine) as seen:
            scene.do(scene.ida, Act.PLAN, task_id, at=MONDAY)
        counts.append(len(seen))
    assert counts[0] == counts[1], counts
