"""What the monitoring and the operators see."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import text

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import Heartbeat
from tests import make
from tests.client import Browser


def test_health_for_the_monitoring(browser: Callable[..., Browser]) -> None:
    mine = browser()
    assert mine.download("/sundhed") == b"ok\n"
    assert mine.download("/sundhed/klar") == b"klar\n"


def test_not_ready_before_the_upgrade(browser: Callable[..., Browser], house: Installation) -> None:
    with house.database.writing() as session:
        session.execute(text("update alembic_version set version_num = '0000'"))
    assert "opgraderes" in browser().download("/sundhed/klar", expect=503).decode()


def test_not_ready_when_the_database_is_gone(browser: Callable[..., Browser], house: Installation) -> None:
    mine = browser()
    mine.download("/sundhed/klar")
    app_house: Installation = mine.app.extensions["klik"]
    app_house.database.close()
    if house.database.sqlite:
        (house.settings.data / "klik.sqlite").unlink()
        (house.settings.data / "klik.sqlite").mkdir()
    else:
        with house.database.writing() as session:
            session.execute(text("drop table alembic_version"))
    assert mine.download("/sundhed/klar", expect=503)
    assert mine.download("/sundhed") == b"ok\n"


def test_metrics_are_numbers(browser: Callable[..., Browser], house: Installation) -> None:
    with house.database.writing() as session:
        session.add(Heartbeat(process="worker", at=make.NOW, detail=""))
    lines = browser().download("/metrics").decode().splitlines()
    own = [line for line in lines if line.startswith("klik_")]
    assert any(line.startswith('klik_heartbeat_age_seconds{process="worker"} ') for line in own)
    assert any(line.startswith("process_resident_memory_bytes ") for line in lines)
    assert all(float(line.rsplit(" ", 1)[1]) >= 0 for line in own)


def test_the_operations_page_names_what_is_wrong(
    browser: Callable[..., Browser], house: Installation
) -> None:
    with house.database.writing() as session:
        make.person(session, level=Level.KOMBIT_ADMINISTRATOR, email="gitte@kombit.example")
    page = browser().sign_in("gitte@kombit.example").get("/drift")
    assert "Arbejdsprocessen (klik worker) har ikke kørt endnu" in page.text
    assert "ksd" in page.text


def test_others_do_not_see_operations(browser: Callable[..., Browser], house: Installation) -> None:
    with house.database.writing() as session:
        make.person(session, level=Level.ADMINISTRATOR, email="karen@koege.example")
    browser().sign_in("karen@koege.example").get("/drift", expect=403)
