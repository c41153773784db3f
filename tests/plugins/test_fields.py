"""KSD's extra field, through the core: task page, filter, CSV."""

from __future__ import annotations

from collections.abc import Callable

from klik.installation import Installation
from klik.models import MunicipalTask, MunicipalTaskField
from tests import make
from tests.client import Browser


def blocking(work: object, title: str, value: str) -> MunicipalTask:
    session = work.session  # type: ignore[attr-defined]
    project = make.project(session, "ksd", system_code="ksd")
    task = make.municipal_task(session, in_project=project, title=title)
    field = MunicipalTaskField(
        municipal_task_id=task.id, municipality_id=task.municipality_id, field="ksd.blokerer", value=value
    )
    session.add(field)
    return task


def test_the_field_is_shown_filtered_and_exported(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    with house.writing(make.NOW) as work:
        task_id = blocking(work, "Prioritér de blokerende opgaver", "udbetaling").id
        blocking(work, "Kend brevene", "brev")
        email = make.person(work.session).email
    page = browser().sign_in(email)
    assert "Blokerer i KSD" in page.get(f"/opgaver/{task_id}").get_text(" ")
    both = page.get("/opgaver?system=ksd").get_text(" ")
    assert "Prioritér" in both and "Kend brevene" in both
    one = page.get("/opgaver?ksd.blokerer=udbetaling").get_text(" ")
    assert "Prioritér" in one and "Kend brevene" not in one
    assert "rubbish" in page.get("/opgaver?ksd.blokerer=rubbish").get_text(" ")
    lines = page.download("/opgaver.csv?ksd.blokerer=udbetaling").decode("utf-8-sig").splitlines()
    assert len(lines) == 2
    named = dict(zip(lines[0].split(";"), lines[1].split(";"), strict=True))
    assert named["Blokerer i KSD"] == "Udbetaling"
