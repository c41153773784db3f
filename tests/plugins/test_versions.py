"""Which plug-ins fit this klik, and that klik keeps what its interface has promised."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from klik.app import create_app
from klik.cli import klik as command_line
from klik.domain.rights import Level
from klik.installation import Installation
from klik.plugins import manager
from klik.services import schema
from klik.settings import Settings
from tests import make
from tests.client import Browser
from tests.conftest import SECRET
from tests.plugins.interface_listing import broken, listing

FOLDER = Path(__file__).parent / "interface"
COMMAND = "python -m tests.plugins.interface_listing > tests/plugins/interface/{}.txt"
FITS = {"foerste": (1, 0), "anden": (1, 1)}
TOO_NEW_OR_OLD = {"kommende": (1, 2), "naeste": (2, 0), "forrige": (0, 9)}
SOURCE = """
from klik.plugins import ItSystem, hookimpl

KLIK_API = {wanted}


@hookimpl
def klik_systems():
    return (ItSystem(code="{name}", name="{name}", supplier="Leverandøren"),)
"""


def stored() -> dict[tuple[int, int], list[str]]:
    """The listings of every version there has been."""
    found = {}
    for file in FOLDER.glob("*.txt"):
        first, second = file.stem.split(".")
        found[int(first), int(second)] = file.read_text("utf-8").splitlines()
    return found


def test_what_was_promised_is_kept_until_the_first_number_rises() -> None:
    versions = stored()
    assert {(1, 0), (1, 1)} <= set(versions) and max(versions) == manager.API
    kept = listing()
    for version, promised in versions.items():
        if version[0] == manager.API[0]:
            wrong = broken(promised, kept)
            assert not wrong, f"{version} promised more, so raise the first number of manager.API: {wrong}"


def test_what_is_added_stands_in_the_listing() -> None:
    version = ".".join(map(str, manager.API))
    added = sorted(set(listing()) ^ set(stored()[manager.API]))
    assert not added, (
        f"the interface has other things than {version} says: {added}. Raise the second number of manager.API "
        f"if {version} is released, then run: {COMMAND.format(version)}"
    )


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("klik.plugins.find_cpr_numbers", "", "klik.plugins.find_cpr_numbers"),
        ("klik.plugins.Panel.title", "", "klik.plugins.Panel.title"),
        ("klik.plugins.TaskView.title", "", "klik.plugins.TaskView.title"),
        ("hook klik_roles -> Iterable[RoleDescription]", "", "hook klik_roles -> Iterable[RoleDescription]"),
        ("hook klik_task_published(context)", "", "hook klik_task_published(context)"),
        (
            "klik.plugins.ExtraField.help (optional)",
            "klik.plugins.ExtraField.help",
            "klik.plugins.ExtraField.help (optional)",
        ),
        ("", "klik.plugins.Choice.colour", "klik.plugins.Choice.colour is demanded now"),
        ("", "klik.plugins.long_date(zone)", "klik.plugins.long_date(zone) is demanded now"),
        ("", "klik.plugins.Choice.colour (optional)", None),
        ("", "klik.plugins.TaskView.colour", None),
        ("", "hook klik_task_published(more)", None),
        ("", "klik.plugins.Brandnew.colour", None),
        ("klik.plugins.ExtraField.key", "klik.plugins.ExtraField.key (optional)", None),
    ],
)
def test_what_breaks_a_promise_is_seen(before: str, after: str, words: str | None) -> None:
    promised = stored()[1, 0]
    assert not before or before in promised
    kept = [after if line == before else line for line in promised]
    found = broken(promised, kept if before else [*kept, after])
    assert (words in found) if words else found == []


@pytest.fixture
def versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A distribution for each version, as pip would have left it."""
    for name, wanted in (FITS | TOO_NEW_OR_OLD).items():
        info = tmp_path / "installed" / f"klik_{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: klik-{name}\nVersion: 1.0\n", "utf-8")
        (info / "entry_points.txt").write_text(f"[klik.plugins]\n{name} = klik_version_{name}\n", "utf-8")
        source = SOURCE.format(wanted=wanted, name=name)
        (tmp_path / "installed" / f"klik_version_{name}.py").write_text(source, "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path / "installed"))
    yield
    for name in [name for name in sys.modules if name.startswith("klik_version_")]:
        del sys.modules[name]


@pytest.mark.usefixtures("versions")
def test_older_ones_load_and_too_new_ones_are_named_while_the_others_load(sqlite_settings: Settings) -> None:
    house = Installation(sqlite_settings)
    try:
        states = {info.name: info.state for info in house.registry.plugins}
        assert {name: states[name] for name in ("ksd", *FITS)} == dict.fromkeys(("ksd", *FITS), "i drift")
        for name, wanted in TOO_NEW_OR_OLD.items():
            sentence = f"er skrevet til en anden version af klik ({wanted}), klik har {manager.API}"
            assert states[name] == sentence
        assert {"ksd", *FITS} <= set(house.registry.systems)
        assert not set(TOO_NEW_OR_OLD) & set(house.registry.systems)
        schema.upgrade(house.database, house.registry)
        with house.writing(make.NOW) as work:
            email = make.person(work.session, level=Level.KOMBIT_ADMINISTRATOR, municipality=None).email
    finally:
        house.close()
    environment = {"KLIK_DATA": str(sqlite_settings.data), "KLIK_SECRET_KEY": SECRET}
    shown = CliRunner().invoke(command_line, ["plugins"], env=environment).output
    assert "foerste  1.0  (klik-foerste)  i drift" in shown
    assert (
        "kommende  1.0  (klik-kommende)  er skrevet til en anden version af klik ((1, 2)), klik har" in shown
    )
    app = create_app(sqlite_settings)
    try:
        page = Browser(app).sign_in(email).get("/drift").get_text(" ")
        assert all(name in page for name in (*FITS, *TOO_NEW_OR_OLD))
        assert "er skrevet til en anden version af klik" in page
    finally:
        app.extensions["klik"].close()
