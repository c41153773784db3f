"""Storing a bulk change: one transaction, and every task as if it had been changed by itself."""

from __future__ import annotations

import json
from collections.abc import Mapping

from klik.models import BulkChange, BulkChangeItem
from klik.services import access, auditing
from klik.services.errors import RefusedError
from klik.services.tasks import changing, together
from klik.services.tasks.bulk.chosen import AskedAhead
from klik.services.tasks.bulk.preview import Preview, StaleError, preview
from klik.services.tasks.bulk.values import raw
from klik.services.tasks.bulk.wanted import Wanted
from klik.services.tasks.history import BULK
from klik.services.work import Work

NOTHING_LEFT = "Ingen af de valgte opgaver kan rettes sådan. Vælg en anden værdi eller andre opgaver."


def store(work: Work, wanted: Wanted, versions: Mapping[int, int]) -> BulkChange:
    """Change every task that can be changed, and keep what stood there before.

    ``versions`` holds the tasks by id with the version the person saw. Raises StaleError, storing nothing, when
    one of them was changed since; RefusedError when nothing is left to change; ForbiddenError.
    """
    actor = access.require_changer(work)
    found = preview(work, wanted, versions, lock=True)
    if found.changed_since:
        raise StaleError(found)
    if not found.lines:
        raise RefusedError({"opgaver": NOTHING_LEFT})
    assert actor.municipality_id is not None
    change = BulkChange(
        municipality_id=actor.municipality_id,
        person_id=actor.person_id,
        at=work.now,
        field=wanted.field,
        words=wanted.words(work),
        count=len(found.lines),
        last_change_id=0,
    )
    work.session.add(change)
    work.session.flush()
    _store_lines(work, change, found)
    auditing.record(
        work,
        "masseret-opgaver",
        f"masserettelse/{change.id}",
        {"felt": wanted.field, "rettet": change.count, "sprunget_over": found.left},
        change.municipality_id,
    )
    return change


def _store_lines(work: Work, change: BulkChange, found: Preview) -> None:
    with work.session.no_autoflush:
        asked = AskedAhead(work, [line.task for line in found.lines], change.field)
        before = [
            {step.field: raw(work, line.task, step.field, asked) for step in line.steps}
            for line in found.lines
        ]
        changed = [changing.store(work, line.task, line.steps) for line in found.lines]
        together.write(work, [line.task for line in found.lines])
    work.session.flush()
    change.last_change_id = changing.write_down(work, changed, via=f"{BULK}/{change.id}")
    after = AskedAhead(work, [line.task for line in found.lines], change.field)
    work.session.add_all(
        BulkChangeItem(
            bulk_change_id=change.id,
            municipal_task_id=line.task.id,
            municipality_id=line.task.municipality_id,
            version_after=line.task.version,
            before=json.dumps(old),
            after=json.dumps({field: raw(work, line.task, field, after) for field in old}),
        )
        for line, old in zip(found.lines, before, strict=True)
    )
    work.session.flush()
