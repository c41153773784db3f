"""Telling those who look after an address that mails come back from it, and KOMBIT where nobody can be reached."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from klik.domain import municipality_names
from klik.models import Mail
from klik.services.notices.bounces import marks, whose
from klik.services.notices.ledger import NoticeDraft, enqueue
from klik.services.work import Work

OCCASION = "retur"


def tell(work: Work, mail: Mail, reply: str) -> int:
    """Tell them once for each time the address goes dead; how many notices that was."""
    address = mail.address
    about = hashlib.sha256(marks.key_of(address).encode()).hexdigest()[:24]
    drafts = []
    for use in whose.uses(work, address):
        who = f"{use.name} ({address})" if use.name != address else address
        for recipient in whose.keepers(work, use.municipality_id, address):
            drafts.append(
                NoticeDraft(
                    occasion=OCCASION,
                    dedupe_key=f"retur/{about}/{work.now:%Y%m%dT%H%M%S}/{use.municipality_id}",
                    recipient=recipient,
                    heading=f"Mails til {use.name} kommer retur",
                    sentence=f"Mails til {who} kommer retur med svaret “{reply}”. Klik sender ikke flere mails dertil; "
                    "andre får dem i stedet. Ret adressen, eller tryk “Prøv igen”, når den virker igen.",
                    path=use.path,
                    due_at=work.now,
                )
            )
    return enqueue(work, drafts)


def watch(work: Work) -> int:
    """Tell KOMBIT, once a week each, of municipalities where nobody can be reached by mail."""
    year, week, _day = work.today.isocalendar()
    drafts = [
        NoticeDraft(
            occasion=OCCASION,
            dedupe_key=f"uden-modtager/{place.id}/{year}-{week}",
            recipient=replace(recipient, municipality_id=place.id, reason=whose.NO_ADMINISTRATOR),
            heading=f"Ingen i {place.name} kan få mails fra klik",
            sentence=f"{municipality_names.formal(place.name)} har hverken plusbruger eller administrator, "
            "som mails når frem til. Kommunens varsler går til KOMBIT, til det er rettet.",
            path=f"/personer?kommune={place.id}",
            due_at=work.now,
        )
        for place in whose.unreachable(work)
        for recipient in whose.keepers(work, None, "")
    ]
    return enqueue(work, drafts)
