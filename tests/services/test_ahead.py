"""What a publication would come to, held against what it does: notices over 90 days, vacant roles, statements."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event, select

from klik.domain.rights import Level
from klik.domain.status import Status
from klik.installation import Installation
from klik.models import MunicipalTask, Notice, NoticeSettings, Person, Task
from klik.services.errors import RefusedError
from klik.services.notices.scanning import scan_deadlines
from klik.services.publishing import Draft, RecipientChoice, publish, recipients
from klik.services.publishing.appointing import appoint, appointment, missing_roles
from klik.services.publishing.mails_ahead import AT_PUBLICATION, DAYS, MailsAhead
from klik.services.publishing.preview import preview
from klik.services.publishing.telling import OCCASION
from klik.services.work import Work
from tests import make
from tests.make import AARHUS, HERNING, KOEGE, LAESOE, TODAY

DRAFT = Draft(
    project="ky",
    title="Klargør data til konvertering",
    phase="forberedelse",
    theme="ud-indfasning",
    responsible_role="systemansvarlig",
    executor_role="superbruger",
    deadline_rule="core.days-after-publication",
    deadline_parameter="45",
)
CODES = (KOEGE, HERNING, AARHUS, LAESOE)


@pytest.fixture
def ground(house: Installation) -> Installation:
    """Four municipalities with KY: one well staffed, one by a mailbox, one with a plus user only, one with nobody."""
    with house.database.writing() as session:
        make.project(session, "ky", system_code="ky")
        make.person(session, "Ida Krog", level=Level.KOMBIT_ADMINISTRATOR)
        first = make.wave(session, "b1", go_live=TODAY + timedelta(days=20))
        second = make.wave(session, "b2", go_live=TODAY + timedelta(days=75))
        for place, code in enumerate(CODES):
            make.has_system(session, code, "ky", wave=(first, second)[place % 2])
        holder = make.person(session, "Mette Holm", systems=("ky",))
        make.holding(session, holder=holder, system_code="ky")
        session.add(NoticeSettings(person_id=holder.id, hour=7, days_before="14,2"))
        jens = make.person(session, "Jens Bo")
        make.holding(session, "superbruger", holder=jens, system_code=None)
        make.bounced(session, jens.email)
        leader = make.person(session, "Per Leder", level=Level.ADMINISTRATOR)
        make.holding(session, "kombit-programleder", holder=leader, system_code=None)
        make.holding(session, mailbox="it@herning.example", municipality=HERNING, system_code="ky")
        make.person(session, "Anne Lind", municipality=AARHUS)
    return house


RULES = (
    ("core.days-after-publication", "45", 4),
    ("core.days-after-publication", "45", 38),
    ("core.days-after-publication", "2", None),
    ("core.days-after-publication", "7", None),
    ("core.date", (TODAY + timedelta(days=200)).isoformat(), None),
    ("core.date", (TODAY + timedelta(days=1)).isoformat(), None),
    ("ky.foer-idriftsaettelse", "10", None),
    ("ky.foer-idriftsaettelse", "60", None),
)


def _published(house: Installation, draft: Draft) -> tuple[MailsAhead, Counter[str], Counter[int | str]]:
    with house.writing(make.NOW) as work:
        ahead = preview(work, draft, CODES).mails
        assert not work.session.new
        publish(work, draft, CODES, str(uuid.uuid4()))
    for day in range(DAYS):
        with house.writing(make.NOW + timedelta(days=day, hours=1)) as work:
            scan_deadlines(work)
    with house.reading(make.NOW) as work:
        labels = {key: rule.label for key, rule in work.registry.notification_rules.items()}
        labels[OCCASION] = AT_PUBLICATION
        sent = work.session.execute(
            select(Notice.occasion, Notice.person_id, Notice.address).where(Notice.withdrawn_at.is_(None))
        ).all()
    return (
        ahead,
        Counter(labels[occasion] for occasion, _person, _address in sent),
        Counter(person or address.casefold() for _occasion, person, address in sent),
    )


@pytest.mark.parametrize(("rule", "parameter", "start"), RULES)
def test_the_notices_are_those_the_scanner_sends_over_90_days(
    ground: Installation, rule: str, parameter: str, start: int | None
) -> None:
    day = TODAY + timedelta(days=start) if start else None
    draft = replace(DRAFT, deadline_rule=rule, deadline_parameter=parameter, start=day)
    ahead, occasions, people = _published(ground, draft)
    assert dict(ahead.occasions) == dict(occasions)
    assert ahead.total == sum(occasions.values())
    assert ahead.people == len(people)
    most = sorted(people.values(), reverse=True)[:3]
    assert [each.count for each in ahead.busiest] == most
    with ground.reading(make.NOW) as work:
        names = dict(work.session.execute(select(Person.id, Person.name)).all())
    known = {(names.get(who, who), count) for who, count in people.items()}
    assert {(each.name, each.count) for each in ahead.busiest} <= known


def test_some_rules_speak_of_the_tasks(ground: Installation) -> None:
    """The comparison above compares something: everything about a deadline comes within the 90 days."""
    with ground.reading(make.NOW) as work:
        occasions = dict(preview(work, DRAFT, CODES).mails.occasions)
    assert set(occasions) == {
        AT_PUBLICATION,
        "Opgaven er blevet gul",
        "14 dage til frist",
        "7 dage til frist",
        "2 dage til frist",
        "Frist i morgen",
        "Opgaven er blevet rød",
        "Opgaven er stadig rød",
        "Rød opgave til lederen",
        "30 dage til idriftsættelse",
    }


def _names(work: Work, draft: Draft, codes: Sequence[int]) -> dict[str, tuple[list[int], list[int]]]:
    found = preview(work, draft, codes).missing
    return {each.role: (sorted(each.lacking), sorted(each.offered)) for each in found}


def test_vacant_roles_get_a_task_of_their_own_in_the_same_breath(ground: Installation) -> None:
    with ground.reading(make.NOW) as work:
        assert _names(work, DRAFT, CODES) == {
            "systemansvarlig": ([AARHUS, LAESOE], [AARHUS, LAESOE]),
            "superbruger": ([HERNING, AARHUS, LAESOE], [HERNING, AARHUS, LAESOE]),
        }
    key = str(uuid.uuid4())
    for press in range(2):
        with ground.writing(make.NOW) as work:
            published = publish(work, DRAFT, CODES, key)
            made = appoint(work, published, CODES, ["systemansvarlig"])
            assert published.repeated is (press == 1)
            assert made == ({"Udpeg systemansvarlig": 2} if press == 0 else {})
    with ground.reading(make.NOW) as work:
        tasks = work.session.scalars(select(Task).order_by(Task.id)).all()
        assert [(task.task_number, task.appoints_role) for task in tasks] == [
            ("UI 01", None),
            (tasks[1].task_number, "systemansvarlig"),
        ]
        assert tasks[1].recipients == f"{AARHUS},{LAESOE}"
        copies = select(MunicipalTask.municipality_id).where(MunicipalTask.task_id == tasks[1].id)
        assert sorted(work.session.scalars(copies)) == [AARHUS, LAESOE]
        # The next publication sees that the roles are being filled, and offers nothing again.
        assert _names(work, DRAFT, CODES)["systemansvarlig"] == ([AARHUS, LAESOE], [])


def test_only_an_open_task_stands_in_the_way(ground: Installation) -> None:
    with ground.writing(make.NOW) as work:
        project = make.project(work.session, "ky", system_code="ky")
        version = make.task(work.session, "Udpeg systemansvarlig", in_project=project)
        make.municipal_task(work.session, version, municipality=AARHUS, status=Status.COMPLETED)
        make.municipal_task(work.session, version, municipality=LAESOE, status=Status.IN_PROGRESS)
        assert _names(work, DRAFT, CODES)["systemansvarlig"] == ([AARHUS, LAESOE], [AARHUS])


def test_the_task_is_the_plugins_own_else_made_of_the_roles_text(ground: Installation) -> None:
    with ground.writing(make.NOW) as work:
        ky, kp = (make.project(work.session, code, system_code=code) for code in ("ky", "kp"))
        assert appointment(work, ky, "systemansvarlig", "ibrugtagning").template == "ky.udpeg-systemansvarlig"
        assert appointment(work, kp, "superbruger", "opstart").title == "Udpeg superbrugere"
        made = appointment(work, kp, "projektejer", "opstart")
        assert (made.template, made.title, made.phase) == (None, "Udpeg projektejer", "opstart")
        assert made.theme == "projektstyring-og-ledelse" and made.appoints_role == "projektejer"
        leader = appointment(work, kp, "kombit-programleder", "opstart")
        assert leader.title == "Udpeg KOMBIT-programleder" and leader.responsible_role is None
        for role in work.registry.content.roles:
            draft = appointment(work, kp, role.slug, "opstart")
            assert publish(work, replace(draft, title=f"{draft.title} x"), [KOEGE]).municipalities == 1
        assert missing_roles(work, replace(DRAFT, responsible_role=None, executor_role=None), ky, {}) == ()


def test_nothing_is_stored_when_the_second_cannot_be(ground: Installation) -> None:
    with pytest.raises(RefusedError), ground.writing(make.NOW) as work:
        published = publish(work, DRAFT, CODES)
        appoint(work, published, CODES, ["systemansvarlig"])
        publish(work, replace(DRAFT, title=""), CODES)
    with ground.reading(make.NOW) as work:
        assert work.session.scalars(select(Task)).all() == []


def test_a_preview_takes_the_same_statements_for_two_as_for_98(ground: Installation) -> None:
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    counts = []
    with ground.reading(make.NOW) as work:
        every = recipients(work, RecipientChoice.parse("alle"), "ky")
        for codes in (CODES, every):
            event.listen(ground.database.engine, "before_cursor_execute", note)
            preview(work, DRAFT, codes)
            event.remove(ground.database.engine, "before_cursor_execute", note)
            counts.append(len(statements))
            statements.clear()
            work.session.expire_all()
    assert len(every) == 98
    assert counts[1] <= counts[0] and counts[0] < 60, counts
