"""The form a published task is corrected in: the draft's own fields without recipients, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import request
from wtforms import BooleanField, HiddenField, TextAreaField

from klik.models import Project
from klik.services.correcting import NOTE, NOTE_LIMIT
from klik.services.publishing import Draft
from klik.services.work import Work
from klik.web.forms import CleanText, OnceForm
from klik.web.publishing.forms import DraftForm, draft_form

# Whom a published task went to is no part of its words.
_AUDIENCE = ("recipients", "codes", "municipalities", "waves", "regions", "only_system", "files_too")


class CorrectionForm(OnceForm):
    """Why the task is corrected, and the redaktør's choices; ``base`` is the version's number it was written from."""

    base = HiddenField()
    note = TextAreaField(
        NOTE,
        [CleanText(NOTE_LIMIT, required=True, lines=True)],
        description="Hvad er ændret og hvorfor? Kommunerne læser det på opgaven og i varslet.",
    )
    quiet = BooleanField(
        "Intet varsel (fx ved en stavefejl)",
        description="Flytter en frist sig, eller får opgaven en anden ansvarlig, varsles der alligevel.",
    )
    reopen_all = BooleanField("Genåbn de fuldførte")

    @property
    def version(self) -> int:
        """The number of the version that the words were written from."""
        text = self.base.data or ""
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0

    @property
    def reopen(self) -> tuple[int, ...] | None:
        """Ids of the copies to open again; None: every completed one."""
        if self.reopen_all.data:
            return None
        ticked = request.form.getlist("genaabn")
        return tuple(int(each) for each in ticked if each.isascii() and each.isdigit() and len(each) < 10)


def words_form(
    work: Work, project: Project, draft: Draft | None = None, data: Mapping[str, Any] | None = None
) -> DraftForm:
    """The draft's form without its recipients."""
    form = draft_form(work, project, draft, data)
    for name in _AUDIENCE:
        if name in form:
            del form[name]
    return form
