"""What mails say, word for word. A wanted change is made in the snapshot too, where a reviewer sees it."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from klik.domain.deadlines import Colour
from klik.services.notices import mails
from klik.services.notices.mails import Line, Section, Sender
from tests import make

SNAPSHOTS = Path(__file__).parent / "snapshots"
SENDER = Sender("klik@klik.example", "https://klik.example")


def line(number: int, colour: Colour | None, heading: str, sentence: str, reason: str = "ansvarlig") -> Line:
    return Line(heading, sentence, reason, f"https://klik.example/opgaver/{number}", colour)


RED = line(
    1,
    Colour.RED,
    "Rød: MI 15 Udarbejd jobfunktionsroller for KP",
    "Fristen var fredag den 20. november 2026, 1 dag siden, og opgaven er ikke fuldført.",
)
YELLOW = line(
    2,
    Colour.YELLOW,
    "Frist i morgen: OF 03 Planlæg undervisning af superbrugere",
    "Fristen er i morgen, søndag den 22. november 2026.",
    "udfører som superbruger (primær)",
)
NEW = line(3, None, "Ny opgave: LE 01 Læs driftsaftalen", "KOMBIT har udgivet en ny opgave.", "plusbruger")
CASES = {
    "en-roed": (Section("Køge", (RED,)),),
    "flere-i-koege": (Section("Køge", (RED, RED, YELLOW, YELLOW, YELLOW, NEW)),),
    "to-kommuner": (Section("Herning", (YELLOW,)), Section("Køge", (RED,))),
    "uden-kommune": (Section(None, (NEW, NEW)),),
    "flere-end-halvtreds": (Section("Læsø", (RED,) * 40), Section("Aarhus", (YELLOW,) * 15)),
}


@pytest.mark.parametrize("name", CASES)
def test_the_words_are_those_of_the_snapshot(name: str) -> None:
    rendered = mails.notices_mail(CASES[name], SENDER.base_url)
    shown = f"Emne: {rendered.subject}\n\n{rendered.text}"
    assert shown == (SNAPSHOTS / f"{name}.txt").read_text("utf-8")


@pytest.mark.parametrize("name", CASES)
def test_the_page_says_what_the_text_says(name: str) -> None:
    rendered = mails.notices_mail(CASES[name], SENDER.base_url)
    page = BeautifulSoup(rendered.html, "html5lib")
    assert page.html is not None
    assert page.html["lang"] == "da"
    assert not page.find_all(["style", "script", "img", "link"])
    said = " ".join(page.get_text(" ").split())
    for section in CASES[name][:1]:
        for each in section.lines[:3]:
            assert each.heading in said
            assert each.sentence in said
            assert page.find("a", href=each.url)
    assert page.find("div", class_="notice")["style"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("colours", "subject"),
    [
        ("rr", "klik: 2 røde opgaver i Køge"),
        ("rg", "klik: 1 rød og 1 gul opgave i Køge"),
        ("rrggg", "klik: 2 røde og 3 gule opgaver i Køge"),
        ("rn", "klik: 1 rød opgave samt 1 andet varsel i Køge"),
        ("nn", "klik: 2 varsler i Køge"),
    ],
)
def test_the_subject_counts(colours: str, subject: str) -> None:
    lines = {"r": RED, "g": YELLOW, "n": NEW}
    assert mails.subject((Section("Køge", tuple(lines[letter] for letter in colours)),)) == subject


def test_what_is_typed_by_people_is_text_in_the_page() -> None:
    hostile = line(1, None, "<script>alert(1)</script>", "</p><img src=x>{{ 7*7 }}")
    rendered = mails.notices_mail((Section("Køge", (hostile,)),), SENDER.base_url)
    page = BeautifulSoup(rendered.html, "html5lib")
    assert not page.find_all(["script", "img"])
    assert "{{ 7*7 }}" in page.get_text()


def test_a_mail_sent_again_is_marked_once_and_keeps_its_id() -> None:
    rendered = mails.notices_mail(CASES["en-roed"], SENDER.base_url)
    first = mails.build(SENDER, "mette@koege.example", rendered, "<en@klik.example>", make.NOW)
    again = mails.resent(first)
    assert mails.resent(again) == again
    parsed = message_from_bytes(again, policy=SMTP)
    assert (parsed["Message-ID"], parsed[mails.RESENT_HEADER]) == ("<en@klik.example>", "1")
    assert mails.plain_text(again) == f"{mails.RESENT_LINE}\n\n{mails.plain_text(first)}"
    assert max(len(row) for row in again.split(b"\r\n")) <= 998
    assert all(byte < 128 for byte in again)
