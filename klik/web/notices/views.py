"""The account of notices: who was told what, why, and how far it came; and the way to send a mail again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, abort, flash, render_template, request, url_for
from sqlalchemy import select

from klik.domain.calendar import parse_date, short_date
from klik.domain.errors import InputError
from klik.domain.rights import Right
from klik.models import Municipality
from klik.services import access as door
from klik.services import job_runs
from klik.services.control import reporting
from klik.services.errors import RefusedError
from klik.services.notices import account as notice_account
from klik.services.notices import inbox
from klik.services.notices.account import STATES, Question
from klik.services.notices.bounces import whose
from klik.services.work import Work
from klik.web.base import access, installation, see_other
from klik.web.forms import showable
from klik.web.notices.inbox import page as inbox_page
from klik.web.notices.paging import PAGE, address_of, page_asked

blueprint = Blueprint("notices", __name__)
FIRST_UNREAD = 3
LONGEST_NAME = 100
# The sums on top, each the way to its own rows: word, states, whether it is bad news.
SUMS = (
    ("afsendt", ("sent",), False),
    ("venter", ("pending", "claimed"), False),
    ("retur", ("bounced",), True),
    ("afvist", ("failed",), True),
    ("uvist", ("in_doubt",), True),
    ("trukket tilbage", ("withdrawn",), False),
)


@blueprint.get("/varsler")
@access(Right.SIGNED_IN)
def index(work: Work) -> Any:
    """The own notices on top; below, for those with the right, the account of all."""
    assert work.actor is not None
    if not work.actor.has(Right.READ_LEDGER):
        return inbox_page(work)
    places = _municipalities(work)
    question, problems = _question(work, places)
    counts = notice_account.counts(work, replace(question, states=frozenset()))
    total = sum(number for state, number in counts.items() if not question.states or state in question.states)
    page = min(page_asked(), max(1, -(-total // PAGE)))
    return render_template(
        "notices/index.html",
        letters=inbox.letters(work, unread_only=True, most=FIRST_UNREAD),
        unread_count=inbox.unread(work),
        rows=notice_account.rows(work, question, first=(page - 1) * PAGE, most=PAGE),
        counts=counts,
        sums=_sums(counts, question),
        total=total,
        should=sum(counts.values()) - counts["withdrawn"],
        page=page,
        pages=max(1, -(-total // PAGE)),
        page_url=lambda number: f"{url_for('notices.index')}?{_query(question, number)}",
        groups=_groups(work, question, places),
        question=question,
        typed={key: showable(request.args.get(key, "")[:LONGEST_NAME]) for key in ("modtager", "fra", "til")},
        filtered=question != Question(),
        notices=[("warning", problem) for problem in problems],
        control=reporting.block(work) if work.actor.kombit else None,
        warnings=_warnings(work),
        settings=address_of("/varsler/indstillinger"),
        channels=address_of("/varsler/kanaler") if work.actor.has(Right.READ_OPERATIONS) else None,
        returned=whose.returned(work) if work.actor.kombit else (),
        unreachable=whose.unreachable(work) if work.actor.kombit else (),
        places=_municipalities(work),
    )


@blueprint.get("/varsler/<id:notice_id>/send-igen")
@access(Right.READ_LEDGER)
def ask_resend(work: Work, notice_id: int) -> str:
    """Which mail would be sent again, to whom, and what to look at first."""
    return render_template("notices/resend.html", row=notice_account.carried(work, notice_id), problem=None)


@blueprint.post("/varsler/<id:notice_id>/send-igen")
@access(Right.READ_LEDGER)
def resend(work: Work, notice_id: int) -> Any:
    """Queue the mail that carried the notice once more."""
    row = notice_account.carried(work, notice_id)
    try:
        address = notice_account.resend(work, notice_id)
    except RefusedError as refused:
        return render_template("notices/resend.html", row=row, problem=str(refused)), 422
    flash(f"Mailen til {address} sendes igen.", "success")
    return see_other("notices.index")


def _question(work: Work, places: Mapping[int, str]) -> tuple[Question, list[str]]:
    """What the address asks for, and what in it cannot be understood, in Danish."""
    if len(request.query_string) > 8_000:
        abort(400)
    known = {"tilstand", "anledning", "kommune", "modtager", "fra", "til", "side"}
    unknown = sorted(set(request.args) - known)
    states = _chosen("tilstand", STATES, unknown)
    occasions = _chosen("anledning", dict.fromkeys(notice_account.occasions(work), ""), unknown)
    codes = _chosen("kommune", {str(code): name for code, name in places.items()}, unknown)
    problems = [f"Filteret {showable(word)} kendes ikke og er udeladt." for word in unknown]
    first, last = _day("fra", "Fra", problems), _day("til", "Til", problems)
    if first and last and last < first:
        problems.append(f"Perioden slutter {short_date(last)}, før den begynder {short_date(first)}.")
    return Question(
        states=frozenset(states),
        occasions=frozenset(occasions),
        municipalities=frozenset(int(code) for code in codes),
        recipient=_recipient(problems),
        first_day=first,
        last_day=last,
    ), problems


def _recipient(problems: list[str]) -> str:
    typed = " ".join(showable(request.args.get("modtager", "")).split())
    if len(typed) > LONGEST_NAME:
        problems.append(f"Modtager: må højst være på {LONGEST_NAME} tegn.")
    return typed[:LONGEST_NAME]


def _day(key: str, label: str, problems: list[str]) -> date | None:
    typed = request.args.get(key, "").strip()[:LONGEST_NAME]
    if not typed:
        return None
    try:
        return parse_date(typed)
    except InputError as wrong:
        problems.append(f"{label}: {showable(str(wrong))}")
        return None


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


def _query(question: Question, page: int = 1) -> str:
    pairs: list[tuple[str, Any]] = [("tilstand", state) for state in sorted(question.states)]
    pairs += [("anledning", occasion) for occasion in sorted(question.occasions)]
    pairs += [("kommune", code) for code in sorted(question.municipalities)]
    pairs += [("modtager", question.recipient)] if question.recipient else []
    pairs += [("fra", question.first_day)] if question.first_day else []
    pairs += [("til", question.last_day)] if question.last_day else []
    return urlencode([*pairs, ("side", page)])


def _sums(counts: Mapping[str, int], question: Question) -> Sequence[Mapping[str, Any]]:
    """Each state that occurs, with its number and the address of its rows under the same filter."""
    return [
        {
            "word": word,
            "number": number,
            "bad": bad,
            "chosen": bool(question.states) and question.states <= set(states),
            "href": f"{url_for('notices.index')}?{_query(replace(question, states=frozenset(states)))}#raekker",
        }
        for word, states, bad in SUMS
        if (number := sum(counts[state] for state in states))
    ]


def _groups(work: Work, question: Question, places: Mapping[int, str]) -> Sequence[Mapping[str, Any]]:
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
