"""The numbered steps of KOMBIT's text become the municipality's checklist with one press."""

from __future__ import annotations

from collections.abc import Callable

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import MunicipalTask
from klik.plugins import TaskTemplate
from klik.services.publishing.text import Draft
from klik.services.tasks import checklist
from tests import make
from tests.client import Browser

HOW_TO = "Læs først **siden**.\n\n1. Find *dem*\n2. Løs [dem](https://kombit.dk)\n10) Sig det\n\nIkke 3. her"


def a_task(house: Installation, how_to: str = HOW_TO) -> int:
    with house.writing(make.NOW) as work:
        version = make.task(work.session)
        version.how_to = how_to
        return make.municipal_task(work.session, version).id


def signed_in(
    house: Installation, browser: Callable[..., Browser], level: Level = Level.PLUS_USER
) -> Browser:
    with house.writing(make.NOW) as work:
        email = make.person(work.session, level=level).email
    return browser().sign_in(email)


def test_steps_become_lines_once(house: Installation, browser: Callable[..., Browser]) -> None:
    task = a_task(house)
    page = signed_in(house, browser)
    shown = page.get(f"/opgaver/{task}")
    assert "Lav en tjekliste af 3 trin" in shown.get_text(" ")
    for _ in range(2):
        done = page.post(f"/opgaver/{task}/tjekliste", {"trin": "alle"})
    lines = [each.get_text().strip() for each in done.select(".task-line-text")]
    assert lines == ["Find dem", "Løs dem (https://kombit.dk)", "Sig det"]
    assert "Lav en tjekliste" not in done.get_text(" ")
    # Empty without a key is still refused: the press needs its word.
    page.post(f"/opgaver/{task}/tjekliste", {"text": ""}, expect=422)


def test_who_may_not_change_is_offered_nothing(house: Installation, browser: Callable[..., Browser]) -> None:
    task = a_task(house)
    page = signed_in(house, browser, Level.READER)
    assert "Lav en tjekliste" not in page.get(f"/opgaver/{task}").get_text(" ")
    page.post(f"/opgaver/{task}/tjekliste", {"trin": "alle"}, expect=403)


def test_a_long_step_is_cut_and_no_steps_are_no_offer(house: Installation) -> None:
    task = a_task(house, "1. " + "x" * 400)
    with house.reading(make.NOW) as work:
        (step,) = checklist.steps_of(work.session.get_one(MunicipalTask, task))
        assert len(step) == checklist.LIMIT and step.endswith("…")
    task = a_task(house, "Ingen trin.")
    with house.reading(make.NOW) as work:
        assert checklist.steps_of(work.session.get_one(MunicipalTask, task)) == ()


def test_a_templates_steps_stand_numbered_after_its_text(house: Installation) -> None:
    template = TaskTemplate(
        key="ksd.x",
        system="ksd",
        title="X",
        phase="forberedelse",
        theme="organisering-og-arbejdsgange",
        purpose="Y",
        how_to="Først.",
        steps=("Et", "To"),
    )
    assert Draft.from_template(template, "ksd").how_to == "Først.\n\n1. Et\n2. To"
    with house.reading(make.NOW) as work:
        questions = work.registry.task_types["ksd.droeft-blokerende-opgaver"]
    assert len(questions.steps) == 4
    assert questions.steps[0] in Draft.from_template(questions, "ksd").how_to
