"""What the levels may do, as a table."""

import pytest

from klik.domain.rights import RIGHTS, Level, Right, has

# One letter a level: A KOMBIT-administrator, R KOMBIT-redaktør, L leverandør, a administrator, p plusbruger,
# b bruger, l læser.
TABLE = {
    Right.ANNOUNCE_DELETION: "AR",
    Right.CHANGE_ANY_TASK: "ap",
    Right.CHANGE_OWN_TASK: "apb",
    Right.COMMENT: "ARapb",
    Right.CREATE_LOCAL_TASK: "ap",
    Right.EDIT_ROLES: "a",
    Right.EXPORT: "ARapbl",
    Right.FETCH_DELETION: "ap",
    Right.MANAGE_PEOPLE: "Aa",
    Right.PUBLISH: "AR",
    Right.READ_AUDIT: "Aa",
    Right.READ_LEDGER: "ARap",
    Right.READ_OPERATIONS: "A",
    Right.READ_ROLES: "ARapbl",
    Right.READ_TASKS: "ARLapbl",
    Right.SAVE_FILTERS: "ARLapbl",
    Right.SHARE_FILTERS: "ARa",
    Right.SIGNED_IN: "ARLapbl",
}
LETTERS = dict(zip(Level, "ARLapbl", strict=True))


@pytest.mark.parametrize("right", list(Right))
@pytest.mark.parametrize("level", list(Level))
def test_rights_are_the_table(level, right):
    assert has(level, right) is (LETTERS[level] in TABLE[right])


def test_every_level_has_rights_and_a_scope():
    assert set(RIGHTS) == set(Level)
    assert {level.scope for level in Level} == {"kombit", "supplier", "municipality"}
    assert [level for level in Level if level.scope == "supplier"] == [Level.SUPPLIER]


def test_rights_are_listed_by_name():
    assert [right.name for right in Right] == sorted(right.name for right in Right)


def test_labels_are_danish():
    assert Level.KOMBIT_EDITOR.label == "KOMBIT-redaktør"
    assert Level.READER.label == "Læser"
    assert len({level.label for level in Level}) == len(Level)


def test_rights_cannot_be_changed_at_run_time():
    with pytest.raises(TypeError):
        RIGHTS[Level.READER] = frozenset(Right)
