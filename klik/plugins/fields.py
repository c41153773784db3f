"""From an extra field to the filter on it, in one line."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement

from klik.plugins.contributions import ExtraField, Filter, FilterQuestion, FilterValueError


def field_filter(field: ExtraField) -> Filter:
    """A filter with the field's own key, label and choices; the values are the field's."""
    labels = {choice.value: choice.label for choice in field.choices}

    def where(values: Sequence[str], question: FilterQuestion) -> ColumnElement[bool]:
        for value in values:
            if labels and value not in labels:
                raise FilterValueError(f"{field.label}: {value} kendes ikke. Brug {', '.join(labels)}.")
        return question.columns.field(field.key).in_(list(values))

    return Filter(
        key=field.key,
        label=field.label,
        where=where,
        describe=lambda value: labels.get(value, value),
        choices=field.choices,
        kind="valg" if field.choices else "tekst",
    )
