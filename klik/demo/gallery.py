"""What the role gallery remembers in the demo: earlier holders in Køge, and earlier versions of descriptions."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, update

from klik.demo.people import KOEGE, Staff
from klik.models import Person, RoleEdition, RoleHolding, RoleReading
from klik.services import auditing
from klik.services.holders import HOLDER, SUBSTITUTE
from klik.services.work import Actor, Work

EDITIONS = Path(__file__).with_name("role_editions.toml")
# When klik first met the earlier versions, when people read them, and when the new ones came.
KNOWN, READ, NEW = timedelta(days=420), timedelta(days=60), timedelta(days=6)
# Role, system, who, as what, from and to in days from today; a name with @ is a functional mailbox.
REMEMBERED: tuple[tuple[str, str | None, str, str, int, int | None], ...] = (
    ("kombit-programleder", None, "plusbruger", HOLDER, -1500, -901),
    ("projektleder", "kp", "bruger", HOLDER, -1300, -905),
    ("superbruger", "kp", "laeser", HOLDER, -1100, -190),
    ("superbruger", "ksd", "sygedagpenge@koege.example", HOLDER, -45, None),
    ("systemansvarlig", "kp", "bruger", HOLDER, -50, None),
    ("projektleder", "ky", "programleder", SUBSTITUTE, -3, 11),
    ("kp-faglig-leder", "kp", "administrator", HOLDER, -40, None),
    ("supportberettiget-bruger", "ky", "laeser", HOLDER, 9, None),
)


# Numbers that nobody in Denmark can have.
PHONES = {"administrator": "12 34 56 01", "programleder": "12 34 56 02", "plusbruger": "12 34 56 03"}


def remember(work: Work, staff: Mapping[int, Staff], administrator: Actor) -> None:
    """Earlier and further holders in Køge, each written down by the administrator on the first day."""
    for box, phone in PHONES.items():
        work.session.get_one(Person, staff[KOEGE].ids[box]).phone = phone
    for role, system, who, kind, first, last in REMEMBERED:
        written = work.now + timedelta(days=min(first, -1))
        row = RoleHolding(
            municipality_id=KOEGE,
            role=role,
            system_code=system,
            person_id=None if "@" in who else staff[KOEGE].ids[who],
            mailbox=who if "@" in who else None,
            kind=kind,
            valid_from=work.today + timedelta(days=first),
            valid_to=None if last is None else work.today + timedelta(days=last),
            confirmed_at=max(written, work.now - timedelta(days=230)),
        )
        work.session.add(row)
        work.session.flush()
        then = replace(work, now=written, actor=administrator)
        auditing.record(then, "rolle-besaet", f"role-holding/{row.id}", {"rolle": role}, KOEGE)


def describe(work: Work, staff: Mapping[int, Staff]) -> None:
    """What klik knew before of three descriptions, and that everybody in Køge has read it."""
    tables: list[dict[str, Any]] = tomllib.loads(EDITIONS.read_text("utf-8"))["udgave"]
    slugs = [table["rolle"] for table in tables]
    work.session.execute(
        update(RoleEdition).where(RoleEdition.role.in_(slugs)).values(known_from=work.today - NEW),
        execution_options={"synchronize_session": False},
    )
    for table in tables:
        texts = {key: table[key].strip() for key in ("navn", "resume", "beskrivelse", "kontakt")}
        texts["opgaver"] = "\n".join(f"- {task}" for task in table["opgaver"])
        work.session.add(
            RoleEdition(
                role=table["rolle"],
                version=table["version"],
                change=table["aendring"],
                content=json.dumps(texts, ensure_ascii=False),
                known_from=work.today - KNOWN,
            )
        )
    work.session.execute(
        insert(RoleReading),
        [
            {
                "person_id": person,
                "role": table["rolle"],
                "version": table["version"],
                "read_at": work.now - READ,
            }
            for person in staff[KOEGE].ids.values()
            for table in tables
        ],
    )
