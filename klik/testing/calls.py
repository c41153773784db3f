"""Everything klik calls in a plug-in, called once while its tables are empty."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

from klik.plugins import DeadlineRule, Importer, ImportRefusedError, Mark, NotificationRule, PluginContext
from klik.plugins.answers import is_day, is_report, is_text
from klik.services.tasks import panels
from klik.testing.site import KLIK, PluginSite
from klik.testing.values import municipal_task_view, municipality_view, task_view

FILES = (b"", b"a;b\n1;2\n", b"PK\x03\x04 no workbook")
PARAMETERS = ("", "x", "-1", "30", "99999999999999999999")
STATES = ("klar", "paa-vej", "ikke-klar", "ukendt")


def problems(site: PluginSite) -> list[str]:
    """What raises, or answers something klik would not take."""
    return [
        *_rules(site),
        *_notification_rules(site),
        *_importers(site),
        *_task_panels(site),
        *_measures(site),
        *_jobs(site),
    ]


def said(error: BaseException) -> str:
    """What went wrong, in a line."""
    return f"{type(error).__name__}: {error}".splitlines()[0][:300]


def _asked(name: str, question: Callable[[], Any], accept: Callable[[Any], bool]) -> Iterator[str]:
    try:
        answer = question()
    except Exception as error:
        yield f"{name}: {said(error)}"
        return
    if not accept(answer):
        yield f"{name} gave {str(answer)[:100]!r}, which klik does not take"


def _own(site: PluginSite, items: Any) -> list[Any]:
    return [item for item in items.values() if item.key.startswith(f"{site.name}.")]


def _rules(site: PluginSite) -> Iterator[str]:
    for rule in _own(site, site.house.registry.deadline_rules):
        for parameter in PARAMETERS:
            wrong = list(
                _asked(f"{rule.key}({parameter!r}).check", partial(rule.check, parameter), _sentence_or_none)
            )
            yield from wrong
            if not wrong and rule.check(parameter) is None:
                yield from _taken(rule, parameter)


def _taken(rule: DeadlineRule, parameter: str) -> Iterator[str]:
    """A parameter the rule has taken, with a go-live day and without."""
    name = f"{rule.key}({parameter!r})"
    yield from _asked(f"{name}.explain", partial(rule.explain, parameter), is_text())
    for day in (None, date(2027, 3, 31)):
        where = municipality_view(go_live=day)
        yield from _asked(f"{name}.deadline", partial(rule.deadline, task_view(), where, parameter), is_day)


def _sentence_or_none(answer: Any) -> bool:
    return answer is None or is_text()(answer)


def _notification_rules(site: PluginSite) -> Iterator[str]:
    for rule in _own(site, site.house.registry.notification_rules):
        for system in (None, *rule.systems):
            for day in (None, date(2026, 12, 21)):
                yield from _one_notice(rule, municipal_task_view(system=system, deadline=day, start=day))


def _one_notice(rule: NotificationRule, task: Any) -> Iterator[str]:
    day = task.deadline or date(2026, 12, 21)
    yield from _asked(f"{rule.key}.due", lambda: rule.due(task), is_day)
    yield from _asked(f"{rule.key}.heading", lambda: rule.heading(task, day), is_text())
    yield from _asked(f"{rule.key}.sentence", lambda: rule.sentence(task, day), is_text())


def _importers(site: PluginSite) -> Iterator[str]:
    for importer in _own(site, site.house.registry.importers):
        for content in FILES:
            who = "plusbruger" if importer.municipal else KLIK
            with site.context(who) as context:
                yield from _asked(
                    f"{importer.key} with a file of {len(content)} bytes",
                    partial(_read, importer, content, context),
                    lambda report: report is None or is_report(report),
                )


def _read(importer: Importer, content: bytes, context: PluginContext) -> Any:
    try:
        return importer.read(io.BytesIO(content), "prøve.csv", context)
    except ImportRefusedError as refused:
        return None if is_text()(str(refused)) else refused


def _task_panels(site: PluginSite) -> Iterator[str]:
    """Those of systems and of the front page are asked for by the pages themselves."""
    with site.house.reading(datetime.now(UTC)) as work:
        for code in (None, *work.registry.systems):
            for panel in panels.task_panels(work, municipal_task_view(system=code)):
                if panel.html is None:
                    faults = "; ".join(work.registry.guard.faults().values())
                    yield f"the panel {panel.title} on a task of {code}: {faults}"


def _measures(site: PluginSite) -> Iterator[str]:
    for measure in _own(site, site.house.registry.measures):
        with site.context("kombit") as context:
            assert context.klik is not None
            everybody = context.klik.municipalities(measure.system)
            yield from _asked(measure.key, partial(measure.values, everybody, context), _are_marks)


def _are_marks(answer: Any) -> bool:
    return all(
        isinstance(code, int) and isinstance(mark, Mark) and mark.state in STATES and is_text(200)(mark.text)
        for code, mark in answer.items()
    )


def _jobs(site: PluginSite) -> Iterator[str]:
    for job in _own(site, site.house.registry.jobs):
        for _twice in range(2):
            with site.context(KLIK) as context:
                yield from _asked(job.key, partial(job.run, context), lambda _answer: True)
