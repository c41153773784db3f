"""A mailing list for a selection: who is in it, text for Outlook, and the same as files and vCards."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template

from klik.domain.rights import Right
from klik.services.contacts import mailing, vcards
from klik.services.contacts.mailing import MOST_PER_MAIL, MailingList
from klik.services.contacts.wanted import CONTACT, Wanted
from klik.services.work import Work
from klik.web.base import access
from klik.web.contacts.views import CSV, VCARD, asked, looked_up, sent

blueprint = Blueprint("mailing_list", __name__)


@blueprint.get("/kontakter/mailliste")
@access(Right.READ_ROLES)
def show(work: Work) -> Any:
    """Who is in the list of what is chosen, who is not, and the text to copy; nothing is shown before a choice."""
    wanted, choices = asked(work)
    found = _built(work, wanted) if wanted.pairs() else None
    return render_template(
        "contacts/mailing_list.html",
        wanted=wanted,
        choices=choices,
        found=found,
        parts=mailing.parts(found.recipients, wanted.form) if found else [],
        most=MOST_PER_MAIL,
        contact=CONTACT,
        several=work.actor is not None and work.actor.municipality_id is None,
    )


@blueprint.get("/kontakter/mailliste.txt")
@access(Right.EXPORT)
def as_text(work: Work) -> Any:
    """One recipient a line."""
    wanted, _choices = asked(work)
    content = mailing.as_text(_built(work, wanted), wanted.form)
    return sent(work, content, "txt", "text/plain; charset=utf-8", "Mailliste")


@blueprint.get("/kontakter/mailliste.csv")
@access(Right.EXPORT)
def as_csv(work: Work) -> Any:
    """Recipients and those left out, for a Danish Excel."""
    wanted, _choices = asked(work)
    return sent(work, mailing.as_csv(_built(work, wanted)), "csv", CSV, "Mailliste")


@blueprint.get("/kontakter/mailliste.vcf")
@access(Right.EXPORT)
def as_vcards(work: Work) -> Any:
    """A vCard for each recipient, in one file."""
    wanted, _choices = asked(work)
    cards = vcards.of_recipients(_built(work, wanted).recipients)
    return sent(work, vcards.written(cards, work.now), "vcf", VCARD, "Kontakter")


def _built(work: Work, wanted: Wanted) -> MailingList:
    found = mailing.build(work, wanted)
    looked_up(work, "mailliste", len(found.recipients), wanted)
    return found
