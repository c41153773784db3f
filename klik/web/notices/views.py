"""The account of notices, and everybody's own inbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, abort, flash, render_template, request, url_for
from sqlalchemy import select

from klik.domain.rights import Right
from klik.models import Municipality
from klik.services import access as door
from klik.services import job_runs
from klik.services.control import reporting
from klik.services.notices import account as notice_account
from klik.services.notices.account import STATES, Question
from klik.services.work import Work
from klik.web.base import access, installation, see_other

blueprint = Blueprint("notices", __name__)
PAGE = 50
FIRST_UNREAD = 5


@blueprint.get("/varsler")
@access(Right.SIGNED_IN)
def index(work: Work) -> Any:
    """The own notices on top; below, for those with the right, the account of all."""
    assert work.actor is not None
    if not work.actor.has(Right.READ_LEDGER):
        return _inbox(work)
    question, unknown = _question(work)
    counts = notice_account.counts(work, question)
    total = sum(counts.values())
    page = min(_page(), max(1, -(-total // PAGE)))
    return render_template(
        "notices/index.html",
        unread=notice_account.inbox(work, unread_only=True, most=FIRST_UNREAD),
        unread_count=notice_account.inbox_count(work, unread_only=True),
        rows=notice_account.rows(work, question, first=(page - 1) * PAGE, most=PAGE),
        counts=counts,
        total=total,
        should=total - counts["withdrawn"],
        page=page,
        pages=max(1, -(-total // PAGE)),
        page_url=lambda number: f"{url_for('notices.index')}?{_query(question, number)}",
        groups=_groups(work, question),
        filtered=question != Question(),
        notices=[("warning", f"Filteret {word} kendes ikke og er udeladt.") for word in unknown],
        control=reporting.block(work) if work.actor.has(Right.READ_OPERATIONS) else None,
        warnings=_warnings(work),
    )


@blueprint.get("/varsler/mine")
@access(Right.SIGNED_IN)
def mine(work: Work) -> Any:
    """The own notices, all of them."""
    return _inbox(work)


def _inbox(work: Work) -> Any:
    total = notice_account.inbox_count(work)
    pages = max(1, -(-total // PAGE))
    page = min(_page(), pages)
    return render_template(
        "notices/inbox.html",
        rows=notice_account.inbox(work, first=(page - 1) * PAGE, most=PAGE),
        unread_count=notice_account.inbox_count(work, unread_only=True),
        total=total,
        page=page,
        pages=pages,
        page_url=lambda number: url_for("notices.mine", side=number),
    )


@blueprint.post("/varsler/<id:notice_id>/laest")
@access(Right.SIGNED_IN)
def mark_read(work: Work, notice_id: int) -> Any:
    """Mark one of the own notices as read."""
    notice_account.mark_read(work, notice_id)
    return see_other("notices.mine")


@blueprint.post("/varsler/laest")
@access(Right.SIGNED_IN)
def mark_all_read(work: Work) -> Any:
    """Mark all of the own notices as read."""
    count = notice_account.mark_all_read(work)
    flash(f"{count} {'varsel' if count == 1 else 'varsler'} er markeret som læst.", "success")
    return see_other("notices.mine")


def _page() -> int:
    given = request.args.get("side", "1")
    if not given.isascii() or not given.isdigit():
        return 1
    return max(1, int(given[:9]))


def _question(work: Work) -> tuple[Question, list[str]]:
    """What the address asks for, and the words in it that mean nothing."""
    if len(request.query_string) > 8_000:
        abort(400)
    unknown = sorted(set(request.args) - {"tilstand", "anledning", "kommune", "side"})
    places = _municipalities(work)
    states = _chosen("tilstand", STATES, unknown)
    occasions = _chosen("anledning", dict.fromkeys(notice_account.occasions(work), ""), unknown)
    codes = _chosen("kommune", {str(code): name for code, name in places.items()}, unknown)
    return Question(
        states=frozenset(states),
        occasions=frozenset(occasions),
        municipalities=frozenset(int(code) for code in codes),
    ), unknown


def _chosen(key: str, known: Mapping[str, str], unknown: list[str]) -> list[str]:
    given = [value for value in request.args.getlist(key) if value]
    unknown += [f"“{key}={value[:40]}”" for value in given if value not in known]
    return [value for value in given if value in known]


def _municipalities(work: Work) -> Mapping[int, str]:
    rows = work.session.execute(
        select(Municipality.id, Municipality.name)
        .where(door.municipalities(work))
        .order_by(Municipality.name_key)
    )
    return {code: name for code, name in rows}


def _query(question: Question, page: int) -> str:
    pairs: list[tuple[str, Any]] = [("tilstand", state) for state in sorted(question.states)]
    pairs += [("anledning", occasion) for occasion in sorted(question.occasions)]
    pairs += [("kommune", code) for code in sorted(question.municipalities)]
    return urlencode([*pairs, ("side", page)])


def _groups(work: Work, question: Question) -> Sequence[Mapping[str, Any]]:
    places = _municipalities(work)
    groups = [
        _group("tilstand", "Tilstand", STATES.items(), question.states),
        _group(
            "anledning",
            "Anledning",
            [
                (occasion, notice_account.occasion_label(work.registry, occasion))
                for occasion in notice_account.occasions(work)
            ],
            question.occasions,
        ),
    ]
    if len(places) > 1:
        chosen = {str(code) for code in question.municipalities}
        groups.append(
            _group("kommune", "Kommune", [(str(code), name) for code, name in places.items()], chosen)
        )
    return [group for group in groups if group["options"]]


def _group(key: str, label: str, options: Any, chosen: Any) -> Mapping[str, Any]:
    return {
        "key": key,
        "label": label,
        "options": [
            {"value": value, "label": words[:1].upper() + words[1:], "checked": value in chosen}
            for value, words in options
        ],
    }


def _warnings(work: Work) -> list[str]:
    found = job_runs.silences(work)
    if installation().settings.smtp is None:
        found.append("Mails bliver ikke sendt: KLIK_SMTP_URL er ikke sat. De venter, til den er.")
    return found
