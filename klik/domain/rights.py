"""What each level of access may do; a role in the gallery is what a person does and gives no right."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Level(StrEnum):
    """A person's level of access, the most powerful of each scope first."""

    KOMBIT_ADMINISTRATOR = "kombit-administrator"
    KOMBIT_EDITOR = "kombit-redaktoer"
    SUPPLIER = "leverandoer"
    ADMINISTRATOR = "administrator"
    PLUS_USER = "plusbruger"
    USER = "bruger"
    READER = "laeser"

    @property
    def label(self) -> str:
        """What people read."""
        return _LABELS[self]

    @property
    def scope(self) -> str:
        """Whose data it reaches: "kombit" (all), "supplier" (its systems) or "municipality" (its own)."""
        return _SCOPES.get(self, "municipality")


_LABELS = {
    Level.KOMBIT_ADMINISTRATOR: "KOMBIT-administrator",
    Level.KOMBIT_EDITOR: "KOMBIT-redaktør",
    Level.SUPPLIER: "Leverandør",
    Level.ADMINISTRATOR: "Administrator",
    Level.PLUS_USER: "Plusbruger",
    Level.USER: "Bruger",
    Level.READER: "Læser",
}
_SCOPES = {
    Level.KOMBIT_ADMINISTRATOR: "kombit",
    Level.KOMBIT_EDITOR: "kombit",
    Level.SUPPLIER: "supplier",
}


class Right(StrEnum):
    """One thing a person may do, always within the scope of the person's level."""

    ANNOUNCE_DELETION = "announce-deletion"
    CHANGE_ANY_TASK = "change-any-task"
    CHANGE_OWN_TASK = "change-own-task"  # where the person is responsible or executor
    COMMENT = "comment"
    CREATE_LOCAL_TASK = "create-local-task"
    EDIT_ROLES = "edit-roles"
    EXPORT = "export"
    FETCH_DELETION = "fetch-deletion"  # take the municipality's tasks home before they are deleted
    MANAGE_PEOPLE = "manage-people"
    PUBLISH = "publish"
    READ_AUDIT = "read-audit"
    READ_LEDGER = "read-ledger"
    READ_OPERATIONS = "read-operations"
    READ_ROLES = "read-roles"
    READ_TASKS = "read-tasks"
    SAVE_FILTERS = "save-filters"
    SHARE_FILTERS = "share-filters"
    SIGNED_IN = "signed-in"


# A supplier follows progress; a municipality's people are none of its business, so no export and no roles.
_SUPPLIER = frozenset({Right.READ_TASKS, Right.SAVE_FILTERS, Right.SIGNED_IN})

_READER = _SUPPLIER | {Right.EXPORT, Right.READ_ROLES}
_USER = _READER | {Right.CHANGE_OWN_TASK, Right.COMMENT}
_PLUS_USER = _USER | {
    Right.CHANGE_ANY_TASK,
    Right.CREATE_LOCAL_TASK,
    Right.FETCH_DELETION,
    Right.READ_LEDGER,
}
_ADMINISTRATOR = _PLUS_USER | {
    Right.EDIT_ROLES,
    Right.MANAGE_PEOPLE,
    Right.READ_AUDIT,
    Right.SHARE_FILTERS,
}

_KOMBIT_EDITOR = _READER | {
    Right.ANNOUNCE_DELETION,
    Right.COMMENT,
    Right.PUBLISH,
    Right.READ_LEDGER,
    Right.SHARE_FILTERS,
}
_KOMBIT_ADMINISTRATOR = _KOMBIT_EDITOR | {Right.MANAGE_PEOPLE, Right.READ_AUDIT, Right.READ_OPERATIONS}

RIGHTS: Mapping[Level, frozenset[Right]] = MappingProxyType(
    {
        Level.KOMBIT_ADMINISTRATOR: _KOMBIT_ADMINISTRATOR,
        Level.KOMBIT_EDITOR: _KOMBIT_EDITOR,
        Level.SUPPLIER: _SUPPLIER,
        Level.ADMINISTRATOR: _ADMINISTRATOR,
        Level.PLUS_USER: _PLUS_USER,
        Level.USER: _USER,
        Level.READER: _READER,
    }
)


def has(level: Level, right: Right) -> bool:
    """Whether the level carries the right; whose data it reaches is `level.scope`."""
    return right in RIGHTS[level]
