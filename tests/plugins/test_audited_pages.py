"""What is stored on a plug-in's page stands in the audit trail: who and where, none of the words, once."""

from __future__ import annotations

from collections.abc import Callable

import time_machine
from sqlalchemy import select

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import AuditEntry
from tests import make
from tests.client import Browser

TITLE = "Fanen Overblik viser ikke bevillingen"
WRITING = "/p/kp/drift/ret"


def acts(house: Installation) -> list[tuple[str, int | None, str]]:
    with house.reading(make.NOW) as work:
        rows = work.session.scalars(
            select(AuditEntry).where(AuditEntry.action == "udvidelse").order_by(AuditEntry.id)
        ).all()
        assert all(TITLE not in row.facts and row.person_id for row in rows)
        return [(row.subject, row.municipality_id, row.facts) for row in rows]


@time_machine.travel(make.NOW, tick=False)
def test_what_is_stored_is_noted_once_and_what_is_refused_is_not(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    with house.database.writing() as session:
        make.has_system(session, make.KOEGE, "kp")
        make.person(session, email="mette@koege.example", level=Level.PLUS_USER)
        make.person(session, "Karen", level=Level.KOMBIT_EDITOR, email="karen@kombit.example")
    mette, karen = (browser().sign_in(who) for who in ("mette@koege.example", "karen@kombit.example"))
    page = mette.get("/p/kp/sager")
    assert acts(house) == []
    mette.submit(page, "/p/kp/sager", titel="010190-1234", act="gem", expect=422)
    assert acts(house) == []
    mette.submit(page, "/p/kp/sager", titel=TITLE, act="gem")
    assert acts(house) == [("/p/kp/sager", make.KOEGE, "{}")]
    mette.submit(page, "/p/kp/sager", titel=TITLE, act="gem")
    assert len(acts(house)) == 1, "the second press of the same form stored nothing"
    karen.submit(karen.get(f"{WRITING}?vis=fejl"), WRITING, titel=TITLE)
    assert acts(house)[1:] == [(WRITING, None, "{}")]
