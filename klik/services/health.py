"""How the installation is: what the monitoring asks, and what the operations page shows."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from klik.models import ControlReport, Heartbeat, Mail, Notice, PluginEvent
from klik.services import job_runs, quarantine, schema
from klik.services.control import heartbeat, reporting
from klik.services.deleting import sanity, waiting
from klik.services.work import Work

SILENT = timedelta(minutes=10)
LATE_MAIL = timedelta(minutes=15)
LEAST_FREE = 0.10


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: whether it is well, and what to say of it in Danish."""

    name: str
    well: bool
    says: str


def findings(work: Work, data: Path) -> Sequence[Finding]:
    """Everything that is looked at, the bad first."""
    found = [
        _tables(work),
        *_processes(work),
        *_control(work),
        _mail(work),
        _doubt(work),
        _events(work),
        _disk(data),
        _clock(work),
        *_deletion(work),
        *_plugins(work),
    ]
    return sorted(found, key=lambda finding: finding.well)


def is_ready(work: Work) -> bool:
    """Whether pages can be served: the database answers and its tables are this version's."""
    return schema.is_current(work.session)


def _tables(work: Work) -> Finding:
    current = schema.is_current(work.session)
    says = "Databasens tabeller passer til klik" if current else "Databasen skal opgraderes: klik db upgrade"
    return Finding("database", current, says)


def _processes(work: Work) -> list[Finding]:
    beats = {beat.process: beat.at for beat in work.session.scalars(select(Heartbeat))}
    return [
        _alive(work.now, beats.get("worker"), "worker", "Arbejdsprocessen (klik worker)"),
        _alive(work.now, beats.get("dispatcher"), "dispatcher", "Mailafsendelsen"),
    ]


def _alive(now: datetime, beat: datetime | None, name: str, words: str) -> Finding:
    if beat is None:
        return Finding(name, False, f"{words} har ikke kørt endnu")
    minutes = int((now - beat).total_seconds() // 60)
    if now - beat > SILENT:
        return Finding(name, False, f"{words} har været tavs i {minutes} minutter")
    return Finding(name, True, f"{words} er i gang")


def _control(work: Work) -> list[Finding]:
    """The supplementary control: whether it runs, and whether the day's account adds up."""
    found = []
    if missed := heartbeat.control_silence(work):
        found.append(Finding("control", False, missed.rstrip(".")))
    day = reporting.latest(work)
    if day is not None:
        found.append(
            Finding("control-account", day.account.well, f"Supplerende kontrol: {day.account.short}")
        )
    return found


def silent(work: Work) -> Sequence[str]:
    """What the outside monitor is told on the page it asks: processes silent for half an hour, and the control."""
    missed = heartbeat.control_silence(work) if heartbeat.latest_run(work) else None
    return [*heartbeat.silences(work), *([missed] if missed else [])]


def _mail(work: Work) -> Finding:
    oldest = work.session.scalar(
        select(func.min(Mail.created_at)).where(Mail.state.in_(["pending", "claimed"]))
    )
    if oldest and work.now - oldest > LATE_MAIL:
        minutes = int((work.now - oldest).total_seconds() // 60)
        return Finding("mail", False, f"Den ældste mail har ventet i {minutes} minutter")
    return Finding("mail", True, "Ingen mail har ventet længe")


def _doubt(work: Work) -> Finding:
    count = work.session.scalar(select(func.count()).where(Mail.state == "in_doubt")) or 0
    if count:
        return Finding("in-doubt", False, f"{count} mails er uvisse: måske afleveret, måske ikke")
    return Finding("in-doubt", True, "Ingen mails er uvisse")


def _events(work: Work) -> Finding:
    count = (
        work.session.scalar(
            select(func.count()).where(PluginEvent.done_at.is_(None), PluginEvent.attempts > 2)
        )
        or 0
    )
    if count:
        return Finding("plugin-events", False, f"{count} hændelser kan ikke fortælles til deres udvidelse")
    return Finding("plugin-events", True, "Udvidelserne får deres hændelser")


def _disk(data: Path) -> Finding:
    usage = shutil.disk_usage(data if data.exists() else "/")
    share = usage.free / usage.total
    says = f"{round(share * 100)} procent af disken er ledig"
    return Finding("disk", share >= LEAST_FREE, says)


def _clock(work: Work) -> Finding:
    doubt = sanity.doubt(work)
    return Finding("clock", doubt is None, doubt or "Uret går, som det skal")


def _deletion(work: Work) -> list[Finding]:
    """Tasks past their last day that could not be deleted, and the first reason."""
    count, problem = waiting.all_stuck(work)
    if not count:
        return []
    words = (
        "1 opgave venter på at blive slettet" if count == 1 else f"{count} opgaver venter på at blive slettet"
    )
    return [Finding("deletion", False, f"{words}: {problem}")]


def _plugins(work: Work) -> list[Finding]:
    bad = [
        Finding(f"plugin-{info.name}", False, f"Udvidelsen {info.name} {info.state}")
        for info in work.registry.plugins
        if info.state not in ("i drift", "slået fra")
    ]
    return bad + [
        Finding(f"plugin-{fault.plugin}", False, f"Udvidelsen {fault.plugin}: {fault.what} {fault.failed}")
        for fault in quarantine.listed(work)
        if fault.mended_at is None
    ]


def figures(work: Work) -> Mapping[str, float]:
    """Numbers for /metrics, by name; a handful of statements."""
    session = work.session
    states = dict(session.execute(select(Mail.state, func.count()).group_by(Mail.state)).all())
    waiting = session.scalar(
        select(func.count()).where(Notice.mail_id.is_(None), Notice.withdrawn_at.is_(None))
    )
    numbers: dict[str, float] = {f'klik_mails{{state="{state}"}}': count for state, count in states.items()}
    numbers["klik_notices_waiting"] = waiting or 0
    for beat in session.scalars(select(Heartbeat).where(Heartbeat.process.in_(job_runs.NAMES))):
        numbers[f'klik_heartbeat_age_seconds{{process="{beat.process}"}}'] = (
            work.now - beat.at
        ).total_seconds()
    numbers["klik_silent"] = len(silent(work))
    if last := session.scalar(select(ControlReport).order_by(ControlReport.day.desc()).limit(1)):
        numbers["klik_control_age_seconds"] = (work.now - last.at).total_seconds()
        for name in ("expected", "sent", "waiting", "failed", "returned", "missing", "nobody"):
            numbers[f'klik_control{{what="{name}"}}'] = getattr(last, name)
    return numbers
