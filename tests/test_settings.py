"""Every setting, every bad value: one Danish line that names it, all at once, and never a secret."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from klik import settings
from klik.settings import SettingsError

SECRET = "a-secret-key-for-tests-only-0123456789"


def _load(tmp_path: Path, **given: str) -> settings.Settings:
    return settings.load({"KLIK_DATA": str(tmp_path), "KLIK_SECRET_KEY": SECRET} | given)


BAD = [
    ("KLIK_DATABASE_URL", "postgres://x/y", "postgresql://"),
    ("KLIK_DATABASE_URL", "sqlite:///klik.sqlite", "fuld sti"),
    ("KLIK_DATABASE_URL", "mysql://x/y", "postgresql://"),
    ("KLIK_SECRET_KEY", "short", "mindst 32"),
    ("KLIK_SECRET_KEY", "a" * 40, "for let"),
    ("KLIK_BASE_URL", "klik.example", "webadresse"),
    ("KLIK_BASE_URL", "http://klik.example", "https://"),
    ("KLIK_BASE_URL", "https://klik.example/?a=b", "webadresse"),
    ("KLIK_SMTP_URL", "smtp://x:99999", "65535"),
    ("KLIK_SMTP_URL", "smtp://x:abc", "65535"),
    ("KLIK_SMTP_URL", "http://x", "smtp://"),
    ("KLIK_MAIL_FROM", "klik", "mailadresse"),
    ("KLIK_MAIL_FROM", "a@b\nBcc:c@d", "mailadresse"),
    ("KLIK_YELLOW_DAYS", "-1", "0 og 365"),
    ("KLIK_YELLOW_DAYS", "1e9", "0 og 365"),
    ("KLIK_YELLOW_DAYS", "٣", "0 og 365"),
    ("KLIK_RETURN_ADDRESS", "retur", "mailadresse"),
    ("KLIK_ARCHIVE_DAYS", "0", "1 og 3650"),
    ("KLIK_ARCHIVE_DAYS", "3651", "1 og 3650"),
    ("KLIK_LEADER_DAYS", "21", "0 og 20"),
    ("KLIK_LEADER_DAYS", "fem", "0 og 20"),
    ("KLIK_PHASES_DIR", "/findes/ikke", "findes ikke"),
    ("KLIK_ROLES_DIR", "/findes/ikke", "findes ikke"),
    ("KLIK_LOG_LEVEL", "loud", "DEBUG"),
    ("KLIK_CONFIG", "/findes/ikke", "kan ikke læses"),
]


@pytest.mark.parametrize(("name", "value", "words"), BAD)
def test_a_bad_value_is_named(tmp_path: Path, name: str, value: str, words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        _load(tmp_path, **{name: value})
    assert [
        problem for problem in caught.value.problems if problem.startswith(f"{name}:") and words in problem
    ]
    assert len(caught.value.problems) == 1


def test_every_setting_has_a_bad_value_here() -> None:
    assert {name for name, _value, _words in BAD} == settings.NAMES - {"KLIK_DATA", "KLIK_DISABLED_PLUGINS"}


def test_all_problems_come_at_once_without_secrets(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        _load(
            tmp_path,
            KLIK_SECRET_KEY="hemmelig-men-kort",
            KLIK_DATABASE_URL="mysql://bruger:kodeord@x/y",
            KLIK_YELLOW_DAYS="x",
        )
    text = "\n".join(caught.value.problems)
    assert len(caught.value.problems) == 3
    assert "hemmelig" not in text
    assert "kodeord" not in text


def test_a_data_folder_that_is_a_file(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(SettingsError, match="KLIK_DATA"):
        _load(tmp_path, KLIK_DATA=str(file))


def test_unknown_names_are_warned_of(tmp_path: Path) -> None:
    assert _load(tmp_path, KLIK_YELOW_DAYS="3").warnings == (
        "KLIK_YELOW_DAYS kendes ikke; mentes der KLIK_YELLOW_DAYS?",
    )
    assert _load(tmp_path, KLIK_KP_TEAMS_URL="https://x").warnings == ()


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    file = tmp_path / "settings"
    file.write_text("# klik\nKLIK_YELLOW_DAYS=21\nKLIK_LOG_LEVEL='warning'\n", "utf-8")
    assert _load(tmp_path, KLIK_CONFIG=str(file)).yellow_days == 21
    assert _load(tmp_path, KLIK_CONFIG=str(file), KLIK_YELLOW_DAYS="7").yellow_days == 7
    assert _load(tmp_path, KLIK_CONFIG=str(file)).log_level == "WARNING"


def test_the_data_folders_own_file_comes_last(tmp_path: Path) -> None:
    settings.local_file(tmp_path).write_text("KLIK_YELLOW_DAYS=3\nKLIK_MAIL_FROM=x@y.example\n", "utf-8")
    loaded = _load(tmp_path, KLIK_YELLOW_DAYS="9")
    assert (loaded.yellow_days, loaded.mail_from) == (9, "x@y.example")


def test_wrong_settings_end_with_78(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "klik", "check", "--data", str(tmp_path)],
        env={"KLIK_SMTP_URL": "smtp://x:0", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parent.parent,
    )
    assert done.returncode == 78
    assert "KLIK_SMTP_URL" in done.stderr
    assert "KLIK_SECRET_KEY" in done.stderr
    assert "Traceback" not in done.stderr
