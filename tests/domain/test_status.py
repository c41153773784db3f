"""Statuses and their changes."""

import itertools

import pytest

from klik.domain.status import OPEN_STATUSES, Status, StatusError, may_change


def test_labels_and_slugs_are_the_contract():
    assert {status.value: status.label for status in Status} == {
        "ikke-paabegyndt": "Ikke påbegyndt",
        "i-gang": "I gang",
        "fuldfoert": "Fuldført",
        "ikke-relevant": "Ikke relevant",
    }
    assert {Status.NOT_STARTED, Status.IN_PROGRESS} == OPEN_STATUSES


@pytest.mark.parametrize(("old", "new"), list(itertools.product(Status, Status)))
def test_every_change_is_allowed_with_a_reason(old, new):
    may_change(old, new, "Kommunen bruger ikke systemet.")


@pytest.mark.parametrize("old", list(Status))
@pytest.mark.parametrize(
    ("reason", "told"),
    [(None, "mindst 3 tegn"), ("", "mindst 3"), ("  ab  ", "mindst 3"), ("x" * 501, "højst fylde 500 tegn")],
)
def test_not_relevant_needs_a_reason(old, reason, told):
    with pytest.raises(StatusError, match=told):
        may_change(old, Status.NOT_RELEVANT, reason)


@pytest.mark.parametrize("reason", ["abc", "x" * 500])
def test_the_limits_of_a_reason_are_included(reason):
    may_change(Status.NOT_STARTED, Status.NOT_RELEVANT, reason)


@pytest.mark.parametrize("new", sorted(set(Status) - {Status.NOT_RELEVANT}))
def test_other_statuses_need_no_reason(new):
    may_change(Status.COMPLETED, new, None)
