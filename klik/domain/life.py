"""The life of a KLIK-opgave: its states, and which act leads from which state to which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class State(StrEnum):
    """How far a KLIK-opgave has come; "rettet" is a published one with a later version than its first."""

    DRAFT = "kladde"
    FOR_APPROVAL = "til-godkendelse"
    ANNOUNCED = "kommende"
    PLANNED = "planlagt"
    PUBLISHED = "udgivet"
    WITHDRAWN = "tilbagetrukket"

    @property
    def label(self) -> str:
        """What people read."""
        return _LABELS[self]


_LABELS = {
    State.DRAFT: "Kladde",
    State.FOR_APPROVAL: "Til godkendelse",
    State.ANNOUNCED: "Kommende",
    State.PLANNED: "Planlagt",
    State.PUBLISHED: "Udgivet",
    State.WITHDRAWN: "Trukket tilbage",
}


class Act(StrEnum):
    """What KOMBIT does to a KLIK-opgave."""

    CHANGE = "ret-kladde"
    SUBMIT = "send-til-godkendelse"
    RETURN = "send-tilbage"
    ANNOUNCE = "annoncer"
    PLAN = "planlaeg"
    UNPLAN = "stop-planlagt"
    PUBLISH = "udgiv"
    CORRECT = "ret"
    WITHDRAW = "traek-tilbage"
    ADD_FILE = "vedhaeft-fil"
    REMOVE_FILE = "fjern-fil"

    @property
    def label(self) -> str:
        """What people read in the history."""
        return _ACTS[self].words


@dataclass(frozen=True, slots=True)
class Transition:
    """Where an act may begin, where it leads (None: nowhere, the state stays), and its words in the history."""

    begins: frozenset[State]
    leads_to: State | None
    words: str


_WRITTEN = frozenset({State.DRAFT, State.FOR_APPROVAL, State.ANNOUNCED, State.PLANNED})
_STANDING = _WRITTEN | {State.PUBLISHED}

# The whole of it; the database refuses what is not here (klik.models.guards).
_ACTS: Mapping[Act, Transition] = MappingProxyType(
    {
        Act.CHANGE: Transition(
            frozenset({State.DRAFT, State.ANNOUNCED, State.PLANNED}), None, "Teksten er rettet før udgivelsen"
        ),
        Act.SUBMIT: Transition(frozenset({State.DRAFT}), State.FOR_APPROVAL, "Sendt til godkendelse"),
        Act.RETURN: Transition(frozenset({State.FOR_APPROVAL}), State.DRAFT, "Sendt tilbage"),
        Act.ANNOUNCE: Transition(
            frozenset({State.DRAFT, State.FOR_APPROVAL}), State.ANNOUNCED, "Annonceret som kommende"
        ),
        Act.PLAN: Transition(_WRITTEN, State.PLANNED, "Planlagt"),
        Act.UNPLAN: Transition(frozenset({State.PLANNED}), State.DRAFT, "Planen er standset"),
        Act.PUBLISH: Transition(_WRITTEN, State.PUBLISHED, "Udgivet"),
        Act.CORRECT: Transition(frozenset({State.PUBLISHED}), None, "Rettet"),
        Act.WITHDRAW: Transition(
            frozenset({State.ANNOUNCED, State.PUBLISHED}), State.WITHDRAWN, "Trukket tilbage"
        ),
        Act.ADD_FILE: Transition(_STANDING, None, "Fil vedhæftet"),
        Act.REMOVE_FILE: Transition(_STANDING, None, "Fil fjernet"),
    }
)


# Where a task that was sent for approval has been approved: its words are then no longer the submitter's alone.
APPROVED = frozenset({State.ANNOUNCED, State.PLANNED})


def leads_to(act: Act, state: State) -> State | None:
    """The state after the act, or None where the act cannot begin in this state."""
    transition = _ACTS[act]
    return (transition.leads_to or state) if state in transition.begins else None


def acts_from(state: State) -> tuple[Act, ...]:
    """What can be done in this state, in the order of the life."""
    return tuple(act for act, transition in _ACTS.items() if state in transition.begins)


def steps() -> frozenset[tuple[State, State]]:
    """Every pair of different states that some act leads between."""
    return frozenset(
        (begin, transition.leads_to)
        for transition in _ACTS.values()
        if transition.leads_to is not None
        for begin in transition.begins - {transition.leads_to}
    )
