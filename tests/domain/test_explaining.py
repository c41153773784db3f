"""Why a task has its colour, word for word."""

from __future__ import annotations

from datetime import date, timedelta

from klik.domain.deadlines import Colour, explain
from klik.services.deadlines import yellow_note
from klik.services.tasks import details
from tests import make
from tests.make import NOW, TODAY

DEADLINE = date(2026, 11, 30)


def test_the_rule_in_words() -> None:
    assert explain(Colour.YELLOW, DEADLINE, date(2026, 11, 16), TODAY) == (
        "Gul: 9 dage til frist; gul fra 14 dage før"
    )


def test_whose_rule_it_is() -> None:
    note = "regel fra KSD, standard er 14"
    assert explain(Colour.YELLOW, DEADLINE, DEADLINE - timedelta(days=30), TODAY, note) == (
        "Gul: 9 dage til frist; gul fra 30 dage før (regel fra KSD, standard er 14)"
    )
    assert explain(Colour.RED, date(2026, 11, 20), None, TODAY, note).startswith("Rød: fristen var")


def test_a_plugins_rule_is_named_on_the_page(house) -> None:
    own = [
        key
        for key, rule in house.registry.deadline_rules.items()
        if rule.yellow_from is not None and not key.startswith("core.")
    ]
    assert yellow_note(house.registry, "core.date") == "" == yellow_note(house.registry, "findes.ikke")
    for key in own:
        with house.writing(NOW) as work:
            version = make.task(work.session)
            version.deadline_rule = key
            task = make.municipal_task(
                work.session, version, deadline=DEADLINE, yellow_from=DEADLINE - timedelta(days=30)
            ).id
        with house.reading(NOW) as work:
            plugin = key.partition(".")[0].upper()
            assert f"regel fra {plugin}, standard er 14" in details.load(work, task).explanation
