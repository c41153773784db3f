"""Who steps back when somebody steps in, and who is primary next: each role's own rule, kept in the rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import aliased

from klik.content.roles import Holders, RoleDescription
from klik.domain.calendar import long_date
from klik.models import RoleAnswer, RoleHolding
from klik.services import auditing, holders
from klik.services.errors import RefusedError
from klik.services.holders import HOLDER
from klik.services.notices import roles
from klik.services.work import Work

ONE_DAY = timedelta(days=1)


def alongside(
    work: Work, municipality: int, role: str, system: str | None, start: date, end: date | None
) -> list[RoleHolding]:
    """The role's holdings that share a day with the period, in the order they were written down."""
    same_system = RoleHolding.system_code.is_(None) if system is None else RoleHolding.system_code == system
    statement = select(RoleHolding).where(
        RoleHolding.municipality_id == municipality,
        RoleHolding.role == role,
        same_system,
        or_(RoleHolding.valid_to.is_(None), RoleHolding.valid_to >= start),
    )
    if end is not None:
        statement = statement.where(RoleHolding.valid_from <= end)
    return list(work.session.scalars(statement.order_by(RoleHolding.id)))


def make_room(
    work: Work,
    role: RoleDescription,
    held: Sequence[RoleHolding],
    start: date,
    end: date | None,
    *,
    primary: bool,
) -> bool:
    """End or demote other holders as the role wants it; whether the new one is the primary one. RefusedError."""
    if role.holders is Holders.EXACTLY_ONE:
        for other in held:
            _end_before(work, other, start)
        return True
    if primary and start > work.today and any(other.is_primary for other in held):
        raise RefusedError(
            {
                "primary": f"Primær: kan først vælges {long_date(start)}, hvor rollen begynder, "
                "fordi en anden er primær indtil da."
            }
        )
    is_past = end is not None and end < work.today
    if is_past or (role.holders is Holders.ONE_PRIMARY and start > work.today):
        # Who is not there cannot be primary; on the first day the rule makes whoever is alone it.
        return False
    there = [other for other in held if not is_over(work, other)]
    if not primary:
        return role.holders is Holders.ONE_PRIMARY and not any(
            other.valid_from <= work.today for other in there
        )
    for other in there:
        other.is_primary = False
    return True


def end_own_substitution(work: Work, others: Iterable[RoleHolding], start: date) -> None:
    """Whoever takes the role over no longer stands in for it."""
    for other in others:
        if other.valid_from < start:
            other.valid_to = start - ONE_DAY
            note_change(work, "rolle-afslut", other)
        elif other.valid_from >= work.today:
            take_back(work, other)
    work.session.flush()


def settle(work: Work, municipality: int, role: RoleDescription, system: str | None) -> RoleHolding | None:
    """Write down who is primary today where the role wants one; gives whoever became it just now."""
    if role.holders is Holders.SEVERAL:
        return None
    held = [
        each
        for each in alongside(work, municipality, role.slug, system, work.today, work.today)
        if each.kind == HOLDER
    ]
    first = holders.first_in_line(role.holders, held)
    if first is None or first.is_primary:
        return None
    for other in held:
        other.is_primary = False
    # Whoever must step back does so in the database first: it refuses two primaries at any moment.
    work.session.flush()
    first.is_primary = True
    work.session.flush()
    return first


def hand_on(work: Work) -> int:
    """Let the next in line be primary where a primary's last day has passed; how many there were.

    Run as time passes (with the deadlines): the rule is asked by everybody who tells or shows, so nothing waits
    for this; it keeps the rows true. One statement when there is nothing to do.
    """
    chosen = aliased(RoleHolding)
    has_primary = (
        select(chosen.id)
        .where(
            chosen.municipality_id == RoleHolding.municipality_id,
            chosen.role == RoleHolding.role,
            chosen.system_code.is_not_distinct_from(RoleHolding.system_code),
            chosen.kind == HOLDER,
            chosen.is_primary.is_(True),
            chosen.valid_from <= work.today,
            or_(chosen.valid_to.is_(None), chosen.valid_to >= work.today),
        )
        .exists()
    )
    places = work.session.execute(
        select(RoleHolding.municipality_id, RoleHolding.role, RoleHolding.system_code)
        .where(RoleHolding.kind == HOLDER, holders.today(work), ~has_primary)
        .distinct()
        .order_by(RoleHolding.municipality_id, RoleHolding.role, RoleHolding.system_code)
    ).all()
    found = [settle(work, code, work.registry.content.role(role), system) for code, role, system in places]
    for heir in found:
        if heir is not None:
            tell_heir(work, heir)
    return sum(heir is not None for heir in found)


def tell_heir(work: Work, heir: RoleHolding) -> None:
    """Somebody became primary without anybody choosing it: written down, and they are told."""
    note_change(work, "rolle-primaer", heir)
    roles.tell_handed_over(work, heir, f"primaer/v={heir.version}", primary=True)


def take_back(work: Work, holding: RoleHolding) -> None:
    """What began today or has not begun was never a whole day in anybody's role: the row goes, the audit tells.

    Raises RefusedError (last_day) when it began earlier, or when somebody has answered "Er det stadig dig?" by it.
    """
    if holding.valid_from < work.today:
        raise RefusedError(
            {
                "last_day": f"Rollen begyndte {long_date(holding.valid_from)} og kan ikke fortrydes. "
                "Afslut den i stedet."
            }
        )
    if work.session.scalar(select(RoleAnswer.id).where(RoleAnswer.role_holding_id == holding.id).limit(1)):
        raise RefusedError(
            {"last_day": "Rollen er allerede bekræftet af den, der har den. Afslut den i stedet."}
        )
    note_change(work, "rolle-fortryd", holding)
    work.session.delete(holding)
    work.session.flush()


def is_over(work: Work, holding: RoleHolding) -> bool:
    """Whether the last day has passed."""
    return holding.valid_to is not None and holding.valid_to < work.today


def note_change(work: Work, action: str, holding: RoleHolding) -> None:
    """Write the act down."""
    facts = {"rolle": holding.role, "system": holding.system_code, "person": holding.person_id}
    auditing.record(work, action, f"role-holding/{holding.id}", facts, holding.municipality_id)


def _end_before(work: Work, other: RoleHolding, start: date) -> None:
    if other.valid_from == start and start >= work.today:
        take_back(work, other)
        roles.tell_ended(work, other, taken_back=True)
        return
    if other.valid_from >= start:
        raise RefusedError(
            {
                "valid_from": f"Fra og med: rollen er allerede besat fra {long_date(other.valid_from)}. "
                "Vælg en senere dag, eller skriv en slutdato før den."
            }
        )
    other.valid_to = start - ONE_DAY
    work.session.flush()
    note_change(work, "rolle-afslut", other)
    roles.tell_ended(work, other)
