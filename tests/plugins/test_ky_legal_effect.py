"""Deadlines before legal effect: Danish working days, and a warning before publication when they come too late."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from klik.domain.rights import Level
from klik.domain.working_days import day_off, working_days_after, working_days_before
from klik.installation import Installation
from klik.plugins import ExtraField
from klik.plugins.ky.legal_effect import BEFORE_EFFECT, EFFECT
from klik.services import deadlines
from klik.services.publishing.field_words import field_problem, field_warnings
from tests import make
from tests.client import Browser
from tests.plugins.test_ky import KOEGE, TASK

KEY = "ky.foer-retsvirkning"


def deadline(parameter: str, published: date = make.TODAY) -> date | None:
    return BEFORE_EFFECT.deadline(replace(TASK, published_on=published), KOEGE, parameter)


@pytest.mark.parametrize(
    ("parameter", "day"),
    [
        # 1 March 2027 is a Monday.
        ("01-03-2027, 1", date(2027, 2, 26)),
        ("1. marts 2027, 5", date(2027, 2, 22)),
        ("2027-03-01, 5 arbejdsdage", date(2027, 2, 22)),
        # Before 1 April 2027: Easter Monday 29 March, Good Friday 26 and Maundy Thursday 25 are days off.
        ("01-04-2027, 2", date(2027, 3, 30)),
        ("01-04-2027, 3", date(2027, 3, 24)),
        # Offices are shut on 24, 25, 26 and 31 December; 27 and 28 December 2025 are a weekend.
        ("01-01-2026, 2", date(2025, 12, 29)),
        ("01-01-2026, 3", date(2025, 12, 23)),
    ],
)
def test_it_counts_danish_working_days_back_from_the_effect(parameter: str, day: date) -> None:
    assert deadline(parameter) == day


@pytest.mark.parametrize(
    ("published", "day"),
    [
        # The 1st of December 2026 is a Tuesday: five working days before is Tuesday 24 November.
        (date(2026, 11, 21), date(2026, 11, 24)),
        (date(2026, 11, 24), date(2026, 11, 24)),
        # From the 25th on it is too late for December; five before 1 January 2027 leaves out Christmas.
        (date(2026, 11, 25), date(2026, 12, 22)),
        (date(2027, 1, 31), date(2027, 2, 22)),
    ],
)
def test_a_day_of_the_month_is_the_first_that_can_still_be_reached(published: date, day: date) -> None:
    found = deadline("den 1., 5", published)
    assert found == day
    # Seed: the task came on the 6th though the effect was the 1st. Here it is never after the 1st it is about.
    assert found is not None and working_days_after(found, 5).day in (1, 2, 3, 4)


def test_a_deadline_lies_before_its_effect_on_a_working_day_always() -> None:
    for ordinal in range(date(2026, 1, 1).toordinal(), date(2028, 1, 1).toordinal(), 3):
        effect = date.fromordinal(ordinal)
        for count in (1, 5, 17):
            found = deadline(f"{effect.isoformat()}, {count}")
            assert found is not None and found < effect and day_off(found) is None
            days = [date.fromordinal(each) for each in range(found.toordinal(), effect.toordinal())]
            assert sum(day_off(each) is None for each in days) == count
    assert working_days_before(date(2027, 3, 1), 0) == date(2027, 3, 1)


@pytest.mark.parametrize(
    ("parameter", "words"),
    [
        ("", "Skriv dagen og antallet"),
        ("01-03-2027", "Skriv dagen og antallet"),
        ("01-03-2027, x", "Skriv dagen og antallet"),
        ("01-03-2027, 0", "fra 1 til 60"),
        ("01-03-2027, 61", "fra 1 til 60"),
        ("31-02-2027, 5", "findes ikke"),
        ("den 31., 5", "fra 1 til 28"),
        ("den 0., 5", "fra 1 til 28"),
        ("snart, 5", "kan ikke læses som en dato"),
        ("\u0661, \u0665", "Skriv dagen og antallet"),
    ],
)
def test_a_wrong_parameter_is_named(parameter: str, words: str) -> None:
    assert words in (BEFORE_EFFECT.check(parameter) or "")


def test_the_rule_is_explained(house: Installation) -> None:
    assert BEFORE_EFFECT.explain("01-03-2027, 5") == (
        "5 arbejdsdage før retsvirkningen 1. marts 2027, altså 22. februar 2027."
    )
    assert BEFORE_EFFECT.explain("den 1., 1") == (
        "1 arbejdsdag før den 1. i måneden, hvor afgørelserne får virkning."
    )
    found = deadlines.deadlines_for(
        house.registry, KEY, "01-03-2027, 5", TASK, [KOEGE], working_day="uaendret"
    )
    assert found == {259: date(2027, 2, 22)} and house.registry.guard.faults() == {}


def test_a_deadline_on_or_after_the_effect_is_told_with_its_municipalities(house: Installation) -> None:
    with house.reading(make.NOW) as work:
        days = {259: date(2027, 2, 28), 657: date(2027, 3, 1), 751: date(2027, 3, 6), 825: None}
        names = {259: "Køge", 657: "Herning", 751: "Aarhus", 825: "Læsø"}
        found = field_warnings(work, [EFFECT], {EFFECT.key: "1. marts 2027"}, days, names)
        assert [(each.sentence, each.names) for each in found] == [
            (
                "Fristen 1. marts 2027 ligger samme dag som retsvirkningen 1. marts 2027, så opgaven løses for sent.",
                ("Herning",),
            ),
            (
                "Fristen 6. marts 2027 ligger efter retsvirkningen 1. marts 2027, så opgaven løses for sent.",
                ("Aarhus",),
            ),
        ]
        assert field_warnings(work, [EFFECT], {}, days, names) == ()
        assert field_problem(work, EFFECT, "1. marts 2027") is None
        assert "Retsvirkning: “snart” kan ikke læses" in (field_problem(work, EFFECT, "snart") or "")


def test_a_field_that_fails_stops_nobody(house: Installation) -> None:
    def fails(*_: object) -> str:
        raise ValueError

    field = ExtraField(key="ky.skurk", system="ky", label="Skurk", check=fails, warning=fails)
    with house.reading(make.NOW) as work:
        assert field_problem(work, field, "x") is None
        assert field_warnings(work, [field], {"ky.skurk": "x"}, {259: make.TODAY}, {259: "Køge"}) == ()
    assert {"ky.skurk/vaerdi", "ky.skurk/advarsel"} <= house.registry.guard.faults().keys()


def test_kombit_reads_the_warning_before_publishing(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    with house.writing(make.NOW) as work:
        make.project(work.session, "ky", system_code="ky")
        make.has_system(work.session, make.KOEGE, "ky")
        make.person(work.session, "Karen Krag", email="karen@kombit.example", level=Level.KOMBIT_EDITOR)
    karen = browser().sign_in("karen@kombit.example")
    page = karen.get("/udgivelser/ny?projekt=ky")
    field = next(
        label["for"] for label in page.select("label[for]") if label.get_text().startswith("Retsvirkning")
    )
    typed = {
        "title": "Partshør, før ydelsen sættes ned",
        "phase": "ibrugtagning",
        "theme": "organisering-og-arbejdsgange",
        "description": "Nedsættelsen får virkning den 1.",
        "deadline_rule": "core.date",
        "deadline_parameter": "06-03-2030",
        "trin": "forhaandsvis",
    }
    wrong = karen.submit(page, "/udgivelser", expect=422, **typed, **{field: "den første"})
    assert "Retsvirkning: “den første” kan ikke læses som en dato" in wrong.get_text(" ", strip=True)
    ahead = karen.submit(page, "/udgivelser", **typed, **{field: "01-03-2030"})
    warned = [each.get_text(" ", strip=True) for each in ahead.select(".alert-warning")]
    assert [
        each for each in warned if "Fristen 6. marts 2030 ligger efter retsvirkningen 1. marts 2030" in each
    ]
    # By the rule itself nothing can come too late.
    right = typed | {"deadline_rule": KEY, "deadline_parameter": "01-03-2030, 5", field: "01-03-2030"}
    ahead = karen.submit(page, "/udgivelser", **right)
    assert "retsvirkningen 1. marts 2030, altså 22. februar 2030" in ahead.get_text(" ", strip=True)
    assert not [each for each in ahead.select(".alert-warning") if "for sent" in each.get_text()]


def test_kombit_reads_the_warning_before_correcting(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    with house.writing(make.NOW) as work:
        project = make.project(work.session, "ky", system_code="ky")
        make.has_system(work.session, make.KOEGE, "ky")
        make.has_system(work.session, make.HERNING, "ky")
        make.person(work.session, "Karen Krag", email="karen@kombit.example", level=Level.KOMBIT_EDITOR)
        version = make.task(work.session, in_project=project)
        make.municipal_task(work.session, version)
        make.municipal_task(work.session, version, municipality=make.HERNING)
        task_id = version.task_id
    karen = browser().sign_in("karen@kombit.example")
    address = f"/udgivelser/{task_id}/rettelse"
    page = karen.get(address)
    field = next(
        label["for"] for label in page.select("label[for]") if label.get_text().startswith("Retsvirkning")
    )
    late = {"deadline_rule": "core.date", "deadline_parameter": "06-03-2030", "note": "Fristen er flyttet."}
    ahead = karen.submit(page, address, trin="virkning", **late, **{field: "01-03-2030"})
    (warned,) = (each for each in ahead.select(".alert-warning") if "for sent" in each.get_text())
    assert "Fristen 6. marts 2030 ligger efter retsvirkningen 1. marts 2030" in warned.get_text(" ")
    assert "Herning, Køge" in warned.get_text(" ")
    ahead = karen.submit(page, address, trin="virkning", **late, **{field: "01-04-2030"})
    assert not [each for each in ahead.select(".alert-warning") if "for sent" in each.get_text()]
