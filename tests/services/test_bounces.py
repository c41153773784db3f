"""Mails that come back: read right, matched with what was sent, and nothing forged has an effect."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import Bounce, BouncedAddress, Mail, Municipality, Notice
from klik.services import access
from klik.services.notices import scanning
from klik.services.notices.bounces import acting, marks, telling, verp
from klik.services.notices.ledger import NoticeDraft, enqueue
from klik.services.notices.recipients import Recipient
from tests import make
from tests.services import bounce_samples
from tests.services.bounce_samples import About

SECRET = "x9" * 20
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def mail(house: Installation, number: int, to: str = "jens@koege.example") -> About:
    """A mail that has been handed over, to come back."""
    message_id = f"<m{number}@klik.example>"
    content = bounce_samples._mail(message_id, to)
    with house.database.writing() as session:
        row = Mail(
            message_id=message_id,
            channel="core.mail",
            address=to,
            subject="klik",
            content=content,
            state="sent",
            attempts=1,
            next_attempt_at=make.NOW,
            created_at=make.NOW,
            expires_at=make.NOW,
            sent_at=make.NOW,
        )
        session.add(row)
        session.flush()
        path = verp.return_path("klik@klik.example", SECRET, row.id)
    assert path
    return About(to, path, message_id, content)


@pytest.fixture
def about(house: Installation) -> Iterator[About]:
    return mail(house, 1)


def test_the_corpus(house: Installation, about: About, capsys: pytest.CaptureFixture[str]) -> None:
    samples = bounce_samples.all_of(about)
    assert len({sample.raw for sample in samples}) == len(samples) >= 60
    wrong = []
    for sample in samples:
        with house.database.writing() as session:
            session.query(Bounce).delete()
        with house.writing(make.NOW) as work:
            bounce = acting.receive(work, sample.raw, SECRET)
            assert bounce is not None
            found = (bounce.kind, bounce.mail_id is not None)
        if found != (sample.kind, sample.ours):
            wrong.append((sample.name, found))
    assert wrong == []
    accepted = 0
    with house.database.writing() as session:
        session.query(BouncedAddress).delete()
        session.query(Bounce).delete()
    other = mail(house, 2, "mette@greve.example").return_path.partition("+")[2].partition("@")[0]
    forged = list(bounce_samples.forged(about, other))
    for sample in forged:
        with house.writing(make.NOW) as work:
            bounce = acting.receive(work, sample.raw, SECRET)
            assert bounce is not None
            accepted += bounce.kind != "ukendt" or bounce.mail_id is not None
    with house.database.reading() as session:
        accepted += len(session.scalars(select(BouncedAddress)).all())
    assert accepted == 0
    with capsys.disabled():
        print(  # noqa: T201 - the figure is the point
            f"\nN6 {len(samples)} messages of six mail servers: {len(samples) - len(wrong)} right; "
            f"{len(forged)} forged: {accepted} accepted"
        )


def states(house: Installation) -> list[tuple[str, str, int]]:
    with house.database.reading() as session:
        rows = session.scalars(select(BouncedAddress).order_by(BouncedAddress.address_key))
        return [(row.address_key, row.state, row.count) for row in rows]


def come_back(house: Installation, about: About, now: datetime, words: str, **more: str) -> Bounce | None:
    status = words.split()[1]
    raw = bounce_samples.report(about, status=status, diagnostic=f"{words} {now.isoformat()}", **more)
    with house.writing(now) as work:
        return acting.receive(work, raw, SECRET)


HARD, FULL = "550 5.1.1 findes ikke", "552 5.2.2 fuld"


def test_a_hard_bounce_marks_the_address_and_tells_the_administrator_once(house: Installation) -> None:
    with house.database.writing() as session:
        jens = make.person(session, "Jens Holm", email="Jens@koege.example")
        admin = make.person(session, "Anna", email="anna@koege.example", level=Level.ADMINISTRATOR)
        make.person(session, "Gitte", email="gitte@kombit.example", level=Level.KOMBIT_ADMINISTRATOR)
        ids = (jens.id, admin.id)
    about = mail(house, 1, "Jens@koege.example")
    come_back(house, about, make.NOW, HARD)
    come_back(house, mail(house, 2, "Jens@koege.example"), make.NOW + HOUR, HARD)
    assert states(house) == [("jens@koege.example", "haard", 2)]
    with house.database.reading() as session:
        assert set(session.scalars(select(Mail.state))) == {"bounced"}
        (notice,) = session.scalars(select(Notice)).all()
        assert (notice.person_id, notice.occasion) == (ids[1], "retur")
        assert notice.heading == "Mails til Jens Holm kommer retur"
        assert "findes ikke" in notice.sentence
        assert notice.path.startswith("/personer/")


def test_the_same_message_counts_once(house: Installation, about: About) -> None:
    assert come_back(house, about, make.NOW, HARD)
    assert come_back(house, about, make.NOW, HARD) is None
    assert states(house) == [("jens@koege.example", "haard", 1)]


@pytest.mark.parametrize("place", ["alone", "administrator is dead", "KOMBIT's own"])
def test_where_no_administrator_is_reached_kombit_is_told(house: Installation, place: str) -> None:
    kombit = place == "KOMBIT's own"
    with house.database.writing() as session:
        level = Level.KOMBIT_EDITOR if kombit else Level.ADMINISTRATOR
        make.person(session, "Jens Holm", email="jens@koege.example", level=level)
        gitte = make.person(session, "Gitte", email="g@kombit.example", level=Level.KOMBIT_ADMINISTRATOR)
        if place == "administrator is dead":
            make.person(session, "Anna", email="anna@koege.example", level=Level.ADMINISTRATOR)
            mark = {"state": "haard", "count": 1, "first_at": make.NOW, "last_at": make.NOW, "reply": "x"}
            session.add(BouncedAddress(address_key="anna@koege.example", **mark))
        told = gitte.id
    come_back(house, mail(house, 1), make.NOW, HARD)
    with house.database.reading() as session:
        assert session.scalars(select(Notice.person_id)).all() == [told]


def test_a_full_mailbox_is_tried_again_and_marked_soft(house: Installation) -> None:
    about = mail(house, 1)
    with house.database.writing() as session:
        session.execute(update(Mail).values(expires_at=make.NOW + 3 * DAY))
    come_back(house, about, make.NOW, FULL)
    with house.database.reading() as session:
        (row,) = session.scalars(select(Mail)).all()
        assert row.state == "pending"
        assert 4 * HOUR <= row.next_attempt_at - make.NOW <= 5 * HOUR
    assert states(house) == [("jens@koege.example", "blod", 1)]


@pytest.mark.parametrize(
    ("days", "last"),
    [((0, 1, 2), "blod"), ((0, 1), "blod"), ((0, 2, 3), "haard"), ((0, 4), "blod"), ((0, 1, 2, 5), "haard")],
)
def test_three_soft_ones_over_three_days_are_a_hard_one(
    house: Installation, days: tuple[int, ...], last: str
) -> None:
    for number, day in enumerate(days):
        come_back(house, mail(house, number), make.NOW + day * DAY, FULL)
    assert states(house) == [("jens@koege.example", last, len(days))]


def test_a_mail_that_arrived_in_between_begins_the_count_anew(house: Installation) -> None:
    come_back(house, mail(house, 1), make.NOW, FULL)
    come_back(house, mail(house, 2), make.NOW + DAY, FULL)
    mail(house, 3)
    with house.database.writing() as session:
        session.execute(
            update(Mail).where(Mail.message_id == "<m3@klik.example>").values(sent_at=make.NOW + 2 * DAY)
        )
    come_back(house, mail(house, 4), make.NOW + 10 * DAY, FULL)
    assert states(house) == [("jens@koege.example", "blod", 1)]


@pytest.mark.parametrize(("days", "left"), [(6, 1), (8, 0)])
def test_a_week_after_a_mail_that_arrived_the_soft_mark_goes(
    house: Installation, days: int, left: int
) -> None:
    come_back(house, mail(house, 1), make.NOW, FULL)
    mail(house, 2)
    with house.database.writing() as session:
        session.execute(
            update(Mail).where(Mail.message_id == "<m2@klik.example>").values(sent_at=make.NOW + HOUR)
        )
    with house.writing(make.NOW + days * DAY) as work:
        marks.forgive(work)
    assert len(states(house)) == left


@pytest.mark.parametrize("action", ["delayed", "relayed", "expanded"])
def test_what_is_still_under_way_is_noted_only(house: Installation, about: About, action: str) -> None:
    bounce = come_back(house, about, make.NOW, "451 4.4.1 senere", action=action)
    assert bounce is not None
    assert bounce.mail_id is not None
    assert states(house) == []
    with house.database.reading() as session:
        assert session.scalar(select(Mail.state)) == "sent"


def test_what_the_mail_told_is_told_anew_to_those_that_mails_reach(house: Installation) -> None:
    with house.database.writing() as session:
        jens = make.person(session, "Jens Holm", email="jens@koege.example")
        anna = make.person(session, "Anna", email="anna@koege.example", level=Level.ADMINISTRATOR)
        task = make.municipal_task(session, deadline=make.TODAY - DAY, responsible=jens)
        ids = jens.id, anna.id, task.id
    with house.writing(make.NOW) as work:
        scanning.scan_deadlines(work)
    about = mail(house, 1)
    with house.database.writing() as session:
        carrier = session.scalar(select(Mail.id))
        session.execute(update(Notice).values(mail_id=carrier))
    come_back(house, about, make.NOW + HOUR, HARD)
    with house.database.reading() as session:
        told = session.scalars(
            select(Notice).where(Notice.municipal_task_id == ids[2]).order_by(Notice.id)
        ).all()
        assert [notice.person_id for notice in told] == [ids[0], ids[1]]
        assert told[1].reason.endswith("i stedet for Jens Holm, hvis mails kommer retur")
        assert told[1].dedupe_key == told[0].dedupe_key.replace(f"/p{ids[0]}", f"/p{ids[1]}")


def test_a_link_to_a_password_is_never_told_to_another(house: Installation) -> None:
    with house.database.writing() as session:
        jens = make.person(session, "Jens Holm", email="jens@koege.example")
        make.person(session, "Anna", email="anna@koege.example", level=Level.ADMINISTRATOR)
        jens_id = jens.id
    about = mail(house, 1)
    with house.writing(make.NOW) as work:
        to = Recipient(jens_id, "jens@koege.example", make.KOEGE, "selv")
        for occasion in (access.SECRET_OCCASION, access.MENTION, access.OWN_OCCASION, "eksport-klar"):
            draft = NoticeDraft(
                occasion=occasion,
                dedupe_key=occasion,
                recipient=to,
                heading="h",
                sentence="hemmeligt",
                path="/",
            )
            enqueue(work, [draft])
        work.session.execute(update(Notice).values(mail_id=work.session.scalar(select(Mail.id))))
    come_back(house, about, make.NOW, HARD)
    with house.database.reading() as session:
        others = session.scalars(select(Notice).where(Notice.person_id != jens_id)).all()
        assert [notice.occasion for notice in others] == ["retur"]
        assert "hemmeligt" not in others[0].sentence


def test_no_municipality_without_anybody_reachable_goes_unflagged(
    house: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    with house.database.writing() as session:
        make.person(session, "Gitte", email="g@kombit.example", level=Level.KOMBIT_ADMINISTRATOR)
        for code in range(801, 801 + 98 - session.scalar(select(func.count()).select_from(Municipality))):
            session.add(Municipality(id=code, name=f"By {code}", name_key=str(code), region="Nord"))
        session.flush()
        places = session.scalars(select(Municipality).where(Municipality.active.is_(True))).all()
        lost = set()
        for number, place in enumerate(places):
            if number % 4 == 0:
                lost.add(place.id)
                continue
            make.person(
                session, email=f"p{number}@by.example", municipality=place.id, level=Level.ADMINISTRATOR
            )
            if number % 4 == 1:
                lost.add(place.id)
                mark = {"state": "haard", "count": 1, "first_at": make.NOW, "last_at": make.NOW, "reply": "x"}
                session.add(BouncedAddress(address_key=f"p{number}@by.example", **mark))
    for _twice in range(2):
        with house.writing(make.NOW) as work:
            telling.watch(work)
    with house.database.reading() as session:
        told = session.scalars(select(Notice.municipality_id)).all()
    assert sorted(told) == sorted(lost)
    assert len(places) == 98
    with capsys.disabled():
        print(  # noqa: T201 - the figure is the point
            f"\nN6 {len(places)} municipalities, {len(lost)} without a reachable recipient: "
            f"{len(lost - set(told))} unflagged"
        )
