"""Every plug-in we know keeps the contract that plug-in authors test theirs by; and the contract can fail."""

from __future__ import annotations

import importlib
import itertools
import subprocess
import sys
import types
from pathlib import Path

import pytest
from flask import Blueprint
from sqlalchemy import Column, Integer, MetaData, Table

from klik.plugins import Channel, PluginTables, hookimpl
from klik.testing import assert_plugin_contract

EXAMPLE = Path(__file__).parent / "example-dist"


@pytest.mark.parametrize("name", ["driftsstatus", "kp", "ksd", "ky"])
def test_our_own_plugins_keep_the_contract(name: str, tmp_path: Path) -> None:
    registry = assert_plugin_contract(name, importlib.import_module(f"klik.plugins.{name}"), tmp_path)
    both = {"driftsstatus": {"serviceplatformen", "stoettesystemer"}}
    assert set(registry.systems) == both.get(name, {name})


def test_the_example_keeps_the_contract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLE))
    module = importlib.import_module("klik_sapa")
    registry = assert_plugin_contract("sapa", module, tmp_path)
    assert set(registry.task_types) == {"sapa.udpeg-gruppe"}


def sinner(**parts: object) -> types.ModuleType:
    module = types.ModuleType("sinner")
    module.KLIK_API = (1, 0)  # type: ignore[attr-defined]
    for name, part in parts.items():
        setattr(module, name, hookimpl(part) if callable(part) else part)
    return module


def channels() -> tuple[Channel, ...]:
    return (Channel(key="sinner.x", label="X", send=print),)


def test_faults_are_named(tmp_path: Path) -> None:
    page = Blueprint("sinner", __name__)
    page.add_url_rule("/", "show", lambda: "")
    turns = itertools.cycle([channels(), ()])
    loose = PluginTables(
        metadata=MetaData(), versions=Path(__file__).parents[2] / "klik/plugins/ksd/migrations"
    )
    Table("sinner_x", loose.metadata, Column("id", Integer, primary_key=True))
    sinners = {
        "KLIK_API is": sinner(KLIK_API=(2, 0), klik_channels=channels),
        "implements no hook": sinner(),
        "klik has no hook klik_chanels": sinner(klik_channels=channels, klik_chanels=channels),
        "begynder ikke med": sinner(klik_channels=lambda: (Channel(key="y.x", label="X", send=print),)),
        "something else the second time": sinner(klik_channels=lambda: next(turns)),
        "sinner_x": sinner(klik_tables=lambda: (loose,)),
        "which right it takes": sinner(klik_blueprints=lambda: (page,)),
    }
    for number, (words, module) in enumerate(sinners.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        with pytest.raises(AssertionError, match=words):
            assert_plugin_contract("sinner", module, folder)


def test_the_pytest_plugin_costs_other_projects_nothing() -> None:
    program = (
        "import sys, klik.testing; print(sorted(m for m in sys.modules if m.startswith(('klik', 'sqlal'))))"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "['klik', 'klik.testing']"
