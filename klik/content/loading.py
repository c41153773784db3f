"""Loading the content folders: all of it, or every problem of every file at once."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from klik.content.files import read_folder
from klik.content.keys import Key, Problem, nearest, read_table
from klik.content.phases import PHASE_KEYS, THEME_KEYS, Phase, Theme, phase_from, theme_from
from klik.content.roles import ROLE_KEYS, RoleDescription, RoleScope, role_from
from klik.domain.texts import sort_key

THEMES_FILE = "themes.toml"
THEMES_SECTION = "tema"

Values = dict[str, Any]


class ContentErrors(Exception):  # noqa: N818 - many errors in one
    """Everything wrong in the content folders; `problems` has one entry for each, in Danish."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(frozen=True, slots=True)
class Content:
    """Phases by number, themes in the order of their file, roles by name in Danish order.

    The lookups never fail: a slug that no file describes any more gives an object marked `is_retired` with
    the slug as its name, so that old tasks and role holdings can still be shown.
    """

    phases: tuple[Phase, ...]
    themes: tuple[Theme, ...]
    roles: tuple[RoleDescription, ...]

    def with_roles(self, more: Iterable[RoleDescription]) -> "Content":
        """The same with further roles among its own."""
        roles = sorted((*self.roles, *more), key=lambda role: sort_key(role.name))
        return replace(self, roles=tuple(roles))

    def phase(self, slug: str) -> Phase:
        """The phase with this slug."""
        return next((phase for phase in self.phases if phase.slug == slug), None) or Phase.retired(slug)

    def theme(self, slug: str) -> Theme:
        """The theme with this slug."""
        return next((theme for theme in self.themes if theme.slug == slug), None) or Theme.retired(slug)

    def role(self, slug: str) -> RoleDescription:
        """The role with this slug."""
        return next((role for role in self.roles if role.slug == slug), None) or RoleDescription.retired(slug)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One thing before it is built: where it stands, and its values as far as they could be read."""

    file: str
    section: str
    values: Values


def load(phases_dir: Path, roles_dir: Path) -> Content:
    """Read both folders; raises `ContentErrors` with every problem of every file."""
    phase_tables, problems = read_folder(phases_dir)
    themes_file = f"{phases_dir.name}/{THEMES_FILE}"
    themes_table = phase_tables.pop(themes_file, None)
    some_phase_is_unread = any(problem.file != themes_file for problem in problems)
    role_tables, role_file_problems = read_folder(roles_dir)

    phases = _entries(phase_tables, PHASE_KEYS, problems)
    themes = _theme_entries(themes_file, themes_table, problems)
    problems += role_file_problems
    roles = _entries(role_tables, ROLE_KEYS, problems)

    problems += _repeated(phases, ("slug", "nummer", "navn"))
    problems += _repeated(themes, ("slug", "praefiks", "navn"))
    problems += _repeated(roles, ("slug", "navn"))
    problems += _role_contradictions(roles)
    if not some_phase_is_unread and all("slug" in entry.values for entry in phases):
        problems += _lost_phases(roles, {entry.values["slug"] for entry in phases})
    if problems:
        raise ContentErrors(sorted(problems, key=lambda problem: problem.file))
    return Content(
        phases=tuple(sorted(_built(phases, phase_from), key=lambda phase: phase.number)),
        themes=tuple(_built(themes, theme_from)),
        roles=tuple(sorted(_built(roles, role_from), key=lambda role: sort_key(role.name))),
    )


def _entries(
    tables: dict[str, Values], keys: Iterable[Key], problems: list[Problem], section: str = ""
) -> list[_Entry]:
    entries = []
    for file, table in tables.items():
        values, found = read_table(table, keys)
        problems += [Problem(file, section + key, sentence) for key, sentence in found]
        entries.append(_Entry(file, section, values))
    return entries


def _theme_entries(file: str, table: Values | None, problems: list[Problem]) -> list[_Entry]:
    if table is None:
        if not any(problem.file == file for problem in problems):
            problems.append(Problem(file, "", "filen mangler."))
        return []
    for name in table:
        if name != THEMES_SECTION:
            problems.append(Problem(file, name, f"nøglen kendes ikke. {nearest(name, [THEMES_SECTION])}"))
    sections = table.get(THEMES_SECTION)
    if (
        not sections
        or not isinstance(sections, list)
        or not all(isinstance(section, dict) for section in sections)
    ):
        problems.append(Problem(file, THEMES_SECTION, "hvert tema skal begynde med en linje med [[tema]]."))
        return []
    entries = []
    for place, section in enumerate(sections, start=1):
        entries += _entries({file: section}, THEME_KEYS, problems, f"{THEMES_SECTION} nr. {place}: ")
    return entries


def _repeated(entries: Iterable[_Entry], keys: Iterable[str]) -> Iterable[Problem]:
    for key in keys:
        first: dict[Any, _Entry] = {}
        for entry in entries:
            if key not in entry.values:
                continue
            value = entry.values[key]
            other = first.setdefault(value, entry)
            if other is not entry:
                place = f"{other.file}, {other.section}".rstrip(", :")
                yield Problem(entry.file, entry.section + key, f"“{value}” bruges også i {place}.")


def _role_contradictions(roles: Iterable[_Entry]) -> Iterable[Problem]:
    for role in roles:
        values = role.values
        if values.get("systemer") and values.get("omfang") is RoleScope.MUNICIPALITY:
            yield Problem(role.file, "systemer", "kan kun bruges, når omfang er “system”.")
        if "faser" not in values:
            continue
        for slug in sorted(set(values.get("spoc_faser", ())) - set(values["faser"])):
            yield Problem(role.file, "spoc_faser", f"“{slug}” skal også stå under faser.")


def _lost_phases(roles: Iterable[_Entry], known: set[str]) -> Iterable[Problem]:
    for role in roles:
        for key in ("faser", "spoc_faser"):
            for slug in role.values.get(key, ()):
                if slug not in known:
                    yield Problem(role.file, key, f"fasen “{slug}” findes ikke. {nearest(slug, known)}")


def _built(entries: Iterable[_Entry], build: Callable[[Values], Any]) -> list[Any]:
    return [build(entry.values) for entry in entries]
