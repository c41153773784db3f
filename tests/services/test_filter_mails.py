"""The mails of subscribed filters: once a period, only when there is something, in the recipient's own eyes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from klik import jobs
from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import Mail, Membership, MunicipalTask, Notice, Person, SavedFilter
from klik.services import access, filtering
from klik.services.notices import account, delivery
from klik.services.notices.checking import OVERTAKEN
from klik.services.notices.mails import Sender, plain_text
from klik.services.people import acting
from klik.services.saved_filters import DAILY, NEVER, WEEKLY, saving, sharing, uses
from klik.services.work import Actor
from tests import make

SNAPSHOT = Path(__file__).parent / "snapshots" / "gemt-filter.txt"
SENDER = Sender("klik@klik.example", "https://klik.example")
DAY = timedelta(days=1)
# A Friday; 7 o'clock UTC is 8 in Denmark.
FRIDAY = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)
MONDAY = FRIDAY + 3 * DAY


@dataclass(slots=True)
class Place:
    """Køge with Mette, who acts, and a red task."""

    house: Installation
    mette: Actor
    task: int

    def subscribe(self, how_often: str = DAILY, query: str = "deadline=roed", name: str = "Røde") -> int:
        """Save a filter for Mette and ask for its mail on the Friday."""
        with self.house.writing(FRIDAY, self.mette) as work:
            row = saving.save(work, name, filtering.read(work.registry, query))
            uses.subscribe(work, row.id, how_often)
            return row.id

    def morning(self, now: datetime) -> int:
        """Run the scan as the worker does; how many mails about filters are in the ledger."""
        jobs.scan_deadlines(self.house, now)
        return len(self.told())

    def told(self) -> Sequence[Notice]:
        """The notices about filters, oldest first."""
        with self.house.database.reading() as session:
            rows = session.scalars(
                select(Notice).where(Notice.occasion == access.OWN_OCCASION).order_by(Notice.id)
            ).all()
            session.expunge_all()
            return rows


def acts(house: Installation, person: Person) -> Actor:
    with house.reading(FRIDAY) as work:
        members = select(Membership.id).where(Membership.person_id == person.id)
        return next(iter(acting.actors(work, work.session.scalars(members)).values()))


@pytest.fixture
def place(house: Installation) -> Place:
    with house.writing(FRIDAY) as work:
        mette = make.person(work.session, "Mette Holm", email="mette@koege.example")
        version = make.task(work.session, "Udarbejd jobfunktionsroller for KP", number="MI 15")
        task = make.municipal_task(work.session, version, deadline=FRIDAY.date() - 2 * DAY).id
    return Place(house, acts(house, mette), task)


def test_every_day_from_the_next_morning_once_however_often_it_runs(place: Place) -> None:
    place.subscribe()
    assert place.morning(FRIDAY + timedelta(hours=1)) == 0
    assert place.morning(FRIDAY + DAY - timedelta(hours=4)) == 0, "four in the night is no morning"
    assert [place.morning(FRIDAY + DAY + timedelta(minutes=15 * count)) for count in range(10)] == [1] * 10
    assert place.morning(FRIDAY + 2 * DAY) == 2


def test_three_days_without_a_worker_are_one_mail(place: Place) -> None:
    place.subscribe()
    assert place.morning(FRIDAY + DAY) == 1
    assert place.morning(FRIDAY + 4 * DAY) == 2


def test_every_monday_and_on_tuesday_when_monday_was_missed(place: Place) -> None:
    place.subscribe(WEEKLY)
    assert place.morning(MONDAY - DAY) == 0
    assert place.morning(MONDAY + DAY) == 1
    assert [place.morning(MONDAY + count * DAY) for count in range(2, 7)] == [1] * 5
    assert place.morning(MONDAY + 7 * DAY) == 2


def test_nothing_in_the_filter_is_no_mail_that_day(place: Place) -> None:
    place.subscribe(query="status=i-gang")
    assert place.morning(FRIDAY + DAY) == 0
    with place.house.writing(FRIDAY) as work:
        work.session.execute(update(MunicipalTask).values(status="i-gang"))
    assert place.morning(FRIDAY + DAY + timedelta(hours=2)) == 0, "the morning is over"
    assert place.morning(FRIDAY + 2 * DAY) == 1


def test_stopped_is_stopped_and_what_waits_is_taken_back(place: Place) -> None:
    number = place.subscribe()
    place.morning(FRIDAY + DAY)
    with place.house.writing(FRIDAY + DAY, place.mette) as work:
        uses.subscribe(work, number, NEVER)
    assert [notice.withdrawal_reason for notice in place.told()] == [uses.UNSUBSCRIBED]
    assert place.morning(FRIDAY + 2 * DAY) == 1


@pytest.mark.parametrize("left", ["membership", "person", "before sending"])
def test_who_left_gets_nothing(place: Place, left: str) -> None:
    place.subscribe()
    if left == "before sending":
        assert place.morning(FRIDAY + DAY) == 1
    with place.house.writing(FRIDAY) as work:
        gone = update(Membership) if left != "person" else update(Person)
        work.session.execute(gone.values(active=False))
    place.morning(FRIDAY + DAY)
    made = delivery.compose_all(place.house.writing, lambda: FRIDAY + DAY, SENDER)
    assert made.mails == 0


def test_a_shared_filter_is_seen_with_ones_own_eyes_and_only_while_it_is_shared(place: Place) -> None:
    with place.house.writing(FRIDAY) as work:
        steffen = make.person(work.session, "Steffen Bramming", level=Level.KOMBIT_EDITOR)
        make.municipal_task(
            work.session, title="Hernings egen", municipality=make.HERNING, deadline=FRIDAY.date() - 2 * DAY
        )
    editor = acts(place.house, steffen)
    with place.house.writing(FRIDAY, editor) as work:
        row = saving.save(work, "Røde overalt", filtering.read(work.registry, "deadline=roed"))
        sharing.share(work, row.id)
        uses.subscribe(work, row.id, DAILY)
        number = row.id
    with place.house.writing(FRIDAY, place.mette) as work:
        uses.subscribe(work, number, DAILY)
    assert place.morning(FRIDAY + DAY) == 2
    said = {notice.person_id: notice for notice in place.told()}
    assert said[place.mette.person_id].heading == "Røde overalt: 1 opgave"
    assert "Hernings egen" not in said[place.mette.person_id].sentence
    assert said[editor.person_id].heading == "Røde overalt: 2 opgaver"
    assert "Hernings egen (Herning, frist 18. november 2026)" in said[editor.person_id].sentence
    with place.house.writing(FRIDAY + DAY, editor) as work:
        sharing.share(work, number, wanted=False)
    assert place.morning(FRIDAY + 2 * DAY) == 3


def test_nobody_else_reads_in_the_account_what_a_filter_held(place: Place) -> None:
    place.subscribe()
    place.morning(FRIDAY + DAY)
    with place.house.writing(FRIDAY) as work:
        others = [
            make.person(work.session, "Karen Kjær", level=Level.ADMINISTRATOR),
            make.person(work.session, "Gitte Lyngholm", level=Level.KOMBIT_ADMINISTRATOR),
        ]
    for actor, seen in ((place.mette, 1), *((acts(place.house, other), 0) for other in others)):
        with place.house.reading(FRIDAY + DAY, actor) as work:
            rows = account.rows(work, account.Question(occasions=frozenset({access.OWN_OCCASION})))
            assert len(rows) == seen, actor.name


def test_of_two_that_wait_only_the_newer_is_sent(place: Place) -> None:
    place.subscribe()
    place.morning(FRIDAY + DAY)
    delivery.compose_all(place.house.writing, lambda: FRIDAY + DAY, SENDER)
    place.morning(FRIDAY + 2 * DAY)
    delivery.deliver(place.house.writing, lambda: FRIDAY + 2 * DAY, SENDER, [])
    assert [notice.withdrawal_reason for notice in place.told()] == [OVERTAKEN, None]
    with place.house.database.reading() as session:
        assert sorted(session.scalars(select(Mail.state))) == ["pending", "stale"]


def test_run_by_hand_it_sends_at_once(place: Place) -> None:
    place.subscribe(WEEKLY)
    night = FRIDAY + timedelta(hours=20)
    outcomes = [jobs.digests(place.house, night).sentence for _ in range(3)]
    assert outcomes[0].endswith("og 1 gemt filter er kommet med.")
    assert outcomes[1:] == ["0 mails er gjort klar."] * 2
    assert place.morning(MONDAY) == 2


def test_the_words_are_those_of_the_snapshot(place: Place) -> None:
    with place.house.writing(FRIDAY) as work:
        for count in range(22):
            version = make.task(work.session, f"Opgave {count:02d}", number=f"VF {count + 1:02d}")
            make.municipal_task(work.session, version, deadline=FRIDAY.date() + (3 + count // 10) * DAY)
    number = place.subscribe(query="deadline=roed&deadline=gul", name="Rød/gul")
    with place.house.writing(FRIDAY) as work:
        # Something of the filter has gone since it was saved; the rest holds.
        row = work.session.get_one(SavedFilter, number)
        row.query = f"{row.query}&tema=nedlagt"
    jobs.scan_deadlines(place.house, FRIDAY + DAY)
    with place.house.writing(FRIDAY) as work:
        work.session.query(Notice).filter(Notice.occasion != access.OWN_OCCASION).delete()
    delivery.compose_all(place.house.writing, lambda: FRIDAY + DAY, SENDER)
    with place.house.database.reading() as session:
        mail = session.scalars(select(Mail)).one()
        shown = f"Emne: {mail.subject}\n\n{plain_text(mail.content)}".replace(
            f"/filtre/{number}/aabn", "/filtre/1/aabn"
        )
    assert shown == SNAPSHOT.read_text("utf-8")
