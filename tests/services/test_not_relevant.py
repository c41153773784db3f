"""The account of "Ikke relevant": the share and the reasons, for KOMBIT alone."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest

from klik.domain.rights import Level
from klik.domain.status import Status
from klik.installation import Installation
from klik.services.errors import ForbiddenError
from klik.services.publishing import not_relevant
from klik.services.publishing.not_relevant import NotRelevant
from tests import make
from tests.client import Browser
from tests.make import NOW


@pytest.mark.parametrize(("count", "total", "percent"), [(12, 98, 12), (1, 98, 1), (0, 98, 0), (98, 98, 100)])
def test_the_share(count: int, total: int, percent: int) -> None:
    assert NotRelevant(total, (None,) * count).percent == percent  # type: ignore[arg-type]


def test_reasons_are_for_kombit_alone(house: Installation, browser: Callable[..., Browser]) -> None:
    with house.writing(NOW) as work:
        session = work.session
        version = make.task(session)
        for place in (make.KOEGE, make.HERNING, make.AARHUS):
            status = Status.NOT_RELEVANT if place != make.AARHUS else Status.COMPLETED
            row = make.municipal_task(session, version, municipality=place, status=status)
            if place != make.AARHUS:
                row.not_relevant_reason = f"=Grund i {place}"
        people = {level: make.person(session, level=level, systems=("kp",)) for level in Level}
        actors = {level: make.actor(session, person) for level, person in people.items()}
        task, mail = version.task_id, people[Level.KOMBIT_EDITOR].email
        supplier, copy = people[Level.SUPPLIER].email, row.id
    for level, actor in actors.items():
        with house.reading(NOW, actor) as work:
            if actor.kombit:
                found = not_relevant.of(work, task)
                assert (found.count, found.total, found.percent) == (2, 3, 67)
                assert [each.municipality for each in found.reasons] == ["Herning", "Køge"]
            else:
                with pytest.raises(ForbiddenError):
                    not_relevant.of(work, task)
                assert level is not Level.KOMBIT_ADMINISTRATOR
    window = browser().sign_in(mail)
    page = window.get(f"/udgivelser/{task}")
    assert "2 af 3 har meldt ikke relevant (67 %)" in page.text
    content = window.download(f"/udgivelser/{task}/ikke-relevant.csv").decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(content), delimiter=";")) == [
        ["Kommunekode", "Kommune", "Begrundelse"],
        ["657", "Herning", "'=Grund i 657"],
        ["259", "Køge", "'=Grund i 259"],
    ]
    assert "Grund i" not in browser().sign_in(supplier).get(f"/opgaver/{copy}").text
