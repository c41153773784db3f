"""The desk itself: the municipality's cases by state, the search, and the troubleshooting ring; KOMBIT's figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import render_template, request

from klik.plugins import PluginContext, Right, page_access
from klik.plugins.kp import alike, cases, knowledge, ring
from klik.plugins.kp.cases import Case
from klik.plugins.kp.choices import CRITICALITIES, KINDS, STATES
from klik.plugins.kp.pages import blueprint, not_for_suppliers


@dataclass(frozen=True, slots=True)
class Group:
    """The cases in one state."""

    state: str
    title: str
    cases: tuple[Case, ...]


def groups_of(found: Sequence[Case]) -> tuple[Group, ...]:
    """By state, in the order a case goes through them; states without cases are left out."""
    return tuple(
        Group(state, title, tuple(case for case in found if case.state == state))
        for state, title in STATES.items()
        if any(case.state == state for case in found)
    )


def _criticalities(context: PluginContext) -> list[tuple[str, int]]:
    """Each kritikalitet by its words with its open cases, at last the drafts that have none yet."""
    found = cases.criticalities(context)
    named = [(f"{letter} {each.label}", found.get(letter, 0)) for letter, each in CRITICALITIES.items()]
    return [*named, ("Ikke valgt endnu", found.get("", 0))]


@blueprint.get("/")
@page_access(Right.READ_TASKS)
def show(context: PluginContext) -> Any:
    """The desk of a municipality; KOMBIT's has numbers only."""
    not_for_suppliers(context)
    asked = request.args.get("q", "").strip()[:200]
    found = cases.all_of(context)
    return render_template(
        "kp/desk.html",
        q=asked,
        hits=alike.search(context, asked) if asked else None,
        groups=groups_of(found),
        due=[case for case in found if case.is_due(context.today)],
        today=context.today,
        kombit=context.kombit,
        counts=[(title, cases.counts(context).get(state, 0)) for state, title in STATES.items()],
        criticalities=_criticalities(context),
        municipalities=cases.municipalities(context),
        entries=knowledge.all_of(context),
        may_write=cases.may_write(context),
        kinds=KINDS,
    )


@blueprint.get("/fejlsoegning")
@page_access(Right.READ_TASKS)
def troubleshoot(context: PluginContext) -> Any:
    """One step of the ring; the last page sums up and leads on to a case."""
    not_for_suppliers(context)
    findings = ring.found(request.args.getlist("fund"))
    asked = request.args.get("trin", "1")
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 3 else 1
    number = min(max(number, 1), len(ring.STEPS) + 1)
    if number > len(ring.STEPS):
        return render_template(
            "kp/found.html",
            findings=findings,
            kind=KINDS.get(ring.kind_of(findings) or ""),
            last=len(ring.STEPS),
            may_write=cases.may_write(context),
        )
    step = ring.STEPS[number - 1]
    return render_template(
        "kp/ring.html",
        number=number,
        step=step,
        titles=[each.title for each in ring.STEPS],
        found={finding.key for finding in findings},
        carried=[finding.key for finding in findings if finding not in step.findings],
    )
