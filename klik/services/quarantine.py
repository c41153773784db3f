"""How plug-ins' contributions fail, known to every process: what one has seen rests everywhere, and comes back.

A process writes what it saw in a transaction of its own once the caller's is over, and only if it need not wait. The
stamp of the table comes with the statement that finds who is signed in, so that no page asks one time more.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, ScalarSelect, delete, func, select
from sqlalchemy.exc import SQLAlchemyError

from klik.db import BusyError, Database
from klik.models import PluginFault
from klik.plugins.guard import FAILURES_BEFORE_REST, REST, News, Standing
from klik.plugins.manager import Registry, plugin_of
from klik.services.notices import ledger
from klik.services.notices.ledger import NoticeDraft
from klik.services.notices.recipients import Recipient, kombit
from klik.services.work import Work

log = logging.getLogger("klik.plugins")
OCCASION = "udvidelse-fejler"
REASON = "administrator hos KOMBIT"
PAGE = "/drift"
AGAIN = 5.0  # seconds before what could not be written is tried again
KEPT = timedelta(days=30)
LONGEST_KEY, LONGEST_FAULT = 120, 300


@dataclass(frozen=True, slots=True)
class Fault:
    """How one contribution has failed, for the operations page; ``what`` is in Danish words.

    ``rests_until`` is a moment to come; without it and without ``mended_at`` it is asked as usual: ``again`` says
    when. ``failed`` is the fault as half a sentence.
    """

    plugin: str
    what: str
    fault: str
    failed: str
    again: str
    failures: int
    first_at: datetime
    last_at: datetime
    rests_until: datetime | None
    mended_at: datetime | None


def stamp() -> ScalarSelect[int]:
    """What tells whether the table changed; nothing else can be read of it."""
    return select(func.coalesce(func.sum(PluginFault.version), 0)).scalar_subquery()


def catch_up(work: Work, known: int | None = None) -> None:
    """Take over what other processes saw; ``known`` is the stamp, where it was read already."""
    guard = work.registry.guard
    if known is not None and known == guard.stamp:
        return
    rows = work.session.execute(
        select(
            PluginFault.contribution,
            PluginFault.failures,
            PluginFault.fault,
            PluginFault.rests_until,
            PluginFault.mended_at,
            PluginFault.version,
        )
    ).all()
    guard.learn(
        {
            row.contribution: Standing(row.failures, row.fault, _seconds_left(row.rests_until, work.now))
            for row in rows
            if row.mended_at is None
        },
        sum(row.version for row in rows),
    )


def write_down(database: Database, registry: Registry, now: datetime) -> None:
    """Write down what this process saw and others do not know; nothing while the thread has a transaction open.

    Never raises and never waits for another's lock: what cannot be written now is written some seconds later.
    """
    guard = registry.guard
    if database.is_in_use or not (news := guard.news()):
        return
    try:
        with database.writing_if_free() as session:
            work = Work(session, None, now, registry)
            _enter(work, news)
            session.flush()
            catch_up(work)
    except (SQLAlchemyError, BusyError) as error:
        guard.untold(news, AGAIN)
        log.info("how plug-ins fail could not be written down: %s", type(error).__name__)


def _enter(work: Work, news: Mapping[str, News]) -> None:
    known = {
        row.contribution: row
        for row in work.session.scalars(
            select(PluginFault)
            .where(PluginFault.contribution.in_([key[:LONGEST_KEY] for key in news]))
            .with_for_update()
        )
    }
    work.session.execute(delete(PluginFault).where(_is_old(work.now)))
    for key, seen in sorted(news.items()):
        row = known.get(key[:LONGEST_KEY])
        if seen.failures:
            row = row or _new(work, key)
            _failed(work, row, seen)
        if seen.mended and row is not None and row.mended_at is None:
            row.mended_at, row.rests_until = work.now, None
            row.version += 1


def _is_old(now: datetime) -> ColumnElement[bool]:
    return func.coalesce(PluginFault.mended_at, PluginFault.last_at) < now - KEPT


def _new(work: Work, key: str) -> PluginFault:
    row = PluginFault(
        plugin=plugin_of(key)[:60],
        contribution=key[:LONGEST_KEY],
        fault="",
        failures=0,
        first_at=work.now,
        last_at=work.now,
        rests_until=None,
        mended_at=None,
        version=0,
    )
    work.session.add(row)
    return row


def _failed(work: Work, row: PluginFault, seen: News) -> None:
    if row.mended_at is not None:
        row.failures, row.first_at, row.mended_at = 0, work.now, None
    row.failures += seen.failures
    row.fault, row.last_at = seen.fault[:LONGEST_FAULT], work.now
    row.version += 1
    rested = row.rests_until is not None and row.rests_until > work.now
    if row.failures >= FAILURES_BEFORE_REST and not seen.mended:
        if _hook(row.contribution) not in _AGAIN:
            row.rests_until = work.now + timedelta(seconds=REST)
        if not rested:
            _tell(work, row)


def _tell(work: Work, row: PluginFault) -> None:
    """KOMBIT's administrators hear of it, once a day for each contribution."""
    what = words(work.registry, row.contribution)
    ledger.enqueue(
        work,
        [
            NoticeDraft(
                occasion=OCCASION,
                dedupe_key=f"{OCCASION}/{row.contribution}/d={work.today.isoformat()}",
                recipient=Recipient(one.person_id, one.address, None, REASON),
                heading=f"Udvidelsen {row.plugin.upper()}: {what} er ude af drift",
                sentence=(
                    f"{what[0].upper()}{what[1:]} {_failed_words(row.fault)}. {_meanwhile(row.contribution)} "
                    "Resten af udvidelsen virker."
                ),
                path=PAGE,
                about_day=work.today,
            )
            for one in kombit(work)
        ],
    )


def _meanwhile(key: str) -> str:
    again = _AGAIN.get(_hook(key))
    return (
        f"Prøves igen, {again}."
        if again
        else "klik bruger sit eget svar imens og prøver igen efter fem minutter."
    )


def _failed_words(fault: str) -> str:
    """The fault as half a sentence; of an exception only the name of its kind is known."""
    return f"fejlede ({fault})" if fault.isidentifier() else fault


def _hook(key: str) -> str:
    return key.partition("/")[0].partition(".")[2]


def _seconds_left(until: datetime | None, now: datetime) -> float:
    return (until - now).total_seconds() if until else 0.0


def listed(work: Work) -> Sequence[Fault]:
    """Every fault of the last thirty days: those that last first, the newest of each first.

    Those of a plug-in that is not installed any longer wait for its return.
    """
    installed = [info.name for info in work.registry.plugins]
    rows = work.session.scalars(
        select(PluginFault)
        .where(PluginFault.plugin.in_(installed), ~_is_old(work.now))
        .order_by(PluginFault.last_at.desc())
    ).all()
    found = [
        Fault(
            plugin=row.plugin.upper(),
            what=words(work.registry, row.contribution),
            fault=row.fault,
            failed=_failed_words(row.fault),
            again=_AGAIN.get(_hook(row.contribution), "næste gang det bruges"),
            failures=row.failures,
            first_at=row.first_at,
            last_at=row.last_at,
            rests_until=row.rests_until if row.rests_until and row.rests_until > work.now else None,
            mended_at=row.mended_at,
        )
        for row in rows
    ]
    return sorted(found, key=lambda fault: fault.mended_at is not None)


# What never rests, since it costs nobody else anything, and when it is tried again.
_AGAIN = {
    "side": "næste gang nogen åbner siden",
    "kommando": "næste gang nogen skriver kommandoen",
    "klik_blueprints": "næste gang klik startes",
    "klik_commands": "næste gang klik startes",
}
_WHERE = {"task": "på opgavens side", "system": "på systemets side", "front": "på forsiden"}
# What stands after a key's "/" tells kinds apart: one plug-in may give a field, a filter and a panel the same key.
_DEADLINE, _FILTER, _FIELD = ("deadline_rules", "label"), ("filters", "label"), ("extra_fields", "label")
_REMINDER, _CHANNEL = ("notification_rules", "label"), ("channels", "label")
_PARTS: Mapping[str, tuple[str, tuple[str, str]]] = {
    "": ("fristreglen", _DEADLINE),
    "ordlyd": ("ordlyden af fristreglen", _DEADLINE),
    "parameter": ("tjekket af fristreglen", _DEADLINE),
    "gul": ("den gule dag i fristreglen", _DEADLINE),
    "filter": ("filteret", _FILTER),
    "describe": ("ordene for filteret", _FILTER),
    "udtryk": ("opslaget i filteret", _FILTER),
    "panel": ("panelet", ("panels", "title")),
    "dag": ("påmindelsen", _REMINDER),
    "ord": ("ordlyden af påmindelsen", _REMINDER),
    "kontrol": ("kontrollen af påmindelsen", _REMINDER),
    "afsendelse": ("kanalen", _CHANNEL),
    "lacks": ("opsætningen af kanalen", _CHANNEL),
    "fil": ("indlæsningen", ("importers", "label")),
    "arbejde": ("det faste arbejde", ("jobs", "label")),
    "maal": ("målet", ("measures", "label")),
    "vaerdi": ("tjekket af feltet", _FIELD),
    "advarsel": ("advarslen i feltet", _FIELD),
}
_HOOKS = {
    "klik_task_published": "beskeden om udgivne opgaver",
    "klik_municipal_task_changed": "beskeden om ændrede opgaver",
    "klik_demo": "demoens indhold",
    "klik_blueprints": "siderne",
    "klik_commands": "kommandoerne",
}


def words(registry: Registry, key: str) -> str:
    """What a contribution is called, in the middle of a sentence: "fristreglen “Dage før idriftsættelse”"."""
    name, _, part = key.partition("/")
    hook = name.partition(".")[2]
    if hook in _HOOKS:
        return _HOOKS[hook]
    if hook == "side":
        return f"siden {part}"
    if hook == "kommando":
        return f"kommandoen {part}"
    noun, (kind, label) = _PARTS.get(part, _PARTS[""])
    declared = getattr(registry, kind).get(name)
    if declared is not None and part in _PARTS:
        named = f"{noun} “{getattr(declared, label)}”"
        return f"{named} {_WHERE[declared.place]}" if kind == "panels" else named
    return f"bidraget {key}"
