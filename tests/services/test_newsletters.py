"""Newsletters: whom they reach, that they go once, and that leaving them is final until somebody asks again."""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.policy import SMTP

import pytest
from sqlalchemy import event, func, select, update

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import (
    AuditEntry,
    BouncedAddress,
    Mail,
    Membership,
    Newsletter,
    NewsletterAddress,
    NewsletterRecipient,
    Notice,
    Person,
)
from klik.services.errors import ConflictError, ForbiddenError, NotFoundError, RefusedError
from klik.services.newsletters import account, archive, audience, letter, sending, subscribing, writing
from klik.services.newsletters.audience import Audience
from klik.services.newsletters.letter import Words
from klik.services.newsletters.links import Links
from klik.services.newsletters.sending import Post
from klik.services.notices import inbox, mails
from klik.services.notices.composing import compose
from klik.services.notices.mails import Sender
from klik.services.people import privacy
from klik.services.work import Work
from tests import make
from tests.make import AARHUS, HERNING, KOEGE, NOW

WORDS = Words("Nyt fra KP", "## Nyt\n\nLæs [vejledningen](https://kombit.dk/kp).\n\n- et\n- to\n")
POST = Post(Sender("klik@klik.example", "https://klik.example"), Links("https://klik.example", "s" * 40))


@pytest.fixture
def work(house: Installation) -> Iterator[Work]:
    """Work by KOMBIT's editor."""
    with house.writing(NOW) as system:
        editor = make.person(
            system.session, "Ellen Editor", level=Level.KOMBIT_EDITOR, email="ellen@kombit.example"
        )
        yield replace(system, actor=make.actor(system.session, editor))


def sent(work: Work, chosen: Audience | None = None, words: Words = WORDS) -> Newsletter:
    row = writing.begin(work, words, chosen or Audience())
    sending.send(work, row.id, row.version)
    return row


def mail_all(work: Work) -> int:
    made = 0
    while (more := sending.make_mails(work, POST)) is not None:
        made += more
    return made


def addresses(work: Work, chosen: Audience) -> list[str]:
    return [reader.address for reader in audience.readers(work, chosen) if reader.skipped is None]


# Whom


def test_administrators_and_plus_users_by_default(work: Work) -> None:
    for level in (Level.ADMINISTRATOR, Level.PLUS_USER, Level.USER, Level.READER):
        make.person(work.session, level.label, level=level, email=f"{level.value}@koege.example")
    make.person(work.session, "Lev", level=Level.SUPPLIER, email="lev@netcompany.example")
    gone = make.person(work.session, "Væk", level=Level.ADMINISTRATOR, email="vaek@koege.example")
    work.session.execute(update(Membership).where(Membership.person_id == gone.id).values(active=False))
    make.person(work.session, "Lukket", level=Level.ADMINISTRATOR, email="lukket@koege.example", active=False)
    assert sorted(addresses(work, Audience())) == ["administrator@koege.example", "plusbruger@koege.example"]
    assert addresses(work, Audience(levels=(Level.READER.value,))) == ["laeser@koege.example"]


def test_roles_primary_or_all_with_mailboxes(work: Work) -> None:
    primary = make.person(work.session, "Første", level=Level.READER, email="foerste@koege.example")
    second = make.person(work.session, "Anden", level=Level.READER, email="anden@koege.example")
    make.holding(work.session, "superbruger", holder=primary, municipality=KOEGE)
    make.holding(work.session, "superbruger", holder=second, municipality=KOEGE, primary=False)
    make.holding(work.session, "superbruger", mailbox="post@herning.example", municipality=HERNING)
    over = make.holding(work.session, "superbruger", mailbox="foer@aarhus.example", municipality=AARHUS)
    over.valid_from, over.valid_to = make.TODAY - timedelta(days=9), make.TODAY - timedelta(days=1)
    work.session.flush()
    everyone = Audience(levels=(), roles=("superbruger",), subscribers=False)
    assert sorted(addresses(work, everyone)) == [
        "anden@koege.example",
        "foerste@koege.example",
        "post@herning.example",
    ]
    assert sorted(addresses(work, replace(everyone, holders=audience.PRIMARY))) == [
        "foerste@koege.example",
        "post@herning.example",
    ]


def test_an_audience_against_an_oracle(work: Work) -> None:
    """Levels, system, region and wave in every mixture, reckoned here with sets alone."""
    session, dice = work.session, random.Random(7)
    regions = dict(session.execute(select(make.Municipality.id, make.Municipality.region)).all())
    waves = [make.wave(session, "b1"), make.wave(session, "b2")]
    codes = dice.sample(sorted(regions), 20)
    has: dict[int, set[str]] = {code: set() for code in codes}
    in_wave: dict[int, str] = {}
    people: list[tuple[str, str, int, tuple[str, ...]]] = []
    for code in codes:
        if dice.random() < 0.5:
            make.has_system(session, code, "kp")
            has[code].add("kp")
        if dice.random() < 0.6:
            wave = dice.choice(waves)
            make.has_system(session, code, "ky", wave=wave)
            has[code].add("ky")
            in_wave[code] = f"ky/{wave.slug}"
        for level in (Level.ADMINISTRATOR, Level.PLUS_USER, Level.USER):
            systems = dice.choice([(), ("kp",), ("ky",)]) if level is Level.PLUS_USER else ()
            email = f"{level.value}{code}@klik.example"
            make.person(session, "P", level=level, municipality=code, email=email, systems=systems)
            people.append((email, level.value, code, systems))
    for _round in range(40):
        chosen = Audience(
            levels=tuple(dice.sample(audience.LEVELS, 2)),
            systems=tuple(dice.sample(["kp", "ky"], dice.randrange(3))),
            regions=tuple(dice.sample(sorted(set(regions.values())), dice.randrange(4))),
            waves=tuple(dice.sample(["ky/b1", "ky/b2"], dice.randrange(2))),
        )
        expected = {
            email
            for email, level, code, systems in people
            if level in chosen.levels
            and (not chosen.regions or regions[code] in chosen.regions)
            and (not chosen.systems or has[code] & set(chosen.systems))
            and (not chosen.waves or in_wave.get(code) in chosen.waves)
            and not (chosen.systems and systems and not set(systems) & set(chosen.systems))
        }
        assert set(addresses(work, chosen)) == expected, chosen


def test_one_mail_an_address_and_those_left_out_are_counted(work: Work) -> None:
    session = work.session
    both = make.person(session, "Begge", level=Level.ADMINISTRATOR, email="begge@koege.example")
    make.holding(session, "superbruger", holder=both, municipality=KOEGE)
    make.holding(session, "superbruger", mailbox="Begge@Koege.example", municipality=KOEGE, primary=False)
    make.person(session, "Nej", email="nej@koege.example")
    make.person(session, "Retur", email="retur@koege.example")
    make.person(session, "Blød", email="bloed@koege.example")
    subscribing.leave(work, "nej@koege.example")
    subscribing.confirm(work, "ude@firma.example", NOW)
    subscribing.confirm(work, "begge@koege.example", NOW)
    for address, state in (("retur@koege.example", "haard"), ("bloed@koege.example", "blod")):
        session.add(
            BouncedAddress(address_key=address, state=state, count=1, first_at=NOW, last_at=NOW, reply="550")
        )
    session.flush()
    found = audience.readers(work, Audience(roles=("superbruger",)))
    assert Counter(reader.address.casefold() for reader in found).most_common(1)[0][1] == 1
    assert audience.count(found).sentence == (
        "3 modtagere i 1 kommune og 1 uden for kommunerne; 1 har frameldt sig; 1 adresse kommer retur"
    )
    assert {reader.address: reader.reason for reader in found}[
        "begge@koege.example"
    ] == "er administrator i Køge"


# What may be written


@pytest.mark.parametrize(
    ("words", "field", "sentence"),
    [
        (Words("", "x"), "subject", "Emne skal udfyldes."),
        (Words("Nyt\r\nBcc: alle@kommune.dk", "x"), "subject", "Emne må kun fylde én linje."),
        (Words("x" * 151, "x"), "subject", "Emne må højst fylde 150 tegn; du har skrevet 151."),
        (
            Words("Om 010190-1234", "x"),
            "subject",
            "Emne ser ud til at indeholde et CPR-nummer, og CPR-numre hører ikke hjemme i klik. Fjern nummeret.",
        ),
        (
            Words("x", "Hej\n\nom 010190-1234"),
            "body",
            (
                "Tekst ser ud til at indeholde et CPR-nummer i linje 3, og CPR-numre hører ikke hjemme i klik. "
                "Fjern nummeret."
            ),
        ),
        (
            Words("x", "Se ![kort](https://x.dk/kort.png)"),
            "body",
            "Tekst: billeder kan ikke være i et nyhedsbrev. Skriv et link til billedet i stedet.",
        ),
        (Words("x", "x " * 10_001), "body", "Tekst må højst fylde 20.000 tegn; du har skrevet 20.001."),
        (Words("x", "> " * 30 + "x"), "body", "20 niveauer"),
        (Words("x", "nul\0"), "body", "Tekst indeholder et tegn, der ikke kan gemmes"),
    ],
)
def test_what_cannot_be_written(work: Work, words: Words, field: str, sentence: str) -> None:
    with pytest.raises(RefusedError) as refused:
        writing.begin(work, words, Audience())
    assert sentence in refused.value.problems[field]
    assert work.session.scalar(select(func.count()).select_from(Newsletter)) == 0


def test_an_audience_of_nobody_unknown_or_endless(work: Work) -> None:
    for chosen, field, sentence in (
        (Audience(levels=(), subscribers=False), "levels", "vælg mindst ét niveau"),
        (Audience(levels=("konge",)), "levels", "vælg niveauer på listen"),
        (Audience(levels=(Level.KOMBIT_ADMINISTRATOR.value,)), "levels", "vælg niveauer på listen"),
        (Audience(roles=("x" * 4_000,)), "levels", "højst 4.000 tegn"),
        (Audience(regions=("Skåne",)), "regions", "“Skåne” kendes ikke"),
        (Audience(waves=("ky/b9",)), "waves", "kendes ikke"),
    ):
        with pytest.raises(RefusedError) as refused:
            writing.begin(work, WORDS, chosen)
        assert sentence in refused.value.problems[field]
    row = writing.begin(work, WORDS, Audience(levels=(Level.READER.value,), subscribers=False))
    with pytest.raises(RefusedError, match="ingen modtagere"):
        sending.send(work, row.id, row.version)
    assert Audience.parse("ikke json") == Audience(levels=(), subscribers=False)


def test_two_who_write_at_once_and_what_is_sent_stays(work: Work) -> None:
    make.person(work.session)
    row = writing.begin(work, WORDS, Audience())
    first = row.version
    writing.save(work, row.id, first, replace(WORDS, subject="Rettet"), Audience())
    with pytest.raises(ConflictError) as conflict:
        writing.save(work, row.id, first, replace(WORDS, subject="Mit"), Audience(subscribers=False))
    assert [(each.field, each.mine, each.theirs) for each in conflict.value.differences] == [
        ("Emne", "Mit", "Rettet"),
        ("Modtagere", "Dit valg i formularen", "Et andet valg"),
    ]
    assert conflict.value.who == "Ellen Editor"
    with pytest.raises(ConflictError):
        sending.send(work, row.id, first)
    sending.send(work, row.id, row.version)
    for act in (
        lambda: writing.save(work, row.id, row.version, WORDS, Audience()),
        lambda: sending.send(work, row.id, row.version),
        lambda: sending.unplan(work, row.id),
    ):
        with pytest.raises(RefusedError):
            act()
    assert writing.copy(work, row.id).subject == "Kopi af Rettet"
    verbs = work.session.scalars(select(AuditEntry.action).where(AuditEntry.action.startswith("nyhedsbrev")))
    assert list(verbs) == ["nyhedsbrev-opret", "nyhedsbrev-ret", "nyhedsbrev-send", "nyhedsbrev-opret"]


def test_only_those_who_publish_write(work: Work) -> None:
    row = sent_to_one(work)
    reader = replace(
        work, actor=make.actor(work.session, make.person(work.session, level=Level.ADMINISTRATOR))
    )
    for act in (
        lambda: writing.begin(reader, WORDS, Audience()),
        lambda: sending.send(reader, row.id, 1),
        lambda: account.lines(reader, row.id),
        lambda: sending.make_public(reader, row.id, public=True),
        lambda: sending.trial(reader, POST, row.id),
    ):
        with pytest.raises(ForbiddenError):
            act()


def sent_to_one(work: Work) -> Newsletter:
    make.person(work.session, email="en@koege.example")
    return sent(work)


def test_who_reads_what(work: Work) -> None:
    row, draft = sent_to_one(work), writing.begin(work, WORDS, Audience())
    reader = replace(work, actor=make.actor(work.session, make.person(work.session, level=Level.READER)))
    nobody = replace(work, actor=None)
    assert archive.letter(reader, row.id) is row
    assert [each.id for each in archive.sent(reader, 1)] == [row.id]
    assert archive.under_way(reader) == ()
    for who, letter_id in ((reader, draft.id), (nobody, draft.id), (nobody, row.id)):
        with pytest.raises(NotFoundError):
            archive.letter(who, letter_id)
    assert archive.count_sent(nobody) == 0
    sending.make_public(work, row.id, public=True)
    assert archive.letter(nobody, row.id) is row
    with pytest.raises(RefusedError):
        sending.make_public(work, draft.id, public=True)


# The mail


def test_the_mail_can_be_left_with_one_press_and_says_why_it_came(work: Work) -> None:
    make.person(work.session, "Mette <b>", level=Level.ADMINISTRATOR, email="mette@koege.example")
    row = sent(work, words=Words("Nyt & gammelt", WORDS.body))
    assert mail_all(work) == 1
    mail = work.session.scalars(select(Mail)).one()
    message = message_from_bytes(mail.content, policy=SMTP)
    leave = POST.links.leave("mette@koege.example")
    # Mail programs do not decode it: it stands as it is, on one line, also when the mail is sent again.
    for content in (mail.content, mails.resent(mail.content)):
        assert f"List-Unsubscribe: <{leave}>\r\n".encode() in content
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Subject"] == "Nyt & gammelt"
    text = message.get_body(("plain",)).get_content()
    html = message.get_body(("html",)).get_content()
    for part in (text, html):
        assert "er administrator i Køge" in part
        assert leave in part
        assert POST.links.letter(row.id) in part
        assert "Læs i browser" in part
    assert "vejledningen (https://kombit.dk/kp)" in text
    assert 'lang="da"' in html
    assert "<style" not in html
    assert "Nyt &amp; gammelt" in html
    assert POST.links.address_to_leave(leave.rpartition("/")[2]) == "mette@koege.example"


def test_no_other_mail_has_the_headers(work: Work) -> None:
    from klik.services.notices.composing import compose
    from klik.services.people import new_passwords

    make.person(work.session, email="mette@koege.example")
    new_passwords.forgot(work, "mette@koege.example")
    work.session.flush()
    compose(work.as_system(), POST.sender)
    subscribing.ask(work, POST, "ny@firma.example", "127.0.0.1")
    contents = work.session.scalars(select(Mail.content)).all()
    assert len(contents) == 2
    assert not [content for content in contents if b"list-unsubscribe" in content.lower()]


def test_a_trial_goes_to_oneself_alone(work: Work) -> None:
    row = writing.begin(work, WORDS, Audience())
    assert sending.trial(work, POST, row.id) == "ellen@kombit.example"
    mail = work.session.scalars(select(Mail)).one()
    assert (mail.address, mail.subject) == ("ellen@kombit.example", "[Prøve] Nyt fra KP")
    assert work.session.scalar(select(func.count()).select_from(NewsletterRecipient)) == 0
    assert row.state == writing.DRAFT


# Once, whatever happens between


def test_a_crash_between_two_batches_is_resumed_and_nobody_gets_two(
    house: Installation, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sending, "BATCH", 3)
    with house.writing(NOW) as work:
        editor = make.person(work.session, level=Level.KOMBIT_EDITOR)
        for number in range(20):
            make.person(work.session, email=f"p{number}@koege.example")
        by = replace(work, actor=make.actor(work.session, editor))
        row = writing.begin(by, WORDS, Audience())
        sending.send(by, row.id, row.version)
    dice = random.Random(3)
    crashes = 0

    class KilledError(Exception):
        pass

    for _round in range(12):
        left = iter(range(dice.randrange(1, 14), 0, -1))

        def kill(_c: object, _k: object, statement: str, *_more: object, left: Iterator[int] = left) -> None:
            if not statement.startswith("BEGIN") and next(left) == 1:
                raise KilledError

        event.listen(house.database.engine, "after_cursor_execute", kill)
        with pytest.raises(KilledError):
            sending.send_all(house.writing, NOW, POST)
        event.remove(house.database.engine, "after_cursor_execute", kill)
        crashes += 1
        with house.reading(NOW) as work:
            if work.session.scalar(select(func.count()).select_from(Mail)) > 14:
                break
    done = sending.send_all(house.writing, NOW, POST)
    again = sending.send_all(house.writing, NOW, POST)
    with house.reading(NOW) as work:
        got = Counter(work.session.scalars(select(Mail.address)))
        mailed = work.session.scalar(select(Newsletter.mailed_at))
    assert len(got) == 20
    assert set(got.values()) == {1}
    assert mailed == NOW
    assert again.mails == 0
    with capsys.disabled():
        sys.stdout.write(
            f"\nNewsletters: {crashes} kills while mails are made, the last round made {done.mails}: "
            f"{20 - len(got)} of 20 lost, {sum(got.values()) - len(got)} doubled\n"
        )


def test_frozen_readers_stay_as_they_were_but_who_leaves_gets_nothing(work: Work) -> None:
    make.person(work.session, email="bliver@koege.example")
    gone = make.person(work.session, email="stopper@koege.example")
    make.person(work.session, email="nej@koege.example")
    row = sent(work)
    make.person(work.session, email="for.sent@koege.example")
    gone.active = False
    subscribing.leave(work, "nej@koege.example")
    mail_all(work)
    assert list(work.session.scalars(select(Mail.address))) == ["bliver@koege.example"]
    assert account.account(work, row.id).sentence == (
        "1 sendt: 1 venter; 1 havde frameldt sig; 1 ikke længere aktive"
    )


def test_planned_letters_go_when_their_time_comes_and_can_be_withdrawn(
    house: Installation, work: Work
) -> None:
    make.person(work.session, email="en@koege.example")
    first, second = (writing.begin(work, WORDS, Audience()) for _letter in range(2))
    with pytest.raises(RefusedError, match="allerede passeret"):
        sending.plan(work, first.id, first.version, NOW)
    for row in (first, second):
        sending.plan(work, row.id, row.version, NOW + timedelta(hours=1))
    sending.unplan(work, second.id)
    assert sending.due(work) == []
    later = replace(work, now=NOW + timedelta(hours=2), actor=None)
    assert list(sending.due(later)) == [first.id]
    assert sending.send_due(later, first.id) == 1
    assert sending.send_due(later, first.id) is None
    assert (first.state, first.sent_by, second.state) == ("sendt", work.actor.person_id, "kladde")  # type: ignore[union-attr]


def test_a_planned_letter_that_cannot_go_tells_who_planned_it(house: Installation) -> None:
    with house.writing(NOW) as work:
        editor = make.person(work.session, level=Level.KOMBIT_EDITOR)
        by = replace(work, actor=make.actor(work.session, editor))
        row = writing.begin(by, WORDS, Audience(subscribers=False))
        sending.plan(by, row.id, row.version, NOW + timedelta(hours=1))
        letter_id, editor_id = row.id, editor.id
    for _round in range(2):
        sending.send_all(house.writing, NOW + timedelta(hours=2), POST)
    with house.reading(NOW) as work:
        told = work.session.execute(select(Notice.person_id, Notice.path, Notice.sentence)).all()
        assert [(person, path) for person, path, _words in told] == [(editor_id, f"/nyhedsbreve/{letter_id}")]
        assert "ingen modtagere" in told[0].sentence
        assert "ingen modtagere" in (work.session.get_one(Newsletter, letter_id).problem or "")


# Leaving and asking


def test_leaving_holds_back_what_has_not_gone_and_lasts(work: Work) -> None:
    make.person(work.session, email="mette@koege.example")
    row = sent(work)
    mail_all(work)
    for _press in range(2):
        subscribing.leave(work, "mette@koege.example")
    assert list(work.session.scalars(select(Mail.state))) == ["stale"]
    assert account.account(work, row.id).sentence == "1 sendt: 1 holdt tilbage; 1 har frameldt sig siden"
    assert addresses(work, Audience()) == []
    subscribing.come_back(work, "mette@koege.example")
    assert addresses(work, Audience()) == ["mette@koege.example"]


def test_signing_up_needs_the_link_and_never_undoes_a_later_no(work: Work) -> None:
    subscribing.ask(work, POST, " Ny@Firma.example ", "127.0.0.1")
    assert addresses(work, Audience()) == []
    token = POST.links.confirm("ny@firma.example", NOW).rpartition("/")[2]
    asked = POST.links.address_to_confirm(token, NOW + timedelta(days=6))
    assert asked == ("ny@firma.example", NOW)
    assert POST.links.address_to_confirm(token, NOW + timedelta(days=8)) is None
    assert subscribing.confirm(work, *asked)
    assert addresses(work, Audience()) == ["ny@firma.example"]
    later = replace(work, now=NOW + timedelta(hours=1))
    subscribing.leave(later, "ny@firma.example")
    assert not subscribing.confirm(later, *asked)
    assert addresses(work, Audience()) == []
    # Asking again is not yet wanting it again.
    at = replace(work, now=NOW + timedelta(hours=2))
    subscribing.ask(at, POST, "ny@firma.example", "127.0.0.1")
    assert addresses(work, Audience()) == []
    assert subscribing.confirm(at, "ny@firma.example", at.now)
    assert addresses(work, Audience()) == ["ny@firma.example"]


def test_nobody_fills_an_inbox_by_asking(work: Work) -> None:
    for _press in range(10):
        subscribing.ask(work, POST, "offer@firma.example", "127.0.0.1")
    assert work.session.scalar(select(func.count()).select_from(Mail)) == subscribing.MOST_MAILS
    for number in range(40):
        subscribing.ask(work, POST, f"offer{number}@firma.example", "127.0.0.1")
    made = work.session.scalar(select(func.count()).select_from(Mail))
    assert made == subscribing.MOST_MAILS + subscribing.MOST_FROM_ONE_PLACE - 10
    later = replace(work, now=NOW + timedelta(days=8))
    assert subscribing.sweep(later) == 1 + subscribing.MOST_FROM_ONE_PLACE - 10


def test_links_are_for_one_purpose_and_one_address(work: Work) -> None:
    leave = POST.links.leave("mette@koege.example").rpartition("/")[2]
    confirm = POST.links.confirm("mette@koege.example", NOW).rpartition("/")[2]
    assert POST.links.address_to_leave(confirm) is None
    assert POST.links.address_to_confirm(leave, NOW) is None
    other = Links("https://klik.example", "t" * 40)
    assert other.address_to_leave(leave) is None
    for forged in (
        leave[:-1],
        leave + "x",
        "x" + leave,
        "",
        "." * 50,
        "ø",
        "x" * 5_000,
        leave.replace(".", ""),
    ):
        assert POST.links.address_to_leave(forged) is None


def test_what_is_kept_of_a_person_is_shown_and_forgotten(work: Work) -> None:
    person = make.person(work.session, email="mette@koege.example")
    sent(work)
    mail_all(work)
    subscribing.leave(work, "mette@koege.example")
    facts = privacy.facts_about(work, person) if hasattr(privacy, "facts_about") else {}
    assert not facts or facts["nyhedsbreve_valg"]
    privacy.anonymise(work, person)
    for column in (NewsletterAddress.address_key, NewsletterRecipient.address, Mail.address, Person.email):
        assert "mette@koege.example" not in set(work.session.scalars(select(column)))


def test_the_statements_do_not_grow_with_the_readers(house: Installation) -> None:
    def freezing(readers: int) -> int:
        with house.writing(NOW) as work:
            editor = make.person(work.session, level=Level.KOMBIT_EDITOR)
            for _reader in range(readers):
                make.person(work.session)
            by = replace(work, actor=make.actor(work.session, editor))
            row = writing.begin(by, WORDS, Audience(roles=("superbruger",), systems=(), subscribers=True))
            seen: list[str] = []
            event.listen(
                house.database.engine, "before_cursor_execute", count := lambda *args: seen.append(args[2])
            )
            sending.send(by, row.id, row.version)
            event.remove(house.database.engine, "before_cursor_execute", count)
            return len(seen)

    few = freezing(2)
    assert freezing(60) == few
    assert few < 25


def test_the_text_of_a_letter_in_a_mail_without_html() -> None:
    from klik.domain.markdown_text import markdown_text

    assert markdown_text(
        "# Nyt\n\nHej **alle** _sammen_\n2. linje\n\n## Datoer\n\n1. et\n2. to [her](https://a.dk/x)\n   - inde\n\n"
        "> citat\n\n| a | b |\n|---|---|\n| 1 | [x](https://b.dk) |\n\n---\n\n`kode` <b>\n\nhttps://c.dk "
        "<mailto:a@b.dk>"
    ) == (
        "Nyt\n===\n\nHej alle sammen\n2. linje\n\nDatoer\n------\n\n1. et\n2. to her (https://a.dk/x)\n  - inde\n\n"
        "> citat\n\na | b\n1 | x (https://b.dk)\n\n----------------------------------------\n\nkode <b>\n\n"
        "https://c.dk a@b.dk"
    )


def test_a_letter_is_rendered_once_for_everybody(work: Work) -> None:
    edition = letter.edition(work, 1, WORDS, POST.links)
    one, two = edition.to("er <b> & c", "https://x/1"), edition.to("to", "https://x/2")
    assert "er &lt;b&gt; &amp; c" in one.html
    assert "er <b> & c" in one.text
    assert one.html.replace("er &lt;b&gt; &amp; c", "to").replace("x/1", "x/2") == two.html


def test_it_lies_in_the_inbox_of_those_who_are_people_of_klik(work: Work) -> None:
    anna = make.person(work.session, "Anna", level=Level.PLUS_USER, email="anna@koege.example")
    make.holding(work.session, "superbruger", mailbox="post@herning.example", municipality=HERNING)
    row = sent(work, Audience(roles=("superbruger",)))
    mail_all(work)
    (line,) = work.session.scalars(select(Notice).where(Notice.occasion == "nyhedsbrev"))
    assert (line.person_id, line.municipality_id, line.heading) == (anna.id, KOEGE, WORDS.subject)
    assert line.path == f"/nyhedsbreve/{row.id}"
    assert line.mail_id is not None
    # No second mail, and a mail that is made once more is the same line's.
    assert not compose(work, POST.sender).mails
    work.session.execute(update(NewsletterRecipient).values(mail_id=None))
    work.session.refresh(row)
    row.mailed_at = None
    mail_all(work)
    first = line.mail_id
    work.session.refresh(line)
    assert line.mail_id > first
    assert work.session.scalar(select(func.count()).select_from(Mail)) == 4
    mine = replace(work, actor=make.actor(work.session, anna))
    (shown,) = inbox.letters(mine)
    assert (shown.next, shown.mail) == ("Læs nyhedsbrevet", "kommer med den næste mail")
