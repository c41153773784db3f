"""What mails say, word for word. A wanted change is made in the snapshot too, where a reviewer sees it."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from klik.domain.deadlines import Colour
from klik.services.notices import mails, wording
from klik.services.notices.mails import Sender
from klik.services.notices.wording import Letter, Line, Part, Section
from tests import make

SNAPSHOTS = Path(__file__).parent / "snapshots" / "mails"
SENDER = Sender("klik@klik.example", "https://klik.example")
LINKS = (
    ("Sæt i gang", "https://klik.example/handling/start.WzEsMV0"),
    ("Udskyd mine påmindelser", "https://klik.example/handling/udskyd.WzEsMV0"),
)


def line(
    number: int,
    part: Part,
    heading: str,
    sentence: str,
    *,
    title: str | None = None,
    reason: str = "ansvarlig",
) -> Line:
    colour = {Part.RED: Colour.RED, Part.YELLOW: Colour.YELLOW, Part.SOON: Colour.YELLOW}.get(part)
    url = f"https://klik.example/opgaver/{number}"
    return Line(heading, sentence, reason, url, colour, part=part, title=title)


RED = line(
    1,
    Part.RED,
    "Rød: MI 15 Udarbejd jobfunktionsroller for KP",
    "Fristen var fredag den 20. november 2026, 3 dage siden, og opgaven er ikke fuldført.",
    title="MI 15 Udarbejd jobfunktionsroller for KP",
)
SOON = line(
    2,
    Part.SOON,
    "Frist i dag: OF 03 Planlæg undervisning af superbrugere",
    "Fristen er i dag, mandag den 23. november 2026. I morgen bliver opgaven rød.",
    title="OF 03 Planlæg undervisning af superbrugere",
    reason="udfører som superbruger (primær)",
)
YELLOW = line(
    3,
    Part.YELLOW,
    "Gul: LE 04 Aftal beredskab ved driftsstop",
    "Opgaven er gul. Fristen er fredag den 4. december 2026, om 11 dage.",
    title="LE 04 Aftal beredskab ved driftsstop",
)
NEW = line(
    4,
    Part.NEWS,
    "Ny opgave: LE 01 Læs driftsaftalen",
    "KOMBIT har udgivet en ny opgave.",
    reason="plusbruger",
)
OTHER = line(5, Part.OTHER, "3 opgaver slettes om 7 dage", "Gem opgaverne som PDF.", reason="plusbruger")
FILTER = replace(
    OTHER,
    heading="Rød/gul: 23 opgaver",
    sentence="Pr. 23. november 2026 er der 23 opgaver i filteret “Rød/gul”.",
    rows=("Rød: MI 15 Udarbejd jobfunktionsroller for KP (frist 18. november 2026)", "… og 22 opgaver mere."),
    reason="abonnent på filteret, hver dag",
    stop="https://klik.example/filtre",
)


def other(of: Line, number: int, **more: object) -> Line:
    """The same line about another task."""
    return replace(of, url=f"https://klik.example/opgaver/{number}", **more)  # type: ignore[arg-type]


def acting(of: Line) -> Line:
    """With links that act."""
    return replace(of, actions=LINKS)


LATE = "det skulle være sendt den {}. november 2026."
CASES = {
    "et-varsel": Letter((Section("Køge", (acting(RED),)),)),
    "dagens-mail": Letter(
        (
            Section(
                "Køge",
                (acting(RED), other(RED, 11), acting(SOON), acting(YELLOW), other(YELLOW, 13), NEW, OTHER),
            ),
        )
    ),
    "forsinket": Letter(
        (
            Section(
                "Køge",
                (
                    replace(RED, late=LATE.format(18)),
                    replace(YELLOW, late=LATE.format(19)),
                    other(YELLOW, 14),
                ),
            ),
        ),
        "senest mandag",
    ),
    "to-kommuner": Letter(
        (Section("Herning", (YELLOW,)), Section("Køge", (RED, SOON)), Section(None, (OTHER,)))
    ),
    "postkasse": Letter((Section("Køge", (RED, YELLOW)),), shared=True),
    "tres-varsler": Letter(
        (
            Section("Læsø", tuple(other(RED, 100 + number) for number in range(40))),
            Section("Aarhus", tuple(other(YELLOW, 200 + number) for number in range(20))),
        )
    ),
    "gemt-filter": Letter((Section("Køge", (FILTER,)),)),
}


def _same(name: str, shown: str) -> None:
    """The snapshot says the same. ``KLIK_WRITE_SNAPSHOTS=1`` writes it anew, for the reviewer's eyes."""
    file = SNAPSHOTS / name
    if os.environ.get("KLIK_WRITE_SNAPSHOTS") == "1":
        file.write_text(shown, "utf-8")
    assert shown == file.read_text("utf-8")


@pytest.mark.parametrize("name", CASES)
def test_the_words_are_those_of_the_snapshot(name: str) -> None:
    rendered = wording.notices_mail(CASES[name], SENDER.base_url)
    _same(f"{name}.txt", f"Emne: {rendered.subject}\n\n{rendered.text}")
    _same(f"{name}.html", rendered.html)


@pytest.mark.parametrize("name", CASES)
def test_the_page_says_what_the_text_says(name: str) -> None:
    rendered = wording.notices_mail(CASES[name], SENDER.base_url)
    page = BeautifulSoup(rendered.html, "html5lib")
    assert page.html is not None
    said = " ".join(page.get_text(" ").split())
    for each in CASES[name].lines[: wording.MOST_LINES]:
        alone = len(CASES[name].lines) == 1
        for words in (
            each.heading if alone else each.name,
            each.sentence,
            f"Du får varslet som: {each.reason}.",
            *each.rows,
        ):
            assert words in said
            assert words in rendered.text
        for url in (each.url, *(url for _, url in each.actions)):
            assert page.find("a", href=url)
            assert url in rendered.text
    assert {a["href"] for a in page.find_all("a")} == set(re.findall(r"https://\S+", rendered.text))


@pytest.mark.parametrize("name", CASES)
def test_the_page_is_one_that_outlook_can_draw(name: str) -> None:
    rendered = wording.notices_mail(CASES[name], SENDER.base_url)
    page = BeautifulSoup(rendered.html, "html5lib")
    assert page.html is not None and page.html["lang"] == "da"
    assert not page.find_all(["style", "script", "img", "link", "button", "form", "svg"])
    assert all(table["role"] == "presentation" for table in page.find_all("table"))
    styles = " ".join(element["style"] for element in page.find_all(style=True))
    assert not re.search(r"float|flex|grid|border-radius|position|url\(|var\(", styles)
    # Colours stand in the cell as well: Word takes no background from a style everywhere.
    assert all(cell.get("bgcolor") for cell in page.find_all("td"))
    for element in page.find_all(["td", "p", "h1", "h2", "h3", "a", "li", "ul"]):
        assert element.get("style"), element
    assert "Røde" in rendered.html or "Rød" in rendered.html or "gul" in rendered.html.lower()


def test_links_that_act_are_in_the_mail_of_one_notice_too() -> None:
    rendered = wording.notices_mail(CASES["et-varsel"], SENDER.base_url)
    assert "Sæt i gang: https://klik.example/handling/start.WzEsMV0\n" in rendered.text
    assert "Røde" not in rendered.text and "Køge" in rendered.text


@pytest.mark.parametrize(
    ("letters", "subject"),
    [
        ("rr", "klik: 2 røde opgaver i Køge"),
        ("rg", "klik: 1 rød og 1 gul opgave i Køge"),
        ("rrggg", "klik: 2 røde og 3 gule opgaver i Køge"),
        ("rrgggs", "klik: 2 røde og 3 gule opgaver samt 1 bliver rød i morgen i Køge"),
        ("ro", "klik: 1 rød opgave samt 1 andet varsel i Køge"),
        ("oo", "klik: 2 varsler i Køge"),
        ("nn", "klik: 2 nyheder i Køge"),
        ("ssnoo", "klik: 2 bliver røde i morgen, 1 nyhed samt 2 andre varsler i Køge"),
    ],
)
def test_the_subject_counts(letters: str, subject: str) -> None:
    lines = {"r": RED, "g": YELLOW, "s": SOON, "n": NEW, "o": OTHER}
    shown = tuple(other(lines[letter], number) for number, letter in enumerate(letters))
    assert wording.subject(Letter((Section("Køge", shown),))) == subject


def test_two_reminders_of_one_task_are_one_red_task() -> None:
    assert wording.summary(Letter((Section("Køge", (RED, RED, YELLOW)),))) == "1 rød og 1 gul opgave"


def test_what_is_typed_by_people_is_text_in_the_page() -> None:
    hostile = line(1, Part.OTHER, "<script>alert(1)</script>", "</p><img src=x>{{ 7*7 }}", reason='"><b>')
    rendered = wording.notices_mail(Letter((Section("</h2><i>Køge", (hostile, hostile)),)), SENDER.base_url)
    page = BeautifulSoup(rendered.html, "html5lib")
    assert not page.find_all(["script", "img", "b", "i"])
    assert "{{ 7*7 }}" in page.get_text()


def test_further_headers_are_klik_s_own() -> None:
    rendered = wording.notices_mail(CASES["et-varsel"], SENDER.base_url)
    content = mails.build(
        SENDER,
        "m@koege.example",
        rendered,
        "<1@klik.example>",
        make.NOW,
        headers={"List-Id": "<a.klik.example>"},
    )
    assert message_from_bytes(content, policy=SMTP)["List-Id"] == "<a.klik.example>"


def test_a_mail_sent_again_is_marked_once_and_keeps_its_id() -> None:
    rendered = wording.notices_mail(CASES["et-varsel"], SENDER.base_url)
    first = mails.build(SENDER, "mette@koege.example", rendered, "<en@klik.example>", make.NOW)
    again = mails.resent(first)
    assert mails.resent(again) == again
    parsed = message_from_bytes(again, policy=SMTP)
    assert (parsed["Message-ID"], parsed[mails.RESENT_HEADER]) == ("<en@klik.example>", "1")
    assert mails.plain_text(again) == f"{mails.RESENT_LINE}\n\n{mails.plain_text(first)}"
    assert max(len(row) for row in again.split(b"\r\n")) <= 998
    assert all(byte < 128 for byte in again)
