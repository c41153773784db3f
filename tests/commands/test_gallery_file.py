"""`klik import rollegalleri`: tried first, then read in, and the audit says that klik did it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from klik.cli import klik
from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import AuditEntry, RoleHolding
from klik.settings import Settings
from tests import make
from tests.services.test_gallery_sheet import HEAD, book, row


@pytest.fixture
def house(sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Installation:
    monkeypatch.setenv("KLIK_DATA", str(sqlite_settings.data))
    monkeypatch.setenv("KLIK_DATABASE_URL", sqlite_settings.database_url)
    monkeypatch.setenv("KLIK_SECRET_KEY", sqlite_settings.secret_key)
    made = Installation(sqlite_settings)
    with made.writing(datetime.now(UTC)) as work:
        make.has_system(work.session, make.KOEGE, "kp")
        make.person(work.session, "Karen Kjær", level=Level.ADMINISTRATOR, email="karen@koege.example")
    return made


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "galleri.xlsx"
    path.write_bytes(book([HEAD, row("Systemansvarlig", system="KP", mail="karen@koege.example")]))
    return str(path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(klik, ["import", *arguments])


def held(house: Installation) -> list[str]:
    with house.database.reading() as session:
        return list(session.scalars(select(RoleHolding.role)))


def test_tried_read_in_and_written_down_as_kliks(house: Installation, file: str) -> None:
    place = ("--municipality", str(make.KOEGE))
    tried = run("rollegalleri", file, *place, "--dry-run")
    assert (tried.exit_code, held(house)) == (0, []), tried.output
    assert "1 ny, 0 ændret" in tried.output
    done = run("rollegalleri", file, *place)
    assert (done.exit_code, held(house)) == (0, ["systemansvarlig"]), done.output
    again = run("rollegalleri", file, *place)
    assert "0 forkert, 0 ny, 0 ændret, 0 fjernet, 1 uændret" in again.output
    with house.database.reading() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "rolle-besaet")).one()
        assert (entry.person_id, entry.municipality_id) == (None, make.KOEGE)


def test_only_a_person_lets_others_in_and_the_kind_is_not_offered(house: Installation, file: str) -> None:
    refused = run("rollegalleri-med-adgang", file, "--municipality", str(make.KOEGE))
    assert refused.exit_code == 1
    assert "Det kan kun en person, der er logget ind" in refused.output
    assert held(house) == []
    unknown = run("ukendt", file)
    assert "rollegalleri" in unknown.output
    assert "rollegalleri-med-adgang" not in unknown.output
