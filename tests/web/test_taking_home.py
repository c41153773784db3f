"""The pages on which tasks are taken home: ways in, how far it is, what was fetched. No page ever draws a PDF."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import Export
from klik.services import exports
from klik.services.tasks import attachments
from tests import make
from tests.client import Browser

EMAIL = "mette@koege.example"


@pytest.fixture
def tasks(house: Installation) -> list[int]:
    """Three tasks in Køge, the first with a file, and Mette there."""
    with house.writing(make.NOW) as work:
        mette = make.person(work.session, "Mette Holm", email=EMAIL)
        me = make.actor(work.session, mette)
        make.person(work.session, email="karen@kombit.example", level=Level.KOMBIT_EDITOR, municipality=None)
        ids = [make.municipal_task(work.session, title=f"Opgave {n}").id for n in range(3)]
    with house.writing(make.NOW, me) as work:
        attachments.add(work, house.files, ids[0], "Budget.csv", b"kroner")
    return ids


def packed(house: Installation, export_id: int, *, missing: tuple[str, ...] = ()) -> None:
    """As the worker leaves it: a package of one task at its place."""
    path = exports.path_of(exports.folder_in(house.settings.data), export_id)
    path.parent.mkdir(exist_ok=True)
    task = {"id": 1, "sha256": "a" * 64, "files": 2}
    with zipfile.ZipFile(path, "w") as package:
        manifest = {"code": "7KQF-M3ZP-2R8W", "files": [], "missing": missing, "tasks": [task]}
        package.writestr("manifest.json", json.dumps(manifest))
    with house.writing(make.NOW) as work:
        export = work.session.get_one(Export, export_id)
        export.state, export.done, export.size = "faerdig", export.total, path.stat().st_size
        export.file_name, export.expires_at = "Opgaver Køge.zip", datetime.now(UTC) + timedelta(days=7)


def test_from_ticks_to_a_fetched_package(
    house: Installation, tasks: list[int], browser: Callable[..., Browser]
) -> None:
    window = browser().sign_in(EMAIL)
    page = window.get("/opgaver?fuldfoerte=nej")
    assert page.select_one("button[formaction='/eksport/ny'][form], form button[formaction='/eksport/ny']")
    page = window.post("/eksport/ny", {"opgave": [str(tasks[0]), str(tasks[2])], "filter": ""})
    assert "Eksportér 2 opgaver" in page.h1.text
    assert [button["value"] for button in page.select("button[name=kind]")] == ["zip", "pdf", "xlsx"]
    page = window.submit(page, "/eksport", kind="zip")
    path = window.response.request.path
    assert "Venter på tur" in page.text and page.select_one("#udtraek[data-moving][hx-get]")
    export_id = int(path.rpartition("/")[2])
    packed(house, export_id, missing=("MI 01 Opgave 0: Filen »Budget.csv« mangler.",))
    page = window.get(path)
    assert page.select_one("#udtraek[data-file]") and "»Budget.csv« mangler" in page.text
    assert "7KQF-M3ZP-2R8W" in page.text and "1 opgave og 2 vedhæftede filer" in page.text
    assert not window.get("/eksport").select(".export-fetched")
    answer = window.download(f"{path}/fil")
    assert zipfile.ZipFile(BytesIO(answer)).namelist() == ["manifest.json"]
    assert window.response.headers["Cache-Control"] == "private, no-store"
    assert "af Mette Holm" in window.get("/eksport").select_one(".export-fetched").text
    assert json.loads(window.download(f"{path}/manifest"))["code"] == "7KQF-M3ZP-2R8W"
    exports.path_of(exports.folder_in(house.settings.data), export_id).unlink()
    assert "Filen er fjernet" in window.get(path).text
    assert "Filen er fjernet" in window.get("/eksport").text
    # Everything above was asked of the pages, and not one of them has started what draws.
    assert "renderer" not in window.app.extensions["klik"].__dict__


def test_the_promised_address_leads_to_the_order(
    tasks: list[int], browser: Callable[..., Browser], house: Installation
) -> None:
    window = browser().sign_in("karen@kombit.example")
    window.get("/opgaver.zip?q=Opgave", expect=303, follow=False)
    assert window.response.location == "/eksport/ny?q=Opgave"
    page = window.get("/opgaver.zip?q=Opgave")
    assert "Eksportér 3 opgaver" in page.h1.text
    page = window.submit(page, "/eksport", kind="pdf")
    assert "PDF samlet" in page.h1.text
    assert "intet at eksportere" in window.get("/opgaver.zip?q=findesikke").text
    assert "renderer" not in window.app.extensions["klik"].__dict__


def test_the_administrator_alone_orders_everything(
    house: Installation, tasks: list[int], browser: Callable[..., Browser]
) -> None:
    with house.writing(make.NOW) as work:
        make.person(work.session, "Karen", email="karen@koege.example", level=Level.ADMINISTRATOR)
    key = {"kind": "hus", "idempotency_key": "0d6f4a0e-5a53-4b6b-9d8e-0a2f5a1d9c12"}
    for email in (EMAIL, "karen@kombit.example"):
        window = browser().sign_in(email)
        assert "Hele kommunens indhold" not in window.get("/eksport").text
        window.post("/eksport", key, expect=403)
    window = browser().sign_in("karen@koege.example")
    page = window.get("/eksport")
    assert "Én ZIP med alt, hvad Køge har i klik" in " ".join(page.text.split())
    page = window.submit(page, "/eksport")
    assert "Udtræk: Hele kommunens indhold" in page.h1.text and "Alt, hvad kommunen har i klik" in page.text
    path = window.response.request.path
    packed(house, int(Path(path).name))
    assert "Hent Opgaver Køge.zip" in window.get(path).text
    assert window.download(f"{path}/fil")[:2] == b"PK"
    assert "Hele kommunens indhold, " in window.get("/eksport").text


def test_what_cannot_be_ordered_is_said(tasks: list[int], browser: Callable[..., Browser]) -> None:
    window = browser().sign_in(EMAIL)
    page = window.post("/eksport/ny", {"filter": ""})
    assert "Sæt først et mark" in page.text
    page = window.post("/eksport/ny", {"filter": "", "opgave": ["999"]})
    assert "findes ikke længere" in page.text
    page = window.post("/eksport/ny", {"filter": "q=Opgave", "alle": "ja"})
    assert "Eksportér 3 opgaver" in page.h1.text
    key = "0d6f4a0e-5a53-4b6b-9d8e-0a2f5a1d9c11"
    for what in ({"sletning": "999"}, {"sletning": "x"}, {"query": ""} | {"kind": "exe"}):
        window.post("/eksport", {"kind": "zip", "idempotency_key": key} | what, expect=404)
    window.post("/eksport", {"kind": "zip", "opgaver": "x", "idempotency_key": key}, expect=422)
    page = window.get(f"/opgaver/{tasks[0]}")
    page = window.submit(page, "/eksport")
    assert "Udtræk til ZIP" in page.h1.text and "1 valgt opgave" in page.text
    assert not window.get(f"/opgaver/{tasks[1]}").select("form[action='/eksport']")
    path = window.response.request.path
    assert Path(path).name == str(tasks[1])
