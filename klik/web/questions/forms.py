"""The forms for a question and its answer."""

from __future__ import annotations

from wtforms import BooleanField, HiddenField, StringField, TextAreaField

from klik.services.questions import ANSWER_LIMIT, REASON_LIMIT, TEXT_LIMIT
from klik.web.forms import CleanText, OnceForm, VersionedForm


class QuestionForm(OnceForm):
    """A new question; ``seen`` comes back when similar ones have been shown and the asker asks even so."""

    question = TextAreaField(
        "Dit spørgsmål",
        [CleanText(TEXT_LIMIT, required=True, lines=True)],
        description="KOMBIT svarer én gang, og svaret kommer til at stå på opgaven hos alle kommuner.",
    )
    named = BooleanField(
        "De andre kommuner må se, at det er os, der spørger",
        description="Uden kryds står der “En kommune”. KOMBIT kan altid se, hvem der spørger.",
    )
    seen = HiddenField()


class AnswerForm(VersionedForm):
    """KOMBIT's answer, new or corrected."""

    text = TextAreaField(
        "Svar",
        [CleanText(ANSWER_LIMIT, required=True, lines=True)],
        description="Svaret kommer til at stå hos alle kommuner. Du kan bruge Markdown: **fed**, lister og links.",
    )


class CloseForm(VersionedForm):
    """Closing a question without an answer."""

    reason = StringField(
        "Begrundelse",
        [CleanText(REASON_LIMIT, required=True)],
        description="Kun den, der spurgte, kan læse den.",
    )
