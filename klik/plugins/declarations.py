"""What a plug-in declares, checked before anything uses it: keys, types, names that exist, sizes that fit."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from klik.content.loading import Content
from klik.content.roles import RoleDescription, RoleScope
from klik.plugins.contributions import (
    Channel,
    Choice,
    DeadlineRule,
    ExtraField,
    Filter,
    Importer,
    ItSystem,
    Job,
    Measure,
    NotificationRule,
    Panel,
    PluginTables,
    TaskTemplate,
    Topic,
)

DECLARATIONS: Mapping[str, type] = {
    "klik_systems": ItSystem,
    "klik_roles": RoleDescription,
    "klik_task_types": TaskTemplate,
    "klik_extra_fields": ExtraField,
    "klik_deadline_rules": DeadlineRule,
    "klik_filters": Filter,
    "klik_panels": Panel,
    "klik_notification_rules": NotificationRule,
    "klik_channels": Channel,
    "klik_importers": Importer,
    "klik_topics": Topic,
    "klik_jobs": Job,
    "klik_measures": Measure,
    "klik_tables": PluginTables,
}
Declared = Mapping[str, Mapping[str, Any]]
AUDIENCES = ("task", "leader")
PLACES = ("task", "system", "front")
PERIODS = ("dag", "time")
AUDIENCE_PLACES = frozenset({"kommune", "kombit", "leverandoer"})
PRIORITIES = ("hoej", "normal", "lav")
FILTER_KINDS = ("valg", "dato", "tekst", "person")
LONGEST_KEY, LONGEST_CODE, LONGEST_TITLE, LONGEST_VALUE = 60, 60, 200, 500
LONGEST_DECLARED = 20_000
LONGEST_STEP = 300  # A step becomes a line of a checklist.
MOST_DECLARED = 1_000
_CODE = re.compile(r"[a-z][a-z0-9-]*")
_KEY = re.compile(r"[a-z0-9_]+\.[a-z0-9][a-z0-9._-]*")


class DeclarationError(Exception):
    """A declaration that cannot be used; the Danish text names the hook, the key and what is wrong."""


def key_of(item: Any) -> str:
    """What a contribution is known by."""
    if isinstance(item, RoleDescription):
        return item.slug
    return item.code if isinstance(item, ItSystem) else item.key


def checked(
    plugin: str, module: Any, content: Content, answers: Callable[[str], Any], taken: Declared
) -> dict[str, dict[str, Any]]:
    """Everything one plug-in declares, by hook and key; raises DeclarationError.

    ``answers(hook)`` asks the plug-in; ``taken`` is what core and earlier plug-ins declared.
    """
    own: dict[str, dict[str, Any]] = {}
    for hook, kind in DECLARATIONS.items():
        own[hook] = {}
        for item in answers(hook):
            if len(own[hook]) >= MOST_DECLARED:
                raise DeclarationError(f"{hook}: der er over {MOST_DECLARED}")
            if not isinstance(item, kind):
                raise DeclarationError(f"{hook} gav {type(item).__name__}, ikke {kind.__name__}")
            name = plugin if isinstance(item, PluginTables) else _checked_key(plugin, hook, item)
            if name in taken[hook] or name in own[hook]:
                raise DeclarationError(f"{hook}: {name} findes allerede")
            own[hook][name] = item
    known = {hook: {**taken[hook], **own[hook]} for hook in DECLARATIONS}
    for hook, items in own.items():
        for name, item in items.items():
            for problem in (
                *_uncallable(item),
                *_wordless(item),
                *_CHECKS[hook](plugin, module, content, known, item),
            ):
                raise DeclarationError(f"{hook}: {name}: {problem}")
    return own


def _checked_key(plugin: str, hook: str, item: Any) -> str:
    name = key_of(item)
    label = next(getattr(item, word) for word in ("label", "title", "name") if hasattr(item, word))
    own = f"{plugin}-" if isinstance(item, RoleDescription) else f"{plugin}."
    if isinstance(item, ItSystem | RoleDescription):
        fits = isinstance(name, str) and _CODE.fullmatch(name) and len(name) <= LONGEST_CODE
    else:
        fits = isinstance(name, str) and _KEY.fullmatch(name) and len(name) <= LONGEST_KEY
    if not fits:
        raise DeclarationError(f"{hook}: “{str(name)[:80]}” er ikke en nøgle med små bogstaver og tal")
    if not isinstance(item, ItSystem) and not name.startswith(own):
        raise DeclarationError(f"{hook}: {name} begynder ikke med {own}")
    if not isinstance(label, str) or not label.strip() or len(label) > LONGEST_TITLE:
        raise DeclarationError(f"{hook}: {name} mangler et navn på højst {LONGEST_TITLE} tegn")
    return name


def _wordless(item: Any) -> list[str]:
    """The texts that are none, or more than pages bear."""
    texts = [field for field in fields(item) if field.type in ("str", "str | None")]
    return [
        f"{field.name} skal være en tekst på højst {LONGEST_DECLARED} tegn"
        for field in texts
        if not (isinstance(text := getattr(item, field.name), str) and len(text) <= LONGEST_DECLARED)
        and not (text is None and field.type == "str | None")
    ]


def _uncallable(item: Any) -> list[str]:
    return [
        f"{field.name} kan ikke kaldes"
        for field in fields(item)
        if "Callable" in str(field.type)
        and not callable(getattr(item, field.name))
        and not (getattr(item, field.name) is None and "None" in str(field.type))
    ]


def _system(plugin: str, _module: Any, _content: Content, _known: Declared, item: ItSystem) -> list[str]:
    problems = [
        f"bølgen “{wave.value}” skal have et navn med små bogstaver"
        for wave in item.waves
        if not _CODE.fullmatch(wave.value)
    ]
    for page in item.pages:
        if not page.address.startswith(f"/p/{plugin}/") or not page.label.strip():
            problems.append(f"siden {page.address} skal have et navn og en adresse under /p/{plugin}/")
        if not page.places or not set(page.places) <= AUDIENCE_PLACES:
            problems.append(f"siden {page.address} er ikke for nogen, klik kender")
    return problems


def _role(_plugin: str, _module: Any, content: Content, known: Declared, item: RoleDescription) -> list[str]:
    """What the content's own roles are checked for, and that the role is for systems there are."""
    problems = [f"systemet {code} findes ikke" for code in item.systems if code not in known["klik_systems"]]
    if item.scope is not RoleScope.SYSTEM or not item.systems:
        problems.append("rollen skal være for plug-in'ets egne systemer")
    phases = {phase.slug for phase in content.phases}
    problems += [f"fasen {slug} findes ikke" for slug in item.phases if slug not in phases]
    problems += [
        f"spoc_faser: {slug} skal også stå under faser"
        for slug in item.spoc_phases
        if slug not in item.phases
    ]
    others = [*content.roles, *(role for role in known["klik_roles"].values() if role is not item)]
    if item.name in {role.name for role in others} or item.slug in {role.slug for role in others}:
        problems.append(f"“{item.name}” eller {item.slug} findes allerede blandt rollerne")
    if item.is_retired or item.version < 1 or not item.summary or not item.description:
        problems.append("rollen mangler version, resume eller beskrivelse")
    return problems


def _task_type(
    _plugin: str, _module: Any, content: Content, known: Declared, item: TaskTemplate
) -> list[str]:
    problems = []
    if item.system is not None and item.system not in known["klik_systems"]:
        problems.append(f"systemet {item.system} findes ikke")
    if item.phase not in {phase.slug for phase in content.phases}:
        problems.append(f"fasen {item.phase} findes ikke")
    if item.theme not in {theme.slug for theme in content.themes}:
        problems.append(f"temaet {item.theme} findes ikke")
    roles = {role.slug for role in content.roles} | known["klik_roles"].keys()
    problems += [
        f"rollen {role} findes ikke"
        for role in (item.responsible_role, item.executor_role, item.appoints_role)
        if role is not None and role not in roles
    ]
    if item.priority not in PRIORITIES:
        problems.append(f"prioriteten {item.priority} findes ikke")
    if item.deadline_rule not in known["klik_deadline_rules"]:
        problems.append(f"fristreglen {item.deadline_rule} findes ikke")
    elif wrong := known["klik_deadline_rules"][item.deadline_rule].check(item.deadline_parameter):
        problems.append(wrong)
    if any(not isinstance(step, str) or not 0 < len(step.strip()) <= LONGEST_STEP for step in item.steps):
        problems.append(f"et trin skal være på 1 til {LONGEST_STEP} tegn")
    problems += [
        f"feltet {field} findes ikke" for field in item.fields if field not in known["klik_extra_fields"]
    ]
    return problems


def _extra_field(
    _plugin: str, _module: Any, _content: Content, known: Declared, item: ExtraField
) -> list[str]:
    problems = []
    if item.system not in known["klik_systems"]:
        problems.append(f"systemet {item.system} findes ikke")
    return problems + _choices(item.choices)


def _choices(choices: Any) -> list[str]:
    """What is wrong with what can be chosen: people and pages bear only so much of it."""
    if not isinstance(choices, tuple) or not all(isinstance(each, Choice) for each in choices):
        return ["choices skal være en tupel af Choice"]
    if len(choices) > MOST_DECLARED:
        return [f"der er over {MOST_DECLARED} valg"]
    texts = [text for choice in choices for text in (choice.value, choice.label)]
    if not all(isinstance(text, str) and 0 < len(text) <= LONGEST_VALUE for text in texts):
        return [f"et valg skal være på 1 til {LONGEST_VALUE} tegn"]
    return []


def _panel(_plugin: str, module: Any, _content: Content, _known: Declared, item: Panel) -> list[str]:
    if item.place not in PLACES:
        return [f"stedet {item.place} er ikke et af {', '.join(PLACES)}"]
    file = getattr(module, "__file__", None)
    if file is None or not (Path(file).parent / "templates" / item.template).is_file():
        return [f"skabelonen {item.template} findes ikke"]
    return []


def _filter(_plugin: str, _module: Any, _content: Content, _known: Declared, item: Filter) -> list[str]:
    kind = [] if item.kind in FILTER_KINDS else [f"arten {item.kind} findes ikke"]
    return kind + _choices(item.choices)


def _notification_rule(
    _plugin: str, _module: Any, _content: Content, known: Declared, item: NotificationRule
) -> list[str]:
    problems = [
        f"{name} skal være fra 0 til 366"
        for name in ("late_days", "repeat_days")
        if not 0 <= getattr(item, name) <= 366
    ]
    if item.audience not in AUDIENCES:
        problems.append(f"audience {item.audience} er hverken {' eller '.join(AUDIENCES)}")
    if not isinstance(item.systems, tuple):
        return [*problems, "systems skal være en tupel af koder"]
    problems += [f"systemet {code} findes ikke" for code in item.systems if code not in known["klik_systems"]]
    return problems


def _topic(_plugin: str, _module: Any, _content: Content, known: Declared, item: Topic) -> list[str]:
    known_system = item.system is None or item.system in known["klik_systems"]
    return [] if known_system else [f"systemet {item.system} findes ikke"]


def _job(_plugin: str, _module: Any, _content: Content, _known: Declared, item: Job) -> list[str]:
    return [] if item.every in PERIODS else [f"hver {item.every} er hverken {' eller '.join(PERIODS)}"]


def _measure(_plugin: str, _module: Any, _content: Content, known: Declared, item: Measure) -> list[str]:
    return [] if item.system in known["klik_systems"] else [f"systemet {item.system} findes ikke"]


def _importer(_plugin: str, _module: Any, _content: Content, known: Declared, item: Importer) -> list[str]:
    known_system = item.system is None or item.system in known["klik_systems"]
    return [] if known_system else [f"systemet {item.system} findes ikke"]


def _tables(plugin: str, _module: Any, _content: Content, _known: Declared, item: PluginTables) -> list[str]:
    strangers = [table for table in item.metadata.tables if not table.startswith(f"{plugin}_")]
    problems = [f"tabellen {table} begynder ikke med {plugin}_" for table in strangers]
    if not item.versions.is_dir():
        problems.append("mappen med migrationer findes ikke")
    return problems


def _anything(*_: Any) -> list[str]:
    return []


_CHECKS: Mapping[str, Callable[..., list[str]]] = {
    "klik_systems": _system,
    "klik_roles": _role,
    "klik_task_types": _task_type,
    "klik_extra_fields": _extra_field,
    "klik_deadline_rules": _anything,
    "klik_filters": _filter,
    "klik_panels": _panel,
    "klik_notification_rules": _notification_rule,
    "klik_channels": _anything,
    "klik_importers": _importer,
    "klik_topics": _topic,
    "klik_jobs": _job,
    "klik_measures": _measure,
    "klik_tables": _tables,
}
