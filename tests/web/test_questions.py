"""Questions as a browser without JavaScript meets them: asked on the task, answered by KOMBIT, read by everybody."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from klik.domain.rights import Level
from klik.installation import Installation
from tests import make
from tests.client import Browser
from tests.make import HERNING, KOEGE

TEXT = "Skal vi også udfylde arket for de kommunale selskaber?"


class Ground:
    """A task in Køge and Herning, and browsers of those who have a say."""

    def __init__(self, house: Installation, browser: Callable[..., Browser]) -> None:
        self._browser = browser
        with house.database.writing() as session:
            for name, level, place in (
                ("mette", Level.PLUS_USER, KOEGE),
                ("anne", Level.PLUS_USER, HERNING),
                ("laeser", Level.READER, HERNING),
                ("ida", Level.KOMBIT_EDITOR, None),
                ("bo", Level.KOMBIT_EDITOR, None),
            ):
                make.person(
                    session, name.title(), level=level, municipality=place, email=f"{name}@klik.example"
                )
            make.person(
                session,
                "Leif",
                level=Level.SUPPLIER,
                municipality=None,
                email="leif@klik.example",
                systems=("kp",),
            )
            version = make.task(session)
            self.koege, self.herning = (
                make.municipal_task(session, version, municipality=code).id for code in (KOEGE, HERNING)
            )

    def visit(self, who: str) -> Browser:
        return self._browser().sign_in(f"{who}@klik.example")

    def ask(self, mette: Browser, text: str = TEXT, *, expect: int = 200, **more: str) -> str:
        address = f"/opgaver/{self.koege}/spoergsmaal"
        page = mette.get(f"/opgaver/{self.koege}")
        return mette.submit(page, address, expect=expect, question=text, **more).text


@pytest.fixture
def ground(house: Installation, browser: Callable[..., Browser]) -> Ground:
    return Ground(house, browser)


def test_asked_answered_and_read_elsewhere(ground: Ground) -> None:
    mette, ida, anne = (ground.visit(who) for who in ("mette", "ida", "anne"))
    asked = ground.ask(mette)
    assert "Spørgsmålet er sendt til KOMBIT" in asked and "Venter på svar fra KOMBIT" in asked
    assert "selskaber" not in anne.get(f"/opgaver/{ground.herning}").text
    assert "1 spørgsmål venter" in " ".join(ida.get("/").text.split())
    page = ida.get("/spoergsmaal")
    assert "Mette, Køge" in page.text and "Siden i dag" in page.text and "Venter (1)" in page.text
    form = ida.get("/spoergsmaal/1")
    done = ida.submit(form, "/spoergsmaal/1/svar", text="Nej, **kun** kommunen.")
    assert "Svaret står nu på opgaven hos alle kommuner." in done.text
    there = anne.get(f"/opgaver/{ground.herning}")
    panel = there.select_one("#spoergsmaal")
    assert "(1 svar fra KOMBIT)" in panel.text
    by = panel.select_one(".question").text
    assert "En kommune" in by and "Køge" not in by
    assert panel.select_one(".question-answer strong + time, .question-answer p strong")
    assert "Mette" not in there.text
    assert "KOMBIT har svaret" in mette.get("/varsler").text
    assert "Ingen spørgsmål venter" in ida.get("/spoergsmaal").text
    assert "Mette, Køge" in ida.get("/spoergsmaal?vis=besvarede&system=kp").text
    assert "selskaber" not in ground.visit("leif").get(f"/opgaver/{ground.herning}").text


def test_the_name_is_shown_when_they_say_so(ground: Ground) -> None:
    ground.ask(ground.visit("mette"), named="y")
    ida = ground.visit("ida")
    ida.submit(ida.get("/spoergsmaal/1"), "/spoergsmaal/1/svar", text="Nej.")
    panel = ground.visit("anne").get(f"/opgaver/{ground.herning}").select_one(".question")
    assert "Køge" in panel.text and "En kommune" not in panel.text


def test_much_the_same_is_shown_before_it_is_asked_again(ground: Ground) -> None:
    mette, ida = ground.visit("mette"), ground.visit("ida")
    ground.ask(mette)
    ida.submit(ida.get("/spoergsmaal/1"), "/spoergsmaal/1/svar", text="Nej, kun kommunen.")
    address = f"/opgaver/{ground.koege}/spoergsmaal"
    page = mette.get(f"/opgaver/{ground.koege}")
    shown = mette.submit(page, address, question="Skal arket udfyldes for kommunale selskaber?")
    assert "Der er spurgt om noget lignende" in shown.text and "Nej, kun kommunen." in shown.text
    assert "Ingen spørgsmål venter" in ida.get("/spoergsmaal").text
    mette.submit(shown, address)
    assert "Venter (1)" in ida.get("/spoergsmaal").text


def test_pressing_twice_asks_once_and_it_can_be_taken_back(ground: Ground) -> None:
    mette, ida = ground.visit("mette"), ground.visit("ida")
    page = mette.get(f"/opgaver/{ground.koege}")
    for _press in range(2):
        mette.submit(page, f"/opgaver/{ground.koege}/spoergsmaal", question=TEXT)
    assert "Venter (1)" in ida.get("/spoergsmaal").text
    page = mette.get(f"/opgaver/{ground.koege}")
    gone = mette.submit(page, f"/opgaver/{ground.koege}/spoergsmaal/1/tilbage")
    assert "Spørgsmålet er taget tilbage." in gone.text
    assert "Ingen spørgsmål venter" in ida.get("/spoergsmaal").text
    ida.post("/spoergsmaal/1/svar", {"version": "2", "text": "Nej"}, expect=422)


def test_bad_input_names_the_field_and_is_kept(ground: Ground) -> None:
    mette, ida = ground.visit("mette"), ground.visit("ida")
    assert "Dit spørgsmål skal udfyldes" in ground.ask(mette, "", expect=422)
    assert "CPR-nummer" in ground.ask(mette, "Hvad med 010190-1234?", expect=422)
    assert "højst fylde 2.000 tegn" in ground.ask(mette, "x" * 2_001, expect=422)
    ground.ask(mette)
    for address, typed, sentence in (
        ("svar", {"text": "x " * 5_001}, "Svar må højst fylde 10.000 tegn"),
        ("svar", {"text": ""}, "Svar skal udfyldes"),
        ("luk", {"reason": ""}, "Begrundelse skal udfyldes"),
        ("luk", {"reason": "010190-1234"}, "CPR-nummer"),
    ):
        answer = ida.submit(ida.get("/spoergsmaal/1"), f"/spoergsmaal/1/{address}", expect=422, **typed)
        assert sentence in answer.text


def test_two_editors_meet(ground: Ground) -> None:
    ground.ask(ground.visit("mette"))
    ida, bo = ground.visit("ida"), ground.visit("bo")
    mine, theirs = ida.get("/spoergsmaal/1"), bo.get("/spoergsmaal/1")
    ida.submit(mine, "/spoergsmaal/1/svar", text="Nej.")
    met = bo.submit(theirs, "/spoergsmaal/1/svar", expect=409, text="Jo da.")
    assert "En anden har besvaret" in met.text and "Nej." in met.text and "Jo da." in met.text
    again = bo.submit(met, "/spoergsmaal/1/svar")
    assert "Svaret er rettet." in again.text and "(rettet" in again.text


def test_closed_with_a_reason_only_the_asker_reads(ground: Ground) -> None:
    mette, ida = ground.visit("mette"), ground.visit("ida")
    ground.ask(mette)
    done = ida.submit(ida.get("/spoergsmaal/1"), "/spoergsmaal/1/luk", reason="Se vejledningen.")
    assert "lukket uden svar" in done.text
    assert "Lukket af KOMBIT uden svar: Se vejledningen." in mette.get(f"/opgaver/{ground.koege}").text
    assert "Se vejledningen." not in ground.visit("anne").get(f"/opgaver/{ground.herning}").text


def test_a_reader_reads_and_asks_nothing(ground: Ground) -> None:
    reader = ground.visit("laeser")
    assert "Spørg KOMBIT" not in reader.get(f"/opgaver/{ground.herning}").text
    reader.post(f"/opgaver/{ground.herning}/spoergsmaal", {"question": TEXT}, expect=403)
    reader.get("/spoergsmaal", expect=403)
