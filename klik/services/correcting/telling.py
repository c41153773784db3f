"""Telling the municipalities that KOMBIT has corrected a task: one notice a person and copy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from klik.domain.calendar import long_date
from klik.services.correcting.copies import StandingCopy
from klik.services.correcting.plan import PLACES, CopyPlan, Plan
from klik.services.notices import channels, ledger, task_recipients
from klik.services.notices import recipients as notice_recipients
from klik.services.notices.ledger import NoticeDraft
from klik.services.notices.recipients import Recipient
from klik.services.work import Work

CORRECTED, MOVED = "rettet", "frist-flyttet"


def tell(work: Work, plan: Plan, note: str, *, quiet: bool) -> int:
    """Write the notices and give how many were new; ``quiet`` leaves out copies where only words changed."""
    told = [each for each in plan.following if not quiet or _is_weighty(each)]
    if told or not quiet:
        _tell_channels(work, plan, note)
    if not told:
        return 0
    people = _recipients(work, told)
    drafts = [_draft(plan, each, person, note) for each in told for person in people[each.copy.id]]
    return ledger.enqueue(work, drafts)


def _tell_channels(work: Work, plan: Plan, note: str) -> None:
    moved = any("deadline" in each.values for each in plan.following)
    name = f"{plan.task.task_number} {plan.version.title}"
    channels.tell(
        work,
        plan.task,
        MOVED if moved else CORRECTED,
        plan.version.number,
        f"{'Frist flyttet' if moved else 'Rettet'}: {name}",
        f"KOMBIT har rettet opgaven. KOMBIT skriver: {note}",
    )


def _is_weighty(each: CopyPlan) -> bool:
    """Whether more than words changes: a moved deadline is no spelling mistake."""
    return each.reopened or bool(each.deviations) or "deadline" in each.values or _is_given(each)


def _is_given(each: CopyPlan) -> bool:
    return any(f"{place}_id" in each.values for place in PLACES)


def _recipients(work: Work, told: Iterable[CopyPlan]) -> dict[int, list[Recipient]]:
    """Responsible and executor as they are afterwards, and whoever follows the system in the municipality."""
    after = [_after(each) for each in told]
    own = task_recipients.of_tasks(work, after)  # type: ignore[arg-type]
    system = after[0].system_code
    following = notice_recipients.of_municipalities(work, {copy.municipality_id for copy in after}, system)
    found = {}
    for copy in after:
        people: dict[object, Recipient] = {}
        for person in (*own[copy.id], *following[copy.municipality_id]):
            people.setdefault(person.person_id or person.address.casefold(), person)
        found[copy.id] = list(people.values())
    return found


def _after(each: CopyPlan) -> StandingCopy:
    names = [f"{place}_{end}" for place in PLACES for end in ("id", "role")]
    return replace(each.copy, **{name: each.value(name) for name in names})  # type: ignore[arg-type]


def _draft(plan: Plan, each: CopyPlan, person: Recipient, note: str) -> NoticeDraft:
    moved = "deadline" in each.values or any(arising.field == "deadline" for arising in each.deviations)
    occasion = MOVED if moved else CORRECTED
    name = f"{plan.task.task_number} {plan.version.title}"
    deadline = each.value("deadline")
    return NoticeDraft(
        occasion=occasion,
        dedupe_key=f"{occasion}/mt={each.copy.id}/version={plan.version.number}",
        recipient=person,
        heading=f"{'Frist flyttet' if moved else 'Rettet'}: {name}",
        sentence=" ".join((*_sentences(each), f"KOMBIT skriver: {note}")),
        path=f"/opgaver/{each.copy.id}",
        municipal_task_id=each.copy.id,
        task_id=plan.task.id,
        about_day=deadline if isinstance(deadline, date) else None,
    )


def _sentences(each: CopyPlan) -> Iterable[str]:
    if each.reopened:
        yield "KOMBIT har rettet opgaven, og den er åbnet igen."
    else:
        yield "KOMBIT har rettet opgaven."
    if "deadline" in each.values:
        yield f"Fristen er flyttet fra {_day(each.copy.deadline)} til {_day(each.values['deadline'])}."
    for arising in each.deviations:
        if arising.field == "deadline":
            new = date.fromisoformat(arising.central_new) if arising.central_new else None
            yield (
                f"KOMBITs frist er nu {_day(new)}. Jeres egen, {_day(each.copy.deadline)}, er bevaret; "
                "vælg på opgaven, hvad der skal gælde."
            )
        else:
            yield "KOMBIT foreslår en anden rolle; jeres eget valg er bevaret."
    if _is_given(each):
        yield "Opgaven har fået en anden ansvarlig eller udfører, fordi KOMBIT har rettet rollen."


def _day(day: object) -> str:
    return long_date(day) if isinstance(day, date) else "ingen frist"
