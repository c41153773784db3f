"""Deadlines counted from the go-live, and days off, where every rule's deadline comes about."""

from __future__ import annotations

from datetime import date

import pytest

from klik.installation import Installation
from klik.plugins.views import MunicipalityView, TaskView
from klik.services import deadlines

TASK = TaskView(
    number="MI 01",
    title="Opgaven",
    project="ky",
    system="ky",
    phase="forberedelse",
    theme="it-miljoe-og-infrastruktur",
    priority="normal",
    infrastructure=False,
    start=None,
    published_on=date(2026, 11, 20),
    fields={},
)
KOEGE = MunicipalityView(code=259, name="Køge", region="Region Sjælland", wave="b1", go_live=date(2027, 3, 1))
UNDATED = MunicipalityView(code=751, name="Aarhus", region="Region Midtjylland", wave=None, go_live=None)


@pytest.mark.parametrize(
    ("rule", "parameter", "side", "wanted"),
    [
        ("core.days-before-go-live", "90", "uaendret", date(2026, 12, 1)),
        ("core.days-before-go-live", "0", "uaendret", date(2027, 3, 1)),
        ("core.days-before-go-live", "66", "foer", date(2026, 12, 23)),  # 25 December
        ("core.days-before-go-live", "66", "efter", date(2026, 12, 28)),
        ("core.days-after-go-live", "26", "efter", date(2027, 3, 30)),  # Easter of 2027
        ("ky.foer-idriftsaettelse", "66", "foer", date(2026, 12, 23)),
        ("core.date", "2026-12-25", "efter", date(2026, 12, 28)),
        ("core.months-after-publication", "1", "efter", date(2026, 12, 21)),
    ],
)
def test_every_rule_counts_from_its_day_and_is_moved_alike(
    house: Installation, rule: str, parameter: str, side: str, wanted: date
) -> None:
    found = deadlines.deadlines_for(house.registry, rule, parameter, TASK, [KOEGE], working_day=side)
    assert found == {259: wanted}


def test_without_a_go_live_there_is_no_deadline_yet(house: Installation) -> None:
    rule = "core.days-before-go-live"
    found = deadlines.deadlines_for(house.registry, rule, "90", TASK, [UNDATED], working_day="foer")
    assert found == {751: None}
    assert (
        deadlines.deadlines_or_none(house.registry, "x.gone", "1", TASK, [KOEGE], working_day="foer") is None
    )


def test_the_rule_in_words(house: Installation) -> None:
    say = deadlines.explanation
    assert say(house.registry, "core.days-before-go-live", "90") == "Fristen er 90 dage før idriftsættelse"
    assert say(house.registry, "core.days-before-go-live", "90", "foer") == (
        "Fristen er 90 dage før idriftsættelse, flyttet til arbejdsdagen før, når den falder på en fridag"
    )
    assert say(house.registry, "core.date", "2026-12-25", "efter") == (
        "Fristen er 28. december 2026, arbejdsdagen efter 25. december 2026 (juledag)"
    )
    assert "dag, kommunen tager systemet i brug" in say(house.registry, "core.days-before-go-live", "0")


@pytest.mark.parametrize("typed", ["", "-1", "3651", "T-90", "９０", "9" * 5000])
def test_a_wrong_number_of_days_is_said_with_its_limits(house: Installation, typed: str) -> None:
    rule = house.registry.deadline_rules["core.days-before-go-live"]
    assert "mellem 0 og 3650" in (deadlines.rule_problem(house.registry, rule, typed) or "")
