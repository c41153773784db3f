"""Settings: the environment (or the file named by KLIK_CONFIG) read once, checked whole, then frozen."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from klik import paths

NAMES = {
    "KLIK_CONFIG",
    "KLIK_DATABASE_URL",
    "KLIK_DATA",
    "KLIK_SECRET_KEY",
    "KLIK_BASE_URL",
    "KLIK_SMTP_URL",
    "KLIK_MAIL_FROM",
    "KLIK_RETURN_ADDRESS",
    "KLIK_YELLOW_DAYS",
    "KLIK_LEADER_DAYS",
    "KLIK_ARCHIVE_DAYS",
    "KLIK_DISABLED_PLUGINS",
    "KLIK_PHASES_DIR",
    "KLIK_ROLES_DIR",
    "KLIK_LOG_LEVEL",
}
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
LEAST_SECRET = 32


class SettingsError(Exception):
    """Every wrong setting at once; ``problems`` holds one Danish sentence each, without any secret in it."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class SmtpAddress:
    """Where mail is handed over; ``encrypted`` means TLS from the first byte (``smtps://``)."""

    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    encrypted: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """All that an installation can choose; see docs/settings.md."""

    data: Path
    database_url: str = field(repr=False)
    secret_key: str = field(repr=False)
    base_url: str
    smtp: SmtpAddress | None
    mail_from: str
    return_address: str
    yellow_days: int
    leader_days: int
    archive_days: int
    disabled_plugins: frozenset[str]
    phases_dir: Path
    roles_dir: Path
    log_level: str
    plugin_settings: Mapping[str, str] = field(default_factory=dict, repr=False)
    warnings: tuple[str, ...] = ()

    @property
    def secure(self) -> bool:
        """Whether pages are served over https, so that cookies may demand it."""
        return self.base_url.startswith("https://")


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """Read and check all settings; raises SettingsError with every problem, never only the first."""
    problems: list[str] = []
    values = _given(os.environ if environment is None else environment, problems)
    data = data_folder(values)
    _check_data_folder(data, problems)
    if local_file(data).is_file():
        values = _config_file(str(local_file(data)), problems) | values
    values = {name: value.strip() for name, value in values.items()}
    settings = Settings(
        data=data,
        database_url=_database_url(values.get("KLIK_DATABASE_URL", ""), data, problems),
        secret_key=_secret(values.get("KLIK_SECRET_KEY", ""), data, problems),
        base_url=_base_url(values.get("KLIK_BASE_URL") or "http://127.0.0.1:5000", problems),
        smtp=_smtp(values.get("KLIK_SMTP_URL", ""), problems),
        mail_from=_mail_address("KLIK_MAIL_FROM", values.get("KLIK_MAIL_FROM") or "klik@localhost", problems),
        return_address=_return_address(values, problems),
        yellow_days=_days("KLIK_YELLOW_DAYS", values, 14, 365, problems),
        leader_days=_days("KLIK_LEADER_DAYS", values, 5, 20, problems),
        archive_days=_days("KLIK_ARCHIVE_DAYS", values, 90, 3650, problems, least=1),
        disabled_plugins=frozenset(values.get("KLIK_DISABLED_PLUGINS", "").replace(",", " ").split()),
        phases_dir=_folder("KLIK_PHASES_DIR", values.get("KLIK_PHASES_DIR", ""), "phases", problems),
        roles_dir=_folder("KLIK_ROLES_DIR", values.get("KLIK_ROLES_DIR", ""), "roles", problems),
        log_level=_log_level(values.get("KLIK_LOG_LEVEL") or "INFO", problems),
        plugin_settings={name: value for name, value in values.items() if name not in NAMES},
        warnings=tuple(_unknown(values)),
    )
    if problems:
        raise SettingsError(problems)
    return settings


def given() -> dict[str, str]:
    """What the environment and the file named by KLIK_CONFIG say, the environment first; nothing is checked."""
    return _given(os.environ, [])


def _given(environment: Mapping[str, str], problems: list[str]) -> dict[str, str]:
    return _config_file(environment.get("KLIK_CONFIG", ""), problems) | {
        name: value for name, value in environment.items() if name.startswith("KLIK_")
    }


def data_folder(values: Mapping[str, str]) -> Path:
    """Where these values put the data: KLIK_DATA, else ``data`` in the current folder."""
    return Path((values.get("KLIK_DATA") or "data").strip()).absolute()


def local_file(data: Path) -> Path:
    """Settings kept in the data folder itself; the environment and KLIK_CONFIG go before them."""
    return data / "klik.conf"


def _config_file(name: str, problems: list[str]) -> dict[str, str]:
    if not name:
        return {}
    try:
        text = Path(name).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        problems.append(f"KLIK_CONFIG: filen {name} kan ikke læses")
        return {}
    values = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        key, equals, value = line.partition("=")
        if not equals or not key.strip().startswith("KLIK_"):
            problems.append(f"KLIK_CONFIG: linje {number} i {name} er ikke på formen KLIK_NAVN=værdi")
            continue
        values[key.strip()] = value.strip().strip("\"'")
    return values


def _check_data_folder(folder: Path, problems: list[str]) -> None:
    if folder.exists() and not folder.is_dir():
        problems.append(f"KLIK_DATA: {folder} er en fil, ikke en mappe")
    elif folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
        problems.append(unwritable(folder))


def unwritable(folder: Path) -> str:
    """The sentence for a data folder that cannot be written."""
    return f"KLIK_DATA: der kan ikke skrives i mappen {folder}"


def _database_url(value: str, data: Path, problems: list[str]) -> str:
    if not value:
        return f"sqlite:///{data / 'klik.sqlite'}"
    if value.startswith("postgres://"):
        problems.append("KLIK_DATABASE_URL: skriv postgresql:// i stedet for den gamle form postgres://")
    elif value.startswith("sqlite:"):
        if not value.startswith("sqlite:////"):
            problems.append("KLIK_DATABASE_URL: en SQLite-fil skal have fuld sti: sqlite:////sti/klik.sqlite")
    elif not value.startswith(("postgresql://", "postgresql+psycopg://")):
        problems.append("KLIK_DATABASE_URL: klik kører på postgresql:// eller sqlite:////")
    return value


def secret_file(data: Path) -> Path:
    """Where a small installation keeps the key that it made for itself."""
    return data / "secret-key"


def _secret(value: str, data: Path, problems: list[str]) -> str:
    if not value:
        try:
            value = secret_file(data).read_text("ascii").strip()
        except (OSError, UnicodeDecodeError):
            problems.append(
                "KLIK_SECRET_KEY: mangler; sæt den, eller lad 'klik db upgrade' lave en i KLIK_DATA"
            )
            return ""
    if len(value) < LEAST_SECRET:
        problems.append(f"KLIK_SECRET_KEY: er på {len(value)} tegn og skal være på mindst {LEAST_SECRET}")
    elif len(set(value)) < 8:
        problems.append("KLIK_SECRET_KEY: er for let at gætte; brug en tilfældig nøgle")
    return value


def _base_url(value: str, problems: list[str]) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        problems.append(f"KLIK_BASE_URL: {value} er ikke en webadresse som https://klik.example")
    elif parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        problems.append("KLIK_BASE_URL: skal begynde med https://, når klik ikke kører på 127.0.0.1")
    return value.rstrip("/")


def _smtp(value: str, problems: list[str]) -> SmtpAddress | None:
    if not value:
        return None
    parts = urlsplit(value)
    try:
        port = parts.port
    except ValueError:
        problems.append("KLIK_SMTP_URL: porten er ikke et tal mellem 1 og 65535")
        return None
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or port == 0:
        problems.append("KLIK_SMTP_URL: skal se ud som smtp://bruger:kode@vært:port eller smtps://…")
        return None
    return SmtpAddress(
        host=parts.hostname,
        port=port or (465 if parts.scheme == "smtps" else 25),
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        encrypted=parts.scheme == "smtps",
    )


def _mail_address(setting: str, value: str, problems: list[str]) -> str:
    name, _, domain = value.partition("@")
    if not name or not domain or any(sign.isspace() or sign in "<>,\"'" for sign in value):
        problems.append(f"{setting}: {value!r} er ikke en mailadresse")
    return value


def _return_address(values: Mapping[str, str], problems: list[str]) -> str:
    value = values.get("KLIK_RETURN_ADDRESS", "")
    return _mail_address("KLIK_RETURN_ADDRESS", value, problems) if value else ""


def _days(
    name: str, values: Mapping[str, str], usual: int, most: int, problems: list[str], *, least: int = 0
) -> int:
    value = values.get(name) or str(usual)
    if not value.isascii() or not value.isdigit() or not least <= int(value) <= most:
        problems.append(f"{name}: {value} er ikke et helt antal dage mellem {least} og {most}")
        return usual
    return int(value)


def _folder(name: str, value: str, shipped: str, problems: list[str]) -> Path:
    folder = Path(value).absolute() if value else paths.shipped(shipped)
    if not folder.is_dir():
        problems.append(f"{name}: mappen {folder} findes ikke")
    return folder


def _log_level(value: str, problems: list[str]) -> str:
    if value.upper() not in LOG_LEVELS:
        problems.append(f"KLIK_LOG_LEVEL: {value} er ikke en af {', '.join(LOG_LEVELS)}")
    return value.upper()


def _unknown(values: Mapping[str, str]) -> list[str]:
    warnings = []
    for name in sorted(set(values) - NAMES):
        near = difflib.get_close_matches(name, NAMES, n=1, cutoff=0.75)
        if near:
            warnings.append(f"{name} kendes ikke; mentes der {near[0]}?")
    return warnings
