""" "Er det stadig dig?": who is asked in a round, and reminded after two weeks; administrators are told after four."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select

from klik.domain.deadlines import danish_today
from klik.models import Notice, RoleAnswer, RoleHolding
from klik.services.notices import ledger, recipients, stand_ins
from klik.services.notices.ledger import NoticeDraft
from klik.services.notices.recipients import Recipient
from klik.services.notices.stand_ins import Wanted
from klik.services.roles import asking, rounds
from klik.services.roles.rounds import Round, Standing
from klik.services.work import Work

OCCASION, ANSWERED = "rolle-bekraeft", "rolle-svar"
REMINDED_AFTER, LISTED_AFTER = timedelta(days=14), timedelta(days=28)
MOST_NAMED = 10
_KEYS_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class _Holder:
    """Somebody with roles to confirm in one municipality."""

    standing: tuple[Standing, ...]

    @property
    def first(self) -> Standing:
        return self.standing[0]

    @property
    def place(self) -> int:
        return self.first.holding.municipality_id

    @property
    def who(self) -> str:
        return who(self.first.holding.person_id, self.first.address)

    @property
    def recipient(self) -> Recipient:
        return Recipient(self.first.holding.person_id, self.first.address, self.place, "har rollen")

    def about(self, current: Round) -> str:
        return f"{OCCASION}/{current.slug}/{self.place}/{self.who}"


def who(person_id: int | None, address: str) -> str:
    """A holder in a notice's key: "p12", or for a mailbox "m" and a digest, since addresses can be long."""
    if person_id is not None:
        return f"p{person_id}"
    return f"m{hashlib.sha256(address.casefold().encode()).hexdigest()[:16]}"


def is_own(notice: Notice) -> bool:
    """Whether the notice asks whoever it was sent to about their own roles; stand-ins are asked about another's."""
    parts = notice.dedupe_key.split("/")
    return (
        notice.occasion == OCCASION
        and len(parts) > 4
        and parts[2] == str(notice.municipality_id)
        and parts[3] == who(notice.person_id, notice.address)
    )


def round_of(notice: Notice) -> Round | None:
    """The round that a notice asks in."""
    parts = notice.dedupe_key.split("/")
    return rounds.named(parts[1]) if len(parts) > 1 else None


def lacking(work: Work) -> list[NoticeDraft]:
    """What is to be told in the round of today and is not in the ledger; only reads, a fixed number of statements."""
    current = rounds.of(work.today)
    everybody = _holders(rounds.unanswered(work))
    if not everybody:
        return []
    began = _asked_on(work, [_own_key(each, current) for each in everybody])
    told = stand_ins.reached(
        work,
        {
            each.about(current): [
                Wanted(each.recipient, one.holding.role, one.holding.system_code) for one in each.standing
            ]
            for each in everybody
        },
    )
    systems = asking.system_names(work)
    drafts: list[NoticeDraft] = []
    late: dict[int, list[_Holder]] = defaultdict(list)
    for each in everybody:
        about = each.about(current)
        waits = work.today - began.get(_own_key(each, current), work.today)
        for to in told[about]:
            drafts.append(_question(work, each, to, about, systems, again=False))
            # A stand-in is asked once; the list reminds the administrator.
            if waits >= REMINDED_AFTER and to.who == each.recipient.who:
                drafts.append(_question(work, each, to, f"{about}/igen", systems, again=True))
        if waits >= LISTED_AFTER:
            late[each.place].append(each)
    drafts += _lists(work, late, current, systems)
    return ledger.not_entered(work, drafts)


def moot(work: Work, notices: Iterable[Notice]) -> set[int]:
    """Those that ask about roles of which none waits for an answer any more; two statements, none without them."""
    asking_ones = {
        notice.id: notice.dedupe_key.split("/")
        for notice in notices
        if notice.occasion == OCCASION and round_of(notice) is not None
    }
    if not asking_ones:
        return set()
    current = rounds.of(work.today)
    everybody = _holders(rounds.unanswered(work))
    waits = {each.about(current) for each in everybody}
    waits |= {_list_about(current, each.place) for each in everybody}
    return {number for number, parts in asking_ones.items() if "/".join(parts[:4]) not in waits}


def _list_about(current: Round, code: int) -> str:
    return f"{OCCASION}/{current.slug}/{code}/liste"


def _holders(found: Iterable[Standing]) -> list[_Holder]:
    groups: dict[tuple[int, str], list[Standing]] = defaultdict(list)
    for each in found:
        groups[each.holding.municipality_id, who(each.holding.person_id, each.address)].append(each)
    return [_Holder(tuple(group)) for _key, group in sorted(groups.items())]


def _own_key(each: _Holder, current: Round) -> str:
    return ledger.full_key(each.about(current), each.recipient)


def _asked_on(work: Work, keys: Sequence[str]) -> dict[str, date]:
    """The day on which each holder was asked, by the notice's key."""
    found: dict[str, date] = {}
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        rows = work.session.execute(
            select(Notice.dedupe_key, Notice.created_at).where(
                Notice.dedupe_key.in_(keys[start : start + _KEYS_AT_ONCE])
            )
        )
        found |= {key: danish_today(created) for key, created in rows}
    return found


def _question(
    work: Work, each: _Holder, to: Recipient, about: str, systems: dict[str, str], *, again: bool
) -> NoticeDraft:
    count, name = len(each.standing), each.first.name
    what = listed([asking.role_words(work, one.holding, systems) for one in each.standing])
    roles = "1 rolle" if count == 1 else f"{count} roller"
    if to.who == each.recipient.who:
        heading = f"{'Påmindelse: ' if again else ''}{roles} skal bekræftes"
        holder = f"Postkassen {name} står" if each.first.mailbox else "Du står"
        still = "jer" if each.first.mailbox else "dig"
        sentence = (
            f"Er det stadig {still}? {holder} i rollegalleriet som {what}. "
            "Svar ja, skriv, hvem der skal have rollen nu, eller sig, at ingen har den."
        )
        path = "/roller/bekraeft"
    else:
        heading = f"Skal bekræftes: {roles} hos {name}"
        sentence = (
            f"{name} står i rollegalleriet som {what}. Spørg, om det stadig passer; "
            "kommunens KLIK-administrator kan bekræfte eller rette det."
        )
        path = "/roller"
    return NoticeDraft(
        occasion=OCCASION,
        dedupe_key=about,
        recipient=to,
        heading=heading,
        sentence=sentence,
        path=path,
        about_day=work.today,
    )


def _lists(
    work: Work, late: Mapping[int, Sequence[_Holder]], current: Round, systems: dict[str, str]
) -> Iterable[NoticeDraft]:
    if not late:
        return
    administrators = stand_ins.administrators_told(work, late)
    others = recipients.of_municipalities(work, late.keys() - administrators.keys(), None)
    for code, holders in late.items():
        count = sum(len(each.standing) for each in holders)
        named = [_line(work, each, systems) for each in holders[:MOST_NAMED]]
        if len(holders) > MOST_NAMED:
            named.append(f"og {len(holders) - MOST_NAMED} andre")
        for to in administrators.get(code) or others.get(code, ()):
            yield NoticeDraft(
                occasion=OCCASION,
                dedupe_key=_list_about(current, code),
                recipient=to,
                heading=f"{count} {'rolle' if count == 1 else 'roller'} er ikke bekræftet",
                sentence=f"{'; '.join(named)}. Bekræft dem for indehaverne, eller besæt dem på ny.",
                path="/roller/svar" if code in administrators else "/roller",
                about_day=work.today,
            )


def _line(work: Work, each: _Holder, systems: dict[str, str]) -> str:
    what = listed([asking.role_words(work, one.holding, systems) for one in each.standing])
    return f"{each.first.name}: {what}"


def listed(words: Sequence[str]) -> str:
    """ "a, b og c"."""
    return f"{', '.join(words[:-1])} og {words[-1]}" if len(words) > 1 else words[0]


def tell_proposed(work: Work, answer: RoleAnswer, holding: RoleHolding, name: str) -> int:
    """Tell the municipality's administrators that a holder proposes a change; what it is stands on the page."""
    what = asking.role_words(work, holding, asking.system_names(work))
    code = holding.municipality_id
    told = stand_ins.administrators_told(work, [code]).get(code) or recipients.of_municipalities(
        work, [code], holding.system_code
    ).get(code, ())
    said = "foreslår en anden" if answer.answer == "ny" else "svarer, at ingen har rollen"
    return ledger.enqueue(
        work,
        [
            NoticeDraft(
                occasion=ANSWERED,
                dedupe_key=f"{ANSWERED}/{answer.id}/{answer.answer}",
                recipient=to,
                heading=f"{name} {said}: {what}",
                sentence="Udfør forslaget, eller afvis det med en begrundelse. Det sker på siden med svar om roller.",
                path="/roller/svar",
            )
            for to in told
        ],
    )


def tell_dismissed(work: Work, answer: RoleAnswer, holding: RoleHolding, address: str, note: str) -> int:
    """Tell whoever proposed a change that it was not carried out, and why."""
    what = asking.role_words(work, holding, asking.system_names(work))
    to = Recipient(holding.person_id, address, holding.municipality_id, "har rollen")
    because = f" Begrundelse: {note}" if note else ""
    draft = NoticeDraft(
        occasion=ANSWERED,
        dedupe_key=f"{ANSWERED}/{answer.id}/afvist",
        recipient=to,
        heading=f"Dit svar om rollen {what} er ikke udført",
        sentence=f"Du står stadig med rollen i galleriet.{because}",
        path="/roller/bekraeft" if holding.person_id else "/roller",
    )
    return ledger.enqueue(work, [draft])
