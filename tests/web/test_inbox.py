"""The own notices: what is new, what was put off, and what the mail is doing; and the account on a task."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import event, select, update

from klik.domain import wake_days
from klik.domain.calendar import long_date, short_date
from klik.domain.errors import InputError
from klik.domain.rights import Level
from klik.domain.status import Status
from klik.installation import Installation
from klik.models import Mail, MunicipalTask, Notice, NoticeSettings, Person, RoleHolding
from klik.services import views
from klik.services.notices import inbox, ledger, scanning, task_account
from klik.services.notices.ledger import NoticeDraft
from klik.services.notices.recipients import Recipient
from klik.services.work import Work
from tests import make
from tests.client import Browser

DAY = timedelta(days=1)


def now() -> datetime:
    """What pages take for now."""
    return datetime.now(UTC)


def tell(work: Work, person: Person, words: str, *, task: int | None = None, ago: int = 0) -> int:
    """A notice about nothing much, some days old; its id."""
    key = f"{words}/{ago}"
    ledger.enqueue(
        work,
        [
            NoticeDraft(
                occasion="skrevet",
                dedupe_key=key,
                recipient=Recipient(person.id, person.email, make.KOEGE, "plusbruger"),
                heading=words,
                sentence=f"{words} er skrevet.",
                path=f"/opgaver/{task}" if task else "/roller",
                municipal_task_id=task,
            )
        ],
    )
    row = work.session.scalars(select(Notice).where(Notice.dedupe_key.startswith(key))).one()
    row.created_at -= ago * DAY
    return row.id


def words(page: BeautifulSoup) -> str:
    return " ".join(page.find("main").get_text(" ").split())  # type: ignore[union-attr]


def bell(page: BeautifulSoup) -> str:
    return " ".join(page.select_one(".klik-bell").get_text(" ").split())  # type: ignore[union-attr]


def test_unread_first_day_by_day(house: Installation, browser: Callable[..., Browser]) -> None:
    with house.writing(now()) as work:
        mette = make.person(work.session, email="mette@koege.example")
        for ago, heading in enumerate(("Nyt i dag", "Nyt i går", "Gammelt")):
            tell(work, mette, heading, ago=ago)
        read = tell(work, mette, "Læst nyt")
        inbox_actor = make.actor(work.session, mette)
        older = work.today - 2 * DAY
    visitor = browser().sign_in("mette@koege.example")
    visitor.post(f"/varsler/{read}/laest")
    page = visitor.get("/varsler/mine")
    shown = words(page)
    order = ["Ulæste", "I dag", "Nyt i dag", "I går", "Nyt i går", long_date(older), "Gammelt", "Læst nyt"]
    places = [shown.index(each) for each in order]
    assert places == sorted(places), shown
    assert bell(page) == "Dine varsler 3 ulæste"
    assert "kommer med den næste mail" in shown
    assert "Se rollen" in shown
    with house.reading(now(), inbox_actor) as work:
        assert inbox.unread(work) == 3


def test_what_is_put_off_is_gone_until_its_day_and_then_on_top(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    with house.writing(now()) as work:
        mette = make.person(work.session, email="mette@koege.example")
        first, second = tell(work, mette, "Det første"), tell(work, mette, "Det andet")
        actor, today = make.actor(work.session, mette), work.today
    visitor = browser().sign_in("mette@koege.example")
    page = visitor.get("/varsler/mine")
    for typed, wrong in (
        ("i næste uge", "kan ikke læses som en dato"),
        (short_date(today), "Dagen skal ligge fra i morgen"),
        (short_date(today + 91 * DAY), "90 dage frem"),
        ("", "Datoen mangler"),
    ):
        again = visitor.submit(page, f"/varsler/{first}/mind", expect=422, dato=typed)
        assert wrong in words(again)
        assert again.find("input", id=f"dato-{first}")["value"] == typed  # type: ignore[index]
    page = visitor.submit(page, f"/varsler/{first}/mind", dag=(today + 7 * DAY).isoformat())
    assert bell(page) == "Dine varsler 1 ulæst"
    waits = "Det første Det første er skrevet. Køge · plusbruger · kommer med den næste mail"
    back = f"kommer frem igen {long_date(today + 7 * DAY)}"
    assert f"Udsat til senere I dag {waits} · {back}" in words(page)
    for ahead, unread in ((6, [second]), (7, [first, second])):
        with house.reading(now() + ahead * DAY, actor) as work:
            assert [each.id for each in inbox.letters(work, unread_only=True)] == unread
            assert inbox.unread(work) == len(unread)
            if ahead == 7:
                heap = inbox.heaps(inbox.letters(work), work.today)[0]
                assert heap.heading == "Du bad om at blive mindet"
    page = visitor.post(f"/varsler/{first}/ulaest")
    assert bell(page) == "Dine varsler 2 ulæste"
    page = visitor.post("/varsler/laest")
    assert "2 varsler er markeret som læst" in words(page)
    assert bell(page) == "Dine varsler, ingen ulæste"


def test_going_to_a_task_reads_all_about_it(house: Installation, browser: Callable[..., Browser]) -> None:
    with house.writing(now()) as work:
        mette = make.person(work.session, email="mette@koege.example")
        task = make.municipal_task(work.session, deadline=work.today + 30 * DAY, responsible=mette)
        one, _two = tell(work, mette, "Et", task=task.id), tell(work, mette, "To", task=task.id)
        tell(work, mette, "Noget andet")
        number = task.id
    visitor = browser().sign_in("mette@koege.example")
    page = visitor.post(f"/varsler/{one}/aabn")
    assert visitor.response.request.path == f"/opgaver/{number}"
    assert bell(page) == "Dine varsler 1 ulæst"


def test_nobody_touches_anothers(house: Installation, browser: Callable[..., Browser]) -> None:
    with house.writing(now()) as work:
        mette = make.person(work.session, email="mette@koege.example")
        make.person(work.session, email="bo@koege.example")
        theirs = tell(work, mette, "Mettes")
    visitor = browser().sign_in("bo@koege.example")
    for act in ("aabn", "laest", "ulaest", "mind"):
        visitor.post(f"/varsler/{theirs}/{act}", {"dag": "2099-01-01"}, expect=404)
    visitor.post(f"/varsler/{theirs}/send-igen", expect=404)


def test_what_could_not_be_mailed_lies_there_all_the_same(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    with house.writing(now()) as work:
        mette = make.person(work.session, email="mette@koege.example")
        for heading, reason in (("Retur", ledger.BOUNCES), ("Overhalet", "overhalet af “Frist i morgen”")):
            row = work.session.get_one(Notice, tell(work, mette, heading))
            row.withdrawn_at, row.withdrawal_reason = work.now, reason
    shown = words(browser().sign_in("mette@koege.example").get("/varsler/mine"))
    assert "ingen mail: adressen kommer retur" in shown
    assert "Overhalet" not in shown


@pytest.mark.parametrize(
    ("state", "said"),
    [("sent", "mailet kl."), ("bounced", "mail kom retur"), ("in_doubt", "uvist, om mailen kom frem")],
)
def test_how_far_the_mail_is(
    house: Installation, browser: Callable[..., Browser], state: str, said: str
) -> None:
    with house.writing(now()) as work:
        mette = make.person(work.session, email="mette@koege.example")
        mailed(work, tell(work, mette, "Mail"), state)
    assert said in words(browser().sign_in("mette@koege.example").get("/varsler/mine"))


def mailed(work: Work, notice: int, state: str, moment: datetime | None = None) -> None:
    """Give a notice a mail in this state."""
    row = work.session.get_one(Notice, notice)
    mail = Mail(
        message_id=f"<{notice}@klik.example>",
        channel="core.mail",
        person_id=row.person_id,
        address=row.address,
        subject=f"klik: {row.heading}",
        content=b"Subject: x\r\n\r\nx",
        state=state,
        attempts=1,
        next_attempt_at=work.now,
        created_at=work.now,
        expires_at=work.now + 3 * DAY,
        sent_at=(moment or work.now) if state == "sent" else None,
        reply="550 5.1.1 findes ikke" if state == "bounced" else "250 OK",
    )
    work.session.add(mail)
    work.session.flush()
    row.mail_id = mail.id


def test_the_days_that_are_offered_are_each_offered_once() -> None:
    sunday = date(2026, 11, 22)
    assert wake_days.suggested(sunday, 14) == [
        ("i morgen", date(2026, 11, 23)),
        ("om en uge", date(2026, 11, 29)),
        ("om to uger", date(2026, 12, 6)),
    ]
    assert [words for words, _ in wake_days.suggested(date(2026, 11, 25), 7)] == [
        "i morgen",
        "på mandag",
        "om en uge",
    ]
    assert wake_days.chosen("29-11-2026", sunday, 7) == date(2026, 11, 29)
    for typed in ("22-11-2026", "30-11-2026", "x"):
        with pytest.raises(InputError):
            wake_days.chosen(typed, sunday, 7)


# The account on a task


def account_of(house: Installation, task: int, moment: datetime, reader: Person | None = None) -> list[str]:
    with house.reading(moment) as reading:
        actor = make.actor(reading.session, reader) if reader else None
    with house.reading(moment, actor) as work:
        rows = task_account.of_task(work, work.session.get_one(MunicipalTask, task))
        return [f"{row.label}: {row.words}" for row in rows]


def upcoming(house: Installation, task: int, moment: datetime, reader: Person | None = None) -> str | None:
    with house.reading(moment) as reading:
        actor = make.actor(reading.session, reader) if reader else None
    with house.reading(moment, actor) as work:
        row = work.session.get_one(MunicipalTask, task)
        return task_account.upcoming(work, row, views.municipal_task_views(work, [row])[0])


def test_the_account_of_a_task_reads_as_the_issue_has_it(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        mette = make.person(work.session, "Mette Krog")
        jens, ali = make.person(work.session, "Jens Holm"), make.person(work.session, "Ali Bech")
        task = make.municipal_task(
            work.session, deadline=make.TODAY + 7 * DAY, responsible=mette, executor=jens
        )
        scanning.scan_deadlines(work)
        ids = dict(
            work.session.execute(
                select(Notice.person_id, Notice.id).where(Notice.occasion == "core.7-dage")
            ).all()
        )
        mailed(work, ids[mette.id], "sent", datetime(2026, 11, 21, 6, 2, tzinfo=UTC))
        mailed(work, ids[jens.id], "bounced")
        ledger.enqueue(
            work,
            [
                NoticeDraft(
                    occasion="core.7-dage",
                    dedupe_key=f"core.7-dage/mt={task.id}/v={task.deadline_version}",
                    recipient=Recipient(ali.id, ali.email, make.KOEGE, "udfører"),
                    heading="7 dage",
                    sentence="7 dage",
                    path=f"/opgaver/{task.id}",
                    municipal_task_id=task.id,
                    about_day=make.TODAY,
                    withdrawn=scanning.NO_LONGER_OPEN,
                )
            ],
        )
        task.status, task.completed_on = Status.COMPLETED.value, make.TODAY
        number = task.id
        supplier = make.person(work.session, level=Level.SUPPLIER, municipality=None, systems=("kp",))
        away = make.person(work.session, municipality=make.AARHUS)
        plus = make.person(work.session, "Plus Bruger")
    line = "7 dage til frist: Mette 21-11 07:02 afleveret · Jens retur · Ali springes over (fuldført)"
    assert account_of(house, number, make.NOW)[0] == line
    assert account_of(house, number, make.NOW, plus)[0] == line
    for stranger in (supplier, away):
        assert account_of(house, number, make.NOW, stranger) == []
    assert upcoming(house, number, make.NOW) is None, "nothing more comes of a completed task"


def test_the_next_reminder_and_to_whom(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        mette = make.person(work.session, "Mette Krog")
        # 21 days ahead: yellow after 14, 7 days before, and Saturday 12 December is no day for mails.
        task = make.municipal_task(work.session, deadline=date(2026, 12, 19), responsible=mette)
        supplier = make.person(work.session, level=Level.SUPPLIER, municipality=None, systems=("kp",))
        number = task.id
        task.yellow_from = date(2026, 12, 1)
    assert upcoming(house, number, make.NOW) == (
        "Opgaven er blevet gul, 1. december 2026 kl. 07.00 til Mette Krog"
    )
    later = datetime(2026, 12, 6, 9, tzinfo=UTC)
    assert upcoming(house, number, later) == "7 dage til frist, 14. december 2026 kl. 07.00 til Mette Krog"
    assert upcoming(house, number, later, supplier) is None
    with house.writing(later) as work:
        work.session.add(NoticeSettings(person_id=mette.id, hour=9, days_before="3,1"))
    assert upcoming(house, number, later) == "3 dage til frist, 16. december 2026 kl. 09.00 til Mette Krog"


@contextmanager
def counted(house: Installation) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_c: object, _k: object, statement: str, *_more: object) -> None:
        seen.append(statement)

    event.listen(house.database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(house.database.engine, "before_cursor_execute", note)


def test_the_account_takes_as_many_statements_for_many_as_for_one(house: Installation) -> None:
    counts = []
    with house.writing(make.NOW) as work:
        people = [make.person(work.session, f"Person {number}") for number in range(30)]
        small = make.municipal_task(work.session, deadline=make.TODAY + 9 * DAY, responsible=people[0])
        large = make.municipal_task(work.session, deadline=make.TODAY + 9 * DAY)
        large.responsible_role = "systemansvarlig"
        for person in people:
            work.session.add(
                RoleHolding(
                    municipality_id=make.KOEGE,
                    role="systemansvarlig",
                    person_id=person.id,
                    kind="indehaver",
                    is_primary=person is people[0],
                    valid_from=make.TODAY - DAY,
                )
            )
        ids = small.id, large.id
    for number in ids:
        with house.reading(make.NOW) as work:
            row = work.session.get_one(MunicipalTask, number)
            view = views.municipal_task_views(work, [row])[0]
            with counted(house) as seen:
                task_account.of_task(work, row)
                assert task_account.upcoming(work, row, view)
            counts.append(len(seen))
    print(f"the account and the next reminder on a task's page: {counts} statements")  # noqa: T201
    assert counts[0] == counts[1] <= 6


def test_the_bell_costs_no_statement_of_its_own(house: Installation, browser: Callable[..., Browser]) -> None:
    with house.writing(now()) as work:
        mette = make.person(work.session, email="mette@koege.example")
        for number in range(3):
            tell(work, mette, f"Nr. {number}")
    visitor = browser().sign_in("mette@koege.example")
    served: Installation = visitor.app.extensions["klik"]
    with counted(served) as seen:
        page = visitor.get("/roller")
    assert bell(page) == "Dine varsler 3 ulæste"
    assert sum("notices" in each for each in seen) == 1
    assert sum("login_sessions" in each and "notices" in each for each in seen) == 1


# Sending again


def test_a_mail_is_sent_again_after_a_question(house: Installation, browser: Callable[..., Browser]) -> None:
    with house.writing(now()) as work:
        mette = make.person(work.session, "Mette Krog", email="mette@koege.example")
        adm = make.person(
            work.session, level=Level.KOMBIT_ADMINISTRATOR, municipality=None, email="a@k.example"
        )
        back, doubt, none = (tell(work, mette, each) for each in ("Retur", "Uvist", "Ingen"))
        mailed(work, back, "bounced")
        mailed(work, doubt, "in_doubt")
        assert adm.id
    visitor = browser().sign_in("a@k.example")
    page = visitor.get("/varsler")
    assert "1 retur – se dem" in words(page)
    narrowed = visitor.get(page.find("a", string=lambda text: text and "se dem" in text)["href"])  # type: ignore[index]
    assert "klik: Retur" in words(narrowed)
    assert "550 5.1.1 findes ikke" in words(narrowed)
    assert f"<{back}@klik.example>" in words(narrowed)
    assert "klik: Uvist" not in words(narrowed)
    page = visitor.get(f"/varsler/{back}/send-igen")
    assert "Se efter, at adressen er rigtig" in words(page)
    assert "Mailen til mette@koege.example sendes igen." in words(
        visitor.submit(page, f"/varsler/{back}/send-igen")
    )
    assert "klik sender den selv én gang til" in words(visitor.get(f"/varsler/{doubt}/send-igen"))
    visitor.post(f"/varsler/{doubt}/send-igen", expect=422)
    visitor.get(f"/varsler/{none}/send-igen", expect=404)
    with house.reading(now()) as work:
        states = dict(work.session.execute(select(Mail.subject, Mail.state)).all())
    assert states == {"klik: Retur": "pending", "klik: Uvist": "in_doubt"}
    assert "Message-ID" not in words(browser().sign_in("mette@koege.example").get("/varsler"))


@pytest.mark.parametrize(
    ("query", "there", "said"),
    [
        ("modtager=krog", True, ""),
        ("modtager=KOEGE.example", True, ""),
        ("modtager=%25", False, ""),
        ("fra=i+dag", True, "Fra:"),
        ("til=2000-01-01", False, ""),
        ("fra=2099-01-01", False, ""),
        ("fra=2026-11-30&til=2026-11-01", False, "slutter 01-11-2026, før den begynder"),
        (f"modtager={'x' * 200}", False, "højst være på 100 tegn"),
        ("fra=%00", True, "Fra:"),
    ],
)
def test_the_account_is_narrowed(
    house: Installation, browser: Callable[..., Browser], query: str, there: bool, said: str
) -> None:
    with house.writing(now()) as work:
        mette = make.person(work.session, "Mette Krog", email="mette@koege.example")
        notice = tell(work, mette, "Om en rolle")
        work.session.execute(update(Notice).where(Notice.id == notice).values(read_at=work.now))
    page = words(browser().sign_in("mette@koege.example").get(f"/varsler?{query}"))
    assert ("Om en rolle" in page) == there
    assert said in page
