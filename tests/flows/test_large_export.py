"""A list too long for a page: ordered, made by the worker, which is killed in the middle, fetched, and cancelled."""

from __future__ import annotations

import csv
import io
import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from klik.installation import Installation
from klik.models import Export, JobRun, MunicipalTask
from klik.services import exports
from klik.settings import Settings
from tests import make
from tests.flows.site import Site, links, served, start
from tests.sink import running_sink, wait_until

pytestmark = pytest.mark.hard
METTE = "mette@koege.example"
ROWS = 20_000


@pytest.fixture
def site(house_settings: Settings) -> Iterator[Site]:
    with running_sink() as sink, served(house_settings, sink) as site:
        yield site


@pytest.fixture
def house(site: Site) -> Iterator[Installation]:
    """Køge with twenty thousand tasks, one more in Herning, and the same data as the served processes have."""
    installation = Installation(site.settings)
    with installation.writing(make.NOW) as work:
        make.person(work.session, email=METTE)
        make.municipal_task(work.session, title="Hannes i Herning", municipality=make.HERNING)
        make.municipal_task(work.session, title="Den første", local=True)
        columns = MunicipalTask.__table__.columns
        first = dict(
            work.session.execute(select(*columns).where(MunicipalTask.title == "Den første")).mappings().one()
        )
        del first["id"]
        work.session.execute(
            insert(MunicipalTask), [first | {"title": f"Opgave {number}"} for number in range(1, ROWS)]
        )
    yield installation
    installation.close()


def row(house: Installation) -> dict[str, Any]:
    """The newest export as it stands."""
    with house.reading(datetime.now(UTC)) as work:
        columns = Export.__table__.columns
        found = work.session.execute(select(*columns).order_by(Export.id.desc()).limit(1))
        return dict(found.mappings().one())


def under_way(house: Installation) -> bool:
    found = row(house)
    return bool(found["state"] == exports.RUNNING and found["done"])


def test_killed_in_the_middle_it_is_made_anew_and_whole(site: Site, house: Installation) -> None:
    mette = site.visitor().sign_in(METTE)
    page = mette.get("/opgaver.xlsx?fuldfoerte=nej&sorter=titel")
    assert "20.000 opgaver" in page.h1.text  # type: ignore[union-attr]
    page = mette.submit(page, "/eksport")
    path = mette.response.request.path
    assert "Venter på tur" in page.text
    with house.writing(datetime.now(UTC)) as work:
        work.session.execute(update(Export).values(kind="csv"))
    folder = exports.folder_in(site.settings.data)
    first = start(site.environ, "run-job", "run-exports")
    try:
        wait_until(lambda: under_way(house) or first.poll() is not None, 90)
        page = mette.get(path)
        assert first.poll() is None and "Bliver lavet" in page.text
    finally:
        os.kill(first.pid, signal.SIGKILL)
        first.communicate()
    # Nothing half made can be fetched, and as long as the dead worker might live nobody takes it over.
    assert [file.name for file in folder.iterdir() if not file.name.startswith(".tmp-")] == []
    mette.download(f"{path}/fil", expect=404)
    assert "Ingen udtræk venter." in site.klik("run-job", "run-exports")
    with house.writing(datetime.now(UTC)) as work:
        work.session.execute(update(Export).values(lease_until=datetime.now(UTC) - timedelta(seconds=1)))
    assert "1 udtræk er lavet." in site.klik("run-job", "run-exports")
    page = mette.get(path)
    assert "Klar" in page.text
    table = list(
        csv.reader(io.StringIO(mette.download(f"{path}/fil").decode("utf-8-sig"), newline=""), delimiter=";")
    )
    titles = [line[1] for line in table[1:]]
    assert len(titles) == len(set(titles)) == ROWS and "Hannes i Herning" not in titles
    assert {len(line) for line in table} == {len(table[0])}
    for _ in range(2):
        site.klik("run-job", "deliver")
    ((_address, _raw),) = site.sink.received
    text = site.sink.messages()[0].get_body(("plain",))
    assert text is not None and f"{site.url}{path}" in links(str(text.get_content()))
    # What the dead worker left is swept away a day later.
    (left,) = folder.glob(".tmp-*")
    day_before = time.time() - 25 * 3600
    os.utime(left, (day_before, day_before))
    site.klik("run-job", "sweep")
    assert not left.exists() and exports.path_of(folder, int(path.rpartition("/")[2])).exists()


def test_cancelled_while_the_worker_makes_it_and_nobody_waits_for_it(site: Site, house: Installation) -> None:
    mette = site.visitor().sign_in(METTE)
    # Three, so that the worker still makes files when its other jobs are done, however fast the machine is.
    paths = []
    for _ in range(3):
        mette.submit(mette.get("/opgaver.xlsx?fuldfoerte=nej"), "/eksport")
        paths.append(mette.response.request.path)
    worker = start(site.environ, "worker")
    try:
        # All the other jobs come to their end while the files are made.
        wait_until(lambda: {"sweep", "run-exports"} & ended(house), 90)
        assert "run-exports" not in ended(house)
        for path in paths[:-1]:
            page = mette.get(path)
            if "Annullér udtrækket" in page.text:
                mette.submit(page, f"{path}/annuller")
        wait_until(lambda: under_way(house), 90)
        path = paths[-1]
        page = mette.submit(mette.get(path), f"{path}/annuller")
        assert "Annulleret" in page.text
        wait_until(lambda: "run-exports" in ended(house), 60)
    finally:
        worker.send_signal(signal.SIGTERM)
        said = worker.communicate(timeout=90)[0]
    assert worker.returncode == 0, said
    assert not (exports.folder_in(site.settings.data) / path.rpartition("/")[2]).exists()
    assert not list(exports.folder_in(site.settings.data).glob(".tmp-*"))
    mette.download(f"{path}/fil", expect=404)


def ended(house: Installation) -> set[str]:
    """The jobs that came to their end."""
    with house.reading(datetime.now(UTC)) as work:
        return set(work.session.scalars(select(JobRun.job).where(JobRun.finished_at.is_not(None))))
