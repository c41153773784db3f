"""Large files in the background: made with the person's rights, with progress, cancelled, fetched, forgotten."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import Export, Membership, Notice, Person
from klik.services import exports, filtering, tables
from klik.services.errors import NotFoundError, RefusedError
from klik.services.exports import running
from klik.services.work import Actor, Work
from klik.web.exports import views
from tests import make
from tests.client import Browser
from tests.make import NOW

Scene = tuple[Actor, int]


@pytest.fixture
def scene(house: Installation) -> Scene:
    """Mette of Køge with three tasks, and an export of them she has ordered."""
    with house.writing(NOW) as work:
        me = make.actor(work.session, make.person(work.session, "Mette Holm"))
        for number in range(3):
            make.municipal_task(work.session, title=f"Opgave {number}")
        make.municipal_task(work.session, title="I Herning", municipality=make.HERNING)
    with house.writing(NOW, me) as work:
        return me, _ordered(work)


def _ordered(work: Work, kind: str = "csv") -> int:
    return exports.order(work, kind, filtering.read(work.registry, "")).id


def _folder(house: Installation) -> Path:
    return exports.folder_in(house.settings.data)


def _run(house: Installation, now: datetime = NOW) -> int:
    return exports.run_waiting(house, _folder(house), lambda: now, 60)


def _export(house: Installation, export_id: int) -> Export:
    with house.reading(NOW) as work:
        found = work.session.get_one(Export, export_id)
        work.session.expunge(found)
        return found


def test_made_told_fetched_and_forgotten(house: Installation, scene: Scene) -> None:
    me, export_id = scene
    assert (_run(house), _run(house)) == (1, 0)
    export = _export(house, export_id)
    assert (export.state, export.done, export.total) == ("faerdig", 3, 3)
    with house.reading(NOW, me) as work:
        _row, path = exports.fetch(work, _folder(house), export_id)
        rows = list(csv.reader(io.StringIO(path.read_text("utf-8-sig")), delimiter=";"))
        assert [row[1] for row in rows[1:]] == ["Opgave 0", "Opgave 1", "Opgave 2"]
        notice = work.session.scalars(select(Notice)).one()
        assert (notice.occasion, notice.person_id) == ("eksport-klar", me.person_id)
    assert path.stat().st_mode & 0o077 == 0
    later = NOW + exports.KEPT + timedelta(minutes=1)
    with house.reading(later, me) as work, pytest.raises(NotFoundError):
        exports.fetch(work, _folder(house), export_id)
    with house.writing(later) as work:
        assert exports.sweep(work, _folder(house)) == 1
    assert not path.exists()
    # The account of what was taken home outlasts the file.
    with house.reading(later, me) as work:
        assert [there for _export, there in exports.receipts(work, _folder(house))] == [False]
    with house.writing(later + timedelta(days=366)) as work:
        assert exports.sweep(work, _folder(house)) == 1


def test_rights_are_those_of_the_moment(house: Installation, scene: Scene) -> None:
    me, export_id = scene
    with house.writing(NOW) as work:
        work.session.execute(update(Person).where(Person.id == me.person_id).values(active=False))
    _run(house)
    export = _export(house, export_id)
    assert export.state == "fejlet" and "adgang" in (export.error or "")
    assert not exports.path_of(_folder(house), export_id).exists()


def test_somebody_who_may_see_less_gets_less(house: Installation, scene: Scene) -> None:
    me, _export_id = scene
    with house.writing(NOW) as work:
        editor = make.person(work.session, level=Level.KOMBIT_EDITOR, municipality=None)
        kombit = make.actor(work.session, editor)
        make.municipal_task(work.session, local=True, title="Lokal i Køge")
    with house.writing(NOW, kombit) as work:
        theirs = _ordered(work)
    _run(house)
    text = exports.path_of(_folder(house), theirs).read_text("utf-8-sig")
    assert "I Herning" in text and "Lokal i Køge" not in text
    with house.reading(NOW, me) as work, pytest.raises(NotFoundError):
        exports.fetch(work, _folder(house), theirs)


def test_who_has_left_a_municipality_takes_no_file_of_it_along(house: Installation, scene: Scene) -> None:
    me, export_id = scene
    assert _run(house) == 1
    with house.writing(NOW) as work:
        herning = Membership(
            person_id=me.person_id,
            municipality_id=make.HERNING,
            level=Level.PLUS_USER.value,
            since=make.TODAY,
        )
        work.session.add(herning)
        work.session.flush()
        elsewhere = replace(me, membership_id=herning.id, municipality_id=make.HERNING)
    with house.reading(NOW, elsewhere) as work:
        assert exports.fetch(work, _folder(house), export_id)
        assert [export.id for export, _there in exports.receipts(work, _folder(house))] == [export_id]
    with house.writing(NOW) as work:
        work.session.execute(update(Membership).where(Membership.id == me.membership_id).values(active=False))
    with house.reading(NOW, elsewhere) as work:
        assert exports.receipts(work, _folder(house)) == []
        with pytest.raises(NotFoundError):
            exports.fetch(work, _folder(house), export_id)


def test_cancelled_before_and_while_it_is_made(
    house: Installation, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    me, export_id = scene
    with house.writing(NOW, me) as work:
        exports.cancel(work, export_id)
        second = _ordered(work)
    monkeypatch.setattr(tables, "PORTION", 1)
    monkeypatch.setattr(running, "TELL_EVERY", 0.0)
    asked = 0

    def clock() -> datetime:
        nonlocal asked
        asked += 1
        if asked == 6:  # after the first row is told
            with house.writing(NOW, me) as work:
                exports.cancel(work, second)
        return NOW

    assert exports.run_waiting(house, _folder(house), clock, 60) == 1
    assert [_export(house, each).state for each in (export_id, second)] == ["annulleret", "annulleret"]
    assert _export(house, second).done == 1
    assert not list(_folder(house).iterdir())


def test_a_worker_that_died_is_followed_by_another(house: Installation, scene: Scene) -> None:
    _me, export_id = scene
    assert running._claim(house, NOW) == (export_id, 1)
    assert _run(house) == 0
    later = NOW + exports.LEASE + timedelta(seconds=1)
    assert _run(house, later) == 1
    assert (_export(house, export_id).state, _export(house, export_id).fence) == ("faerdig", 2)
    with house.writing(later) as work, pytest.raises(exports.ExportCancelledError):
        running._store(work, export_id, 1, done=1)


def test_how_far_and_how_long() -> None:
    export = Export(state="i-gang", total=1000, done=250, started_at=NOW)
    assert exports.progress(export, NOW + timedelta(seconds=10)) == exports.Progress(25, 30)
    assert exports.progress(Export(state="venter", total=9, done=0), NOW) == exports.Progress(0, None)


def test_the_limits_are_told(house: Installation, scene: Scene) -> None:
    me, _export_id = scene
    with house.writing(NOW, me) as work:
        for _ in range(exports.MOST_WAITING - 1):
            _ordered(work)
        with pytest.raises(RefusedError, match="allerede 5 udtræk på vej"):
            _ordered(work)
        with pytest.raises(NotFoundError):
            _ordered(work, "exe")


def test_small_at_once_and_large_by_a_page(
    house: Installation, scene: Scene, browser: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    me, _export_id = scene
    window = browser().sign_in(me.email)
    assert window.download("/opgaver.xlsx")[:2] == b"PK"
    monkeypatch.setattr(views.exports, "AT_ONCE", 2)
    page = window.get("/opgaver.xlsx?sorter=titel")
    assert "3 opgaver" in page.h1.text
    page = window.submit(page, "/eksport")
    assert "Venter på tur" in page.text and page.select_one("#udtraek[hx-get]")
    path = window.response.request.path
    assert _run(house) == 2
    page = window.get(path)
    assert "Klar" in page.text and not page.select_one("#udtraek[hx-get]")
    assert window.download(f"{path}/fil")[:2] == b"PK"
    assert len(window.get("/eksport").select("tbody tr")) == 2
    with house.writing(NOW) as work:
        other = make.person(work.session, municipality=make.KOEGE).email
        assert work.session.scalars(select(Membership)).first()
    browser().sign_in(other).get(path, expect=404)
