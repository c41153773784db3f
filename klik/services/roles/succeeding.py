"""A role passes from somebody who leaves to somebody who comes: by days, and told by whoever lets it happen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import or_, select

from klik.content.roles import Holders
from klik.models import RoleHolding
from klik.services import auditing
from klik.services.holders import HOLDER
from klik.services.work import Work

ONE_DAY = timedelta(days=1)


def pass_on(work: Work, holding: RoleHolding, last_day: date, heir_id: int | None) -> RoleHolding | None:
    """End a holding after ``last_day`` and let the heir hold the role from the day after; tells nobody.

    A holding that would have begun later never does: its row goes. Gives the heir's holding, which may be one they
    had already; None where nobody takes over. Who was primary hands that on too: to the heir, or else to
    whoever has held the role longest of the rest.
    """
    begins = max(last_day + ONE_DAY, holding.valid_from)
    until, was_primary = holding.valid_to, holding.is_primary
    _end(work, holding, last_day)
    others = [each for each in _alongside(work, holding, begins, until) if each.kind == holding.kind]
    heirs = _heirs_holding(work, holding, others, begins, until, heir_id)
    if holding.kind == HOLDER:
        _settle_primary(work, holding, heirs, others, was_primary=was_primary)
    return heirs


def _end(work: Work, holding: RoleHolding, last_day: date) -> None:
    if holding.valid_from > last_day:
        _note(work, "rolle-bortfald", holding)
        work.session.delete(holding)
    else:
        holding.valid_to = last_day
        _note(work, "rolle-afslut", holding)
    # Whoever steps back does so in the database first: it refuses two primaries at any moment.
    work.session.flush()


def _alongside(work: Work, gone: RoleHolding, begins: date, until: date | None) -> Sequence[RoleHolding]:
    """The role's other holdings that share a day with the period."""
    system = (
        RoleHolding.system_code.is_(None)
        if gone.system_code is None
        else RoleHolding.system_code == gone.system_code
    )
    statement = select(RoleHolding).where(
        RoleHolding.municipality_id == gone.municipality_id,
        RoleHolding.role == gone.role,
        system,
        RoleHolding.id != gone.id,
        or_(RoleHolding.valid_to.is_(None), RoleHolding.valid_to >= begins),
    )
    if until is not None:
        statement = statement.where(RoleHolding.valid_from <= until)
    return work.session.scalars(statement.order_by(RoleHolding.valid_from, RoleHolding.id)).all()


def _heirs_holding(
    work: Work,
    gone: RoleHolding,
    others: Sequence[RoleHolding],
    begins: date,
    until: date | None,
    heir_id: int | None,
) -> RoleHolding | None:
    if heir_id is None:
        return None
    for each in others:
        if each.person_id == heir_id:
            return each
    alone = work.registry.content.role(gone.role).holders is Holders.EXACTLY_ONE
    if alone and gone.kind == HOLDER and others:
        # Somebody is to hold the role later, or does so already: the heir has it until then.
        if others[0].valid_from <= begins:
            return None
        until = others[0].valid_from - ONE_DAY
    made = RoleHolding(
        municipality_id=gone.municipality_id,
        role=gone.role,
        system_code=gone.system_code,
        person_id=heir_id,
        kind=gone.kind,
        is_primary=False,
        valid_from=begins,
        valid_to=until,
        confirmed_at=work.now,
    )
    work.session.add(made)
    work.session.flush()
    _note(work, "rolle-besaet", made)
    return made


def _settle_primary(
    work: Work,
    gone: RoleHolding,
    heirs: RoleHolding | None,
    others: Sequence[RoleHolding],
    *,
    was_primary: bool,
) -> None:
    """One primary where the role wants one; where it wants none, the mark passes on with the role."""
    rule = work.registry.content.role(gone.role).holders
    if any(each.is_primary for each in others) or (rule is Holders.SEVERAL and not was_primary):
        return
    now = [each for each in others if each.valid_from <= work.today and each is not heirs]
    next_in_line = heirs if rule is Holders.SEVERAL else heirs or (now[0] if now else None)
    if next_in_line is not None and not next_in_line.is_primary:
        next_in_line.is_primary = True
        work.session.flush()
        _note(work, "rolle-primaer", next_in_line)


def _note(work: Work, action: str, holding: RoleHolding) -> None:
    facts = {"rolle": holding.role, "system": holding.system_code, "person": holding.person_id}
    auditing.record(work, action, f"role-holding/{holding.id}", facts, holding.municipality_id)
