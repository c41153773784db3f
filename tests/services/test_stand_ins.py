"""Mails that come back: the notice stays in the inbox, and somebody whom mails reach is told instead."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event, select

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import Notice, Person
from klik.services.notices import scanning, task_recipients
from klik.services.notices.assigned import tell_assigned
from klik.services.notices.ledger import BOUNCES
from klik.services.notices.recipients import Recipient, of_municipalities
from klik.services.tasks.assigning import NOBODY
from tests import make

DAY = timedelta(days=1)
JENS = "i stedet for Jens Holm, hvis mails kommer retur"


@pytest.fixture
def jens(house: Installation) -> Person:
    """Jens, whose mails come back; nobody else yet."""
    with house.database.writing() as session:
        row = make.person(session, "Jens Holm", level=Level.USER, email="Jens@koege.example")
        make.bounced(session, row.email)
        session.expunge(row)
        return row


def mailed(found: tuple[Recipient, ...]) -> list[tuple[str, str]]:
    return [(each.address, each.reason) for each in found if not each.bounces]


def of_one_task(
    house: Installation, role: str | None = "systemansvarlig", **more: object
) -> tuple[Recipient, ...]:
    with house.writing(make.NOW) as work:
        task = make.municipal_task(work.session, deadline=make.TODAY - DAY, **more)  # type: ignore[arg-type]
        task.responsible_role = role
        work.session.flush()
        return task_recipients.of_tasks(work, [task])[task.id]


def substitute(house: Installation, person: Person) -> None:
    with house.database.writing() as session:
        row = make.holding(session, holder=person, primary=False)
        row.kind, row.valid_to = "stedfortraeder", make.TODAY + 30 * DAY


def a_person(house: Installation, name: str, **more: object) -> Person:
    with house.database.writing() as session:
        row = make.person(session, name, email=f"{name.split()[0].casefold()}@koege.example", **more)  # type: ignore[arg-type]
        session.expunge(row)
        return row


def test_the_ladder_is_climbed_step_by_step(house: Installation, jens: Person) -> None:
    """Substitute, other holder, administrator, plus user, programleder, KOMBIT: each only when those before fail."""
    with house.database.writing() as session:
        make.holding(session, holder=session.get_one(Person, jens.id))
    ida = a_person(house, "Ida Krog", level=Level.KOMBIT_ADMINISTRATOR)
    assert mailed(of_one_task(house)) == [(ida.email, f"KOMBIT {JENS}")]
    leader = a_person(house, "Per Leder", level=Level.USER)
    with house.database.writing() as session:
        make.holding(session, "kombit-programleder", holder=leader, system_code=None)
    assert mailed(of_one_task(house)) == [(leader.email, f"programleder {JENS}")]
    plus = a_person(house, "Pia Plus", level=Level.PLUS_USER)
    assert mailed(of_one_task(house)) == [(plus.email, f"plusbruger {JENS}")]
    chief = a_person(house, "Anne Lind", level=Level.ADMINISTRATOR)
    assert mailed(of_one_task(house)) == [(chief.email, f"administrator {JENS}")]
    other = a_person(house, "Bo Friis", level=Level.USER)
    with house.database.writing() as session:
        make.holding(session, holder=other, primary=False)
    assert mailed(of_one_task(house)) == [
        (other.email, f"ansvarlig som systemansvarlig og systemansvarlig {JENS}")
    ]
    sub = a_person(house, "Eva Juhl", level=Level.USER)
    substitute(house, sub)
    assert mailed(of_one_task(house)) == [
        (other.email, "ansvarlig som systemansvarlig"),
        (
            sub.email,
            f"ansvarlig som systemansvarlig (stedfortræder for Jens Holm) og stedfortræder {JENS}",
        ),
    ]


def test_the_one_whose_mails_come_back_has_it_in_the_inbox_only(house: Installation, jens: Person) -> None:
    chief = a_person(house, "Anne Lind", level=Level.ADMINISTRATOR)
    with house.database.writing() as session:
        make.municipal_task(session, deadline=make.TODAY - DAY, responsible=jens)
    with house.writing(make.NOW) as work:
        scanning.scan_deadlines(work)
        assert scanning.scan_deadlines(work).written == 0
    with house.reading(make.NOW) as work:
        rows = work.session.scalars(
            select(Notice).where(Notice.occasion == "core.roed").order_by(Notice.person_id)
        )
        found = [(row.person_id, row.withdrawal_reason, row.reason) for row in rows]
    assert found == [
        (jens.id, BOUNCES, "ansvarlig"),
        (chief.id, None, f"administrator {JENS}"),
    ]


def test_a_soft_bounce_changes_nothing(house: Installation) -> None:
    mette = a_person(house, "Mette Holm")
    with house.database.writing() as session:
        make.bounced(session, mette.email, "blod")
    assert of_one_task(house, None, responsible=mette) == (
        Recipient(mette.id, mette.email, make.KOEGE, "ansvarlig"),
    )


def test_a_municipality_whose_every_mail_comes_back_ends_at_kombit(house: Installation, jens: Person) -> None:
    ida = a_person(house, "Ida Krog", level=Level.KOMBIT_ADMINISTRATOR)
    everybody = [a_person(house, "Pia Plus"), a_person(house, "Anne Lind", level=Level.ADMINISTRATOR)]
    with house.database.writing() as session:
        for each in everybody:
            make.bounced(session, each.email)
        make.holding(session, "kombit-programleder", mailbox="leder@koege.example", system_code=None)
        make.bounced(session, "leder@koege.example")
    with house.reading(make.NOW) as work:
        found = of_municipalities(work, [make.KOEGE], "kp")[make.KOEGE]
    assert [each.address for each in found if each.bounces] == [
        "pia@koege.example",
        "anne@koege.example",
        "leder@koege.example",
    ]
    assert mailed(found) == [
        (ida.email, "KOMBIT i stedet for Pia Plus, Anne Lind og leder@koege.example, hvis mails kommer retur")
    ]
    assert mailed(of_one_task(house, None, responsible=jens)) == [(ida.email, f"KOMBIT {JENS}")]
    with house.writing(make.NOW) as work:
        task = make.municipal_task(work.session, deadline=make.TODAY - 20 * DAY)
        (leader,) = (
            each for each in task_recipients.leaders_of_tasks(work, [task])[task.id] if not each.bounces
        )
        assert (leader.address, leader.reason.partition(" ")[0]) == (ida.email, "KOMBIT")


def test_the_leader_is_the_programleder_else_the_administrators(house: Installation) -> None:
    chief = a_person(house, "Anne Lind", level=Level.ADMINISTRATOR)
    with house.writing(make.NOW) as work:
        task = make.municipal_task(work.session)
        assert mailed(task_recipients.leaders_of_tasks(work, [task])[task.id]) == [
            (chief.email, "administrator, fordi ingen har rollen KOMBIT-programleder")
        ]
        make.holding(work.session, "kombit-programleder", mailbox="leder@koege.example", system_code=None)
        assert mailed(task_recipients.leaders_of_tasks(work, [task])[task.id]) == [
            ("leader@koege.example".replace("leader", "leder"), "KOMBIT-programleder (primær)")
        ]
        make.bounced(work.session, "leder@koege.example")
        assert mailed(task_recipients.leaders_of_tasks(work, [task])[task.id]) == [
            (chief.email, "administrator i stedet for leder@koege.example, hvis mails kommer retur")
        ]


def test_who_is_given_a_task_and_cannot_be_mailed(house: Installation, jens: Person) -> None:
    chief = a_person(house, "Anne Lind", level=Level.ADMINISTRATOR)
    with house.writing(make.NOW) as work:
        task = make.municipal_task(work.session, title="Test snitflader", responsible=jens)
        assert tell_assigned(work, [(task, {"responsible": NOBODY})]) == 2
        rows = work.session.scalars(select(Notice).order_by(Notice.person_id)).all()
        assert [(row.person_id, row.withdrawal_reason, row.heading.partition(":")[0]) for row in rows] == [
            (jens.id, BOUNCES, "Du er ansvarlig"),
            (chief.id, None, "Jens Holm er ansvarlig"),
        ]


def test_nobody_stands_in_for_the_one_who_acts(house: Installation, jens: Person) -> None:
    a_person(house, "Anne Lind", level=Level.ADMINISTRATOR)
    with house.database.reading() as session:
        actor = make.actor(session, session.get_one(Person, jens.id))
    with house.writing(make.NOW, actor) as work:
        task = make.municipal_task(work.session, responsible=jens)
        assert tell_assigned(work, [(task, {"responsible": NOBODY})]) == 0


@contextmanager
def counted(house: Installation) -> Iterator[list[str]]:
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        sent.append(statement)

    event.listen(house.database.engine, "before_cursor_execute", note)
    yield sent
    event.remove(house.database.engine, "before_cursor_execute", note)


def test_one_statement_more_however_many_tasks(house: Installation, jens: Person) -> None:
    mette = a_person(house, "Mette Holm")
    counts = []
    with house.writing(make.NOW) as work:
        tasks = [make.municipal_task(work.session, responsible=mette) for _ in range(40)]
        for some in (tasks[:1], tasks):
            with counted(house) as sent:
                task_recipients.of_tasks(work, some)
            counts.append((len(sent), sum("bounced_addresses" in each for each in sent)))
        assert counts == [(3, 1), (3, 1)]
        for task in tasks:
            task.responsible_id = jens.id
        work.session.flush()
        with counted(house) as sent:
            task_recipients.of_tasks(work, tasks)
        some_lost = len(sent)
        with counted(house) as sent:
            task_recipients.of_tasks(work, tasks[:1])
        assert some_lost == len(sent) < 15
    print(f"recipients: mails that come back cost {some_lost} statements for 40 tasks, 3 where all arrive")  # noqa: T201 - the figure is what the run is for
