"""What can be asked of somebody ("hvorfor kan X ikke …?"), and what an answer to it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from klik.domain.rights import Right


class Act(StrEnum):
    """What can be asked about."""

    SIGN_IN = "log-ind"
    SEE_TASK = "se-opgaven"
    CHANGE_TASK = "aendre-opgaven"
    COMMENT = "kommentere-opgaven"
    HEAR = "faa-besked"
    CREATE_TASK = "oprette-opgaver"
    FETCH = "hente-foer-sletning"
    TAKE_HOME = "tage-lister-hjem"
    FILL_ROLES = "besaette-roller"
    MANAGE = "give-adgang"
    PUBLISH = "udgive"


LABELS = {
    Act.SIGN_IN: "Logge ind",
    Act.SEE_TASK: "Se opgaven",
    Act.CHANGE_TASK: "Ændre opgaven",
    Act.COMMENT: "Skrive kommentarer på opgaven",
    Act.HEAR: "Få besked om nye opgaver",
    Act.CREATE_TASK: "Oprette lokale opgaver",
    Act.FETCH: "Hente opgaver, før de slettes",
    Act.TAKE_HOME: "Hente lister og opgaver som filer",
    Act.FILL_ROLES: "Besætte roller",
    Act.MANAGE: "Give andre adgang",
    Act.PUBLISH: "Udgive KLIK-opgaver",
}
OF_TASK = (Act.SEE_TASK, Act.CHANGE_TASK, Act.COMMENT)
# What the level alone decides, and the right the views ask for.
BY_RIGHT = {
    Act.CREATE_TASK: Right.CREATE_LOCAL_TASK,
    Act.FETCH: Right.FETCH_DELETION,
    Act.TAKE_HOME: Right.EXPORT,
    Act.FILL_ROLES: Right.EDIT_ROLES,
    Act.MANAGE: Right.MANAGE_PEOPLE,
    Act.PUBLISH: Right.PUBLISH,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether somebody can do a thing, why, and what would change it (empty when nothing needs to)."""

    act: Act
    may: bool
    why: str
    remedy: str = ""

    @property
    def label(self) -> str:
        """The act in Danish."""
        return LABELS[self.act]
