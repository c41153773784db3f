"""When a notice goes into a mail: at its person's hour, at once, or in the next mail when it was missed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import event, select

from klik import jobs
from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import Mail, MunicipalTask, Notice, NoticeSettings, Person
from klik.services.errors import ConflictError, RefusedError
from klik.services.notices import delivery, ledger, preferences, scanning
from klik.services.notices.composing import compose
from klik.services.notices.ledger import NoticeDraft
from klik.services.notices.mails import Sender, plain_text
from klik.services.notices.occasions import OCCASIONS
from klik.services.notices.recipients import Recipient
from klik.services.work import Actor
from tests import make

SENDER = Sender("klik@klik.example", "https://klik.example")
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
MONDAY = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)  # seven o'clock in Denmark
FRIDAY = MONDAY - 3 * DAY
SATURDAY, SUNDAY = MONDAY - 2 * DAY, MONDAY - DAY


def mette(house: Installation, **wants: object) -> Actor:
    """Mette in Køge, with what she has chosen."""
    with house.database.writing() as session:
        person = make.person(session, email="mette@koege.example")
        if wants:
            make.notice_settings(session, person, **wants)  # type: ignore[arg-type]
        return make.actor(session, person)


def tell(house: Installation, person: Actor | None, occasion: str, now: datetime, about: str = "en") -> None:
    """Enter one notice of the occasion for the person, or for a mailbox."""
    to = Recipient(person.person_id if person else None, "mette@koege.example", make.KOEGE, "ansvarlig")
    draft = NoticeDraft(
        occasion=occasion,
        dedupe_key=f"{occasion}/{about}",
        recipient=to,
        heading="H",
        sentence="S.",
        path="/opgaver",
    )
    with house.writing(now) as work:
        assert ledger.enqueue(work, [draft]) == 1


def due(house: Installation) -> list[datetime]:
    with house.database.reading() as session:
        return list(session.scalars(select(Notice.due_at).order_by(Notice.id)))


def mails_at(house: Installation, now: datetime) -> list[str]:
    """The texts of the mails that the patient dispatcher makes now."""
    with house.database.reading() as session:
        before = set(session.scalars(select(Mail.id)))
    delivery.compose_all(house.writing, lambda: now, SENDER, patient=True)
    with house.database.reading() as session:
        found = session.scalars(select(Mail).where(Mail.id.not_in(before)).order_by(Mail.id)).all()
        return [f"{mail.subject}\n{plain_text(mail.content)}" for mail in found]


def a_task(house: Installation, person: Actor, deadline: date, title: str = "Skriv", **more: object) -> int:
    with house.database.writing() as session:
        responsible = session.get_one(Person, person.person_id)
        row = make.municipal_task(session, title=title, deadline=deadline, responsible=responsible, **more)  # type: ignore[arg-type]
        row.created_at = FRIDAY - 90 * DAY
        return row.id


@pytest.mark.parametrize("occasion", OCCASIONS)
def test_an_occasion_goes_at_once_or_with_the_next_mail_of_the_day(
    house: Installation, occasion: str
) -> None:
    tell(house, mette(house), occasion, SATURDAY)
    known = OCCASIONS[occasion]
    assert due(house) == [SATURDAY if known.at_once or known.fixed else MONDAY]


@pytest.mark.parametrize(
    ("chosen", "occasion", "goes"),
    [
        ({"hour": 9}, "rettet", MONDAY + 2 * HOUR),
        ({"hour": 9}, "udgivet", SATURDAY),
        ({"at_once": ()}, "udgivet", MONDAY),
        ({"at_once": ("rettet",)}, "rettet", SATURDAY),
        ({"at_once": (), "hour": 18}, "eksport-klar", SATURDAY),  # somebody sits and expects it
        ({"at_once": ("core.roed",)}, "core.roed", SATURDAY),
        ({"hour": 5}, "core.roed", MONDAY - 2 * HOUR),
    ],
)
def test_as_the_person_chose(
    house: Installation, chosen: dict[str, object], occasion: str, goes: datetime
) -> None:
    tell(house, mette(house, **chosen), occasion, SATURDAY)
    assert due(house) == [goes]


def test_a_mailbox_is_mailed_as_everybody_usually_is(house: Installation) -> None:
    tell(house, None, "rettet", SATURDAY)
    assert due(house) == [MONDAY]


def test_one_statement_asks_how_everybody_wants_it(house: Installation) -> None:
    with house.database.writing() as session:
        people = [make.person(session, f"P{number}") for number in range(30)]
        to = [Recipient(person.id, person.email, make.KOEGE, "ansvarlig") for person in people]
    seen: list[str] = []
    event.listen(
        house.database.engine, "before_cursor_execute", lambda _c, _k, said, *_more: seen.append(said)
    )
    for some in (to[:2], to[2:]):
        seen.clear()
        with house.writing(FRIDAY) as work:
            ledger.enqueue(
                work,
                [
                    NoticeDraft(
                        occasion="rettet",
                        dedupe_key="r/1",
                        recipient=each,
                        heading="H",
                        sentence="S",
                        path="/",
                    )
                    for each in some
                ],
            )
        assert len([said for said in seen if "notice" in said]) == 2, seen


def test_saturdays_reminder_is_in_mondays_mail_and_not_late(house: Installation) -> None:
    person = mette(house)
    a_task(house, person, date(2026, 11, 28))
    for now in (SATURDAY, SUNDAY):
        jobs.scan_deadlines(house, now)
        assert mails_at(house, now) == []
    jobs.scan_deadlines(house, MONDAY - HOUR)
    assert mails_at(house, MONDAY - timedelta(minutes=1)) == []
    (text,) = mails_at(house, MONDAY)
    assert "om 5 dage" in text and "orsinket" not in text
    assert mails_at(house, MONDAY + HOUR) == []


def test_after_three_days_away_each_reminder_comes_once_and_all_in_one_mail(house: Installation) -> None:
    person = mette(house)
    a_task(house, person, date(2026, 12, 1), "Syv")  # seven days before: Tuesday the 24th
    a_task(house, person, date(2026, 11, 26), "En")  # the day before: Wednesday the 25th
    a_task(house, person, date(2026, 11, 24), "Roed")  # red on Wednesday the 25th
    for now in (MONDAY - HOUR,):
        jobs.scan_deadlines(house, now)
        mails_at(house, MONDAY)
    back = MONDAY + 3 * DAY + 2 * HOUR  # Thursday at nine
    jobs.scan_deadlines(house, back)
    (text,) = mails_at(house, back)
    assert text.startswith("klik: 1 rød og 1 gul opgave samt 1 bliver rød i morgen i Køge")
    assert "3 varsler er forsinkede" in text
    for name, day in (("Syv", 24), ("En", 25), ("Roed", 25)):
        assert text.count(f" {name}\n") == 1
        assert f"FORSINKET: det skulle være sendt den {day}. november 2026." in text
    for hours in range(4):
        jobs.scan_deadlines(house, back + hours * HOUR)
        assert mails_at(house, back + hours * HOUR) == []


@pytest.mark.parametrize(("away_until", "goes"), [(SATURDAY + 4 * HOUR, MONDAY), (MONDAY - 3 * HOUR, MONDAY)])
def test_what_was_missed_waits_for_an_hour_at_which_people_are_mailed(
    house: Installation, away_until: datetime, goes: datetime
) -> None:
    a_task(house, mette(house), date(2026, 11, 26))
    jobs.scan_deadlines(house, away_until)  # seven days before was on Thursday the 19th
    assert mails_at(house, away_until) == []
    (text,) = mails_at(house, goes)
    assert "det skulle være sendt den 19. november 2026." in text


def test_a_dispatcher_that_was_away_at_the_hour_does_not_mail_in_the_weekend(house: Installation) -> None:
    a_task(house, mette(house), date(2026, 11, 27))
    jobs.scan_deadlines(house, FRIDAY - HOUR)
    assert mails_at(house, SATURDAY) == []
    assert due(house)[-1] == MONDAY
    (text,) = mails_at(house, MONDAY)
    assert "det skulle være sendt den 20. november 2026." in text


def test_many_who_missed_it_hold_up_nobody_else(house: Installation) -> None:
    """A whole round of people whose mails must wait is followed by those who may be mailed."""
    with house.database.writing() as session:
        people = [make.actor(session, make.person(session, f"P{number}")) for number in range(60)]
    with house.writing(FRIDAY - HOUR) as work:
        to = [Recipient(each.person_id, each.email, make.KOEGE, "ansvarlig") for each in people]
        drafts = [
            NoticeDraft(
                occasion="rettet", dedupe_key="r", recipient=each, heading="H", sentence="S", path="/"
            )
            for each in to
        ]
        ledger.enqueue(work, drafts)
    tell(house, None, "udgivet", SATURDAY)
    assert len(mails_at(house, SATURDAY)) == 1
    assert len(mails_at(house, MONDAY)) == 60


def test_whoever_came_after_the_reminder_hears_of_it_in_the_next_mail(house: Installation) -> None:
    person = mette(house)
    task = a_task(house, person, date(2026, 11, 30))
    jobs.scan_deadlines(house, MONDAY - HOUR)
    with house.writing(MONDAY + HOUR) as work:
        other = make.person(work.session, "Jens Aa", email="jens@koege.example")
        work.session.get_one(MunicipalTask, task).executor_id = other.id
    with house.writing(MONDAY + 2 * HOUR) as work:
        assert scanning.scan_deadlines(work).written > 0
        rows = work.session.scalars(
            select(Notice).where(Notice.person_id == other.id, Notice.withdrawn_at.is_(None))
        )
        assert {row.due_at for row in rows} == {MONDAY + DAY}


def test_impatient_takes_all_that_waits(house: Installation) -> None:
    tell(house, mette(house), "rettet", SATURDAY)
    with house.writing(SATURDAY) as work:
        assert compose(work, SENDER, patient=True).mails == 0
        assert compose(work, SENDER).mails == 1


def test_what_is_at_once_does_not_bring_the_days_mail_along(house: Installation) -> None:
    person = mette(house)
    tell(house, person, "rettet", MONDAY + HOUR)
    tell(house, person, "udgivet", MONDAY + HOUR)
    (text,) = mails_at(house, MONDAY + HOUR)
    assert text.startswith("H\n")
    assert len(mails_at(house, MONDAY + DAY)) == 1


def test_the_mail_says_which_tasks_turn_red_before_the_next_one(house: Installation) -> None:
    person = mette(house)
    a_task(house, person, date(2026, 11, 27), "Paamindet")  # seven days before
    a_task(house, person, date(2026, 11, 20), "I dag", yellow_from=date(2026, 11, 1))
    a_task(house, person, date(2026, 11, 22), "Soendag", yellow_from=date(2026, 11, 1))
    a_task(house, person, date(2026, 11, 23), "Mandag", yellow_from=date(2026, 11, 1))
    stranger = mette_in_herning(house)
    a_task(house, stranger, date(2026, 11, 20), "Fremmed", municipality=make.HERNING)
    with house.writing(FRIDAY - 2 * DAY) as work:
        scanning.scan_deadlines(work)
        compose(work, SENDER)
    jobs.scan_deadlines(house, FRIDAY - HOUR)
    texts = [text for text in mails_at(house, FRIDAY) if "Paamindet" in text]
    (text,) = texts
    assert "2 bliver røde senest mandag" in text.splitlines()[0]
    shown = text[text.index("Bliver røde senest mandag (2)") : text.index("Gule")]
    assert "I dag" in shown and "Soendag" in shown and "Mandag" not in shown
    assert "Fremmed" not in text


def mette_in_herning(house: Installation) -> Actor:
    with house.database.writing() as session:
        return make.actor(session, make.person(session, "Hanne", municipality=make.HERNING))


def waiting(house: Installation) -> Sequence[datetime]:
    with house.database.reading() as session:
        return session.scalars(
            select(Notice.due_at).where(Notice.mail_id.is_(None)).order_by(Notice.id)
        ).all()


@pytest.mark.parametrize(
    ("hour", "at_once", "goes"),
    [
        (9, {"udgivet"}, MONDAY + 2 * HOUR),
        (7, {"rettet"}, SUNDAY),
        (18, set(), MONDAY + 11 * HOUR),
    ],
)
def test_a_change_moves_what_waits(house: Installation, hour: int, at_once: set[str], goes: datetime) -> None:
    person = mette(house)
    tell(house, person, "rettet", SATURDAY)
    with house.writing(SUNDAY, person) as work:
        preferences.choose(work, hour, at_once, {7, 1}, 0)
    assert waiting(house) == [goes]
    with house.writing(SUNDAY, person) as work:
        preferences.reset(work, 1)
        assert preferences.next_mail(work) == preferences.NextMail(MONDAY, 1)
    assert waiting(house) == [MONDAY]


def test_an_hour_that_has_just_been_passed_by_is_caught_up(house: Installation) -> None:
    person = mette(house, hour=9)
    tell(house, person, "rettet", MONDAY - HOUR)
    with house.writing(MONDAY + HOUR, person) as work:
        preferences.choose(work, 6, [], {7, 1}, 1)
    assert waiting(house) == [MONDAY + HOUR]


def test_what_is_usual_is_stored_as_such_and_what_is_not_offered_is_kept(house: Installation) -> None:
    person = mette(house)
    with house.writing(SUNDAY, person) as work:
        usual = preferences.read(work)
        preferences.choose(work, 8, usual.at_once, [1, 7], 0)
        row = work.session.get_one(NoticeSettings, person.person_id)
        assert (row.hour, row.at_once, row.days_before) == (8, None, None)
        preferences.choose(work, 8, ["rettet"], [14, 2], 1)
        assert row.days_before == "14,2"
        assert {"rettet", "plan-fejlede"} < set((row.at_once or "").split(","))
        assert "udgivet" not in (row.at_once or "")
        chosen = preferences.read(work)
        assert (chosen.at_once, chosen.days_before) == (frozenset({"rettet"}), frozenset({14, 2}))
        preferences.choose(work, 8, [], [], 2)
        assert preferences.read(work).days_before == frozenset()


@pytest.mark.parametrize(
    ("hour", "at_once", "days", "field"),
    [
        (5, [], [], "hour"),
        (19, [], [], "hour"),
        (7, ["eksport-klar"], [], "at_once"),
        (7, [], [5], "days_before"),
    ],
)
def test_what_cannot_be_chosen_is_refused(
    house: Installation, hour: int, at_once: list[str], days: list[int], field: str
) -> None:
    person = mette(house)
    with house.writing(SUNDAY, person) as work, pytest.raises(RefusedError) as refused:
        preferences.choose(work, hour, at_once, days, 0)
    assert list(refused.value.problems) == [field]


def test_the_second_of_two_windows_is_told(house: Installation) -> None:
    person = mette(house)
    with house.writing(SUNDAY, person) as work:
        preferences.choose(work, 8, [], [], 0)
    for version in (0, 2):
        with house.writing(SUNDAY, person) as work, pytest.raises(ConflictError) as conflict:
            preferences.choose(work, 9, [], [], version)
        assert conflict.value.differences[0].theirs == "kl. 08.00"


def test_everybody_may_choose(house: Installation) -> None:
    for level in Level:
        with house.database.writing() as session:
            actor = make.actor(session, make.person(session, level=level))
        with house.writing(SUNDAY, actor) as work:
            central = "spoergsmaal" in {key for group in preferences.groups(work) for key in group.occasions}
            assert central is actor.kombit
            preferences.choose(work, 6, [], [], 0)


def test_a_digest_of_yesterday_is_worded_anew_and_says_that_it_is_late(house: Installation) -> None:
    a_task(house, mette(house), date(2026, 11, 30))
    jobs.scan_deadlines(house, MONDAY - HOUR)
    (first,) = mails_at(house, MONDAY)
    assert "om 7 dage" in first
    with house.writing(MONDAY + DAY - 2 * HOUR) as work:
        delivery.retire(work, ["core.mail"])
    assert mails_at(house, MONDAY + DAY - 2 * HOUR) == [], "nobody is mailed at five"
    (again,) = mails_at(house, MONDAY + DAY)
    assert "om 6 dage" in again and "det skulle være sendt den 23. november 2026." in again
    with house.database.reading() as session:
        assert [mail.state for mail in session.scalars(select(Mail).order_by(Mail.id))] == [
            "stale",
            "pending",
        ]
