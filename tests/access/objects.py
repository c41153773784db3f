"""Which ids an address is tried with: the visitor's own objects, others' and mixed pairs, missing, malformed.

"Own" is what lies within the visitor's reach, "other" what lies outside it: for a municipality another one's
rows, for KOMBIT the local tasks, for a supplier another system's tasks. Every mixed pair of two ids is "other".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import product

from klik.models import Notice
from klik.services.newsletters.links import Links
from klik.services.notices import actions
from tests.access import klarmelding_rows
from tests.access.world import (
    CALENDAR_SECRET,
    CENTRAL,
    HERNING,
    KOEGE,
    LEFT,
    LEVELS,
    MUNICIPAL,
    PLACES,
    SECRET,
    STAYING,
    Visitor,
    World,
)
from tests.conftest import SECRET as SIGNING
from tests.make import NOW

LONG_AGO = NOW - timedelta(days=60)
MISSING = ("999999", "2147483647")
MALFORMED = ("0", "-1", "2147483648", "9" * 400, "1.0", "٣", "%00", "1'--", "..%2f1", "01")
MISSING_WORD = ("findes-ikke", "KANARIE-657", "x" * 400)
MALFORMED_WORD = ("%00", "a%00b", "..%2f..%2fsettings")
ARGUMENT = re.compile(r"<(?:\w+:)?(\w+)>")

Pairs = list[tuple[int | str, ...]]


@dataclass(frozen=True, slots=True)
class Ids:
    """Tuples of ids in the order of the address's arguments."""

    own: Pairs
    other: Pairs


class UnknownObjectsError(Exception):
    """An address whose ids nobody has said the meaning of."""


def arguments(address: str) -> list[str]:
    """The names of an address's ids."""
    return ARGUMENT.findall(address)


def filled(address: str, values: tuple[int | str, ...]) -> str:
    """The address with ids put in."""
    given = iter(values)
    return ARGUMENT.sub(lambda _match: str(next(given)), address)


def ids_of(world: World, visitor: Visitor, address: str) -> Ids:
    """The ids to try this address with."""
    if not arguments(address):
        return Ids([()], [])
    stem = address[: address.rindex(">") + 1]
    stem = address if address in OBJECTS else stem
    if stem not in OBJECTS:
        raise UnknownObjectsError(
            f"{address}: nobody has said whose {', '.join(arguments(address))} are. "
            f"Add a function for {stem!r} to OBJECTS in tests/access/objects.py."
        )
    ids = OBJECTS[stem](_View(world, visitor))
    # A pair that is one's own is never tried as somebody else's.
    return Ids(ids.own, [pair for pair in dict.fromkeys(ids.other) if pair not in ids.own])


class _View:
    """The world as one visitor owns it; who is not signed in is tried with an administrator's ids."""

    def __init__(self, world: World, visitor: Visitor) -> None:
        self.world, self.ids = world, world.ids
        self.kind = "administrator" if visitor.out else visitor.kind
        self.scope = LEVELS[self.kind].scope
        self.place = visitor.place or (KOEGE if self.scope == "municipality" else None)
        self.away = HERNING if self.place == KOEGE else KOEGE

    def both(self, name: str) -> list[int]:
        return [self.ids[name, place] for place in PLACES]

    def tasks(self) -> tuple[list[int], list[int]]:
        if self.scope == "municipality":
            here, away = self.place, self.away
            return (
                [self.ids["first", here], self.ids["local", here]],
                [self.ids["first", away], self.ids["local", away]],
            )
        if self.scope == "supplier":
            return self.both("first"), self.both("third") + self.both("local")
        return self.both("first"), self.both("local")

    def hanging(self, name: str) -> Ids:
        """Something on a task, by (task, itself); ``name`` takes the task's name."""
        places = [self.place] if self.place else list(PLACES)
        real = {
            (place, task): (self.ids[task, place], self.ids[name.format(task), place])
            for place, task in product(PLACES, ("first", "local"))
            if (name.format(task), place) in self.ids
        }
        shown = ("first", "local") if self.scope == "municipality" else ("first",)
        own = [pair for (place, task), pair in real.items() if place in places and task in shown]
        mixed = product((task for task, _ in real.values()), (thing for _, thing in real.values()))
        return Ids(list(own), list(mixed))


def _tasks(view: _View) -> Ids:
    own, other = view.tasks()
    other = other + view.both("erased")
    return Ids([(each,) for each in own], [(each,) for each in other])


def withdrawn(world: World, visitor: Visitor, address: str) -> Pairs:
    """Tasks of one's own that KOMBIT has withdrawn: they are read, and changed by nobody."""
    view = _View(world, visitor)
    if address.startswith(TASK) and len(arguments(address)) == 1 and view.place:
        return [(view.ids["withdrawn", view.place],)]
    if "/kommentarer/<" in address and view.place:
        return [(view.ids["withdrawn", view.place], view.ids[f"comment-withdrawn {view.kind}", view.place])]
    return []


def of_role(world: World, visitor: Visitor, address: str) -> Pairs:
    """A task of the municipality's that one role is responsible for."""
    here = address.startswith(TASK) and len(arguments(address)) == 1 and visitor.place
    return [(world.ids["of-role", visitor.place],)] if here else []


def _comments(view: _View) -> Ids:
    ids = view.hanging("comment-{} " + view.kind)
    colleagues = [kind for kind in MUNICIPAL if kind != view.kind]
    place = view.place or KOEGE
    others = [(view.ids["first", place], view.ids[f"comment-first {kind}", place]) for kind in colleagues]
    if not ids.own:
        # Who cannot write comments is tried with the municipality's.
        return Ids(others[:1], others[1:])
    return Ids(ids.own, ids.other + others)


def _kombit_files(view: _View) -> Ids:
    file = view.ids["kombit_file", None]
    places = [view.place] if view.place else list(PLACES)
    own = [(view.ids["first", place], file) for place in places]
    other = [(view.ids[name, place], file) for name in ("first", "third", "local") for place in PLACES]
    elsewhere = ("kombit_file-third", "kombit_file-draft")
    other += [(view.ids["first", place], view.ids[name, None]) for name in elsewhere for place in PLACES]
    return Ids(own, other)


def _all_filters(view: _View, own: list[int | None]) -> Ids:
    mine = [(row,) for row in own if row is not None]
    return Ids(mine, [(row,) for (name, _), row in view.ids.items() if name.startswith("filter-")])


def _own_filters(view: _View) -> list[int | None]:
    return [
        view.ids.get((f"filter-{shared} {view.kind}", view.place)) for shared in ("selv", "kommune", "alle")
    ]


def _shared_filters(view: _View) -> list[int | None]:
    """The municipality's administrator's, and KOMBIT's."""
    return [
        view.ids.get(("filter-kommune administrator", view.place)),
        view.ids["filter-alle kombit-redaktoer", None],
    ]


def _filters(view: _View) -> Ids:
    """Those one may change."""
    return _all_filters(view, _own_filters(view))


def _filters_to_open(view: _View) -> Ids:
    return _all_filters(view, [*_own_filters(view), *_shared_filters(view)])


def _filters_to_share(view: _View) -> Ids:
    """One's own, and what was shared at home whoever made it."""
    home = _shared_filters(view)[1 if view.scope == "kombit" else 0]
    return _all_filters(view, [*_own_filters(view), home if view.scope != "supplier" else None])


def _filters_to_open_with(view: _View) -> Ids:
    return _all_filters(view, _shared_filters(view))


def _notices(view: _View) -> Ids:
    own = (view.ids[f"notice {view.kind}", view.place],)
    return Ids([own], [(row,) for (name, _), row in view.ids.items() if name.startswith("notice ")])


def _notices_of_the_account(view: _View) -> Ids:
    """Those that a municipality's account shows to whoever may read it; KOMBIT reads everybody's."""
    mine = _notices(view)
    if view.scope == "kombit":
        return Ids(mine.own, [])
    at_home = [(view.ids[f"notice {kind}", view.place],) for kind in MUNICIPAL if view.place]
    away = [
        (row,)
        for (name, place), row in view.ids.items()
        if name.startswith("notice ") and place != view.place
    ]
    return Ids(at_home or mine.own, away)


def _exports(view: _View) -> Ids:
    own = (view.ids[f"export {view.kind}", view.place],)
    return Ids([own], [(row,) for (name, _), row in view.ids.items() if name.startswith("export ")])


def _calendars(view: _View) -> Ids:
    own = (view.ids[f"calendar {view.kind}", view.place],)
    return Ids([own], [(row,) for (name, _), row in view.ids.items() if name.startswith("calendar ")])


def _published(view: _View) -> Ids:
    return Ids([(view.ids["task", "published"],), (view.ids["task", "draft"],)], [])


def _published_files(view: _View) -> Ids:
    file, elsewhere = view.ids["kombit_file", None], view.ids["kombit_file-third", None]
    task, draft, of_draft = view.ids["task", "published"], view.ids["task", "draft"], "kombit_file-draft"
    return Ids([(task, file), (draft, view.ids[of_draft, None])], [(task, elsewhere), (draft, file)])


def _deletions(view: _View) -> Ids:
    both = (view.ids["deletion-both", None],)
    alone = [(view.ids["deletion-alone", place],) for place in PLACES]
    if view.scope != "municipality":
        return Ids([both, *alone], [])
    return Ids([both, (view.ids["deletion-alone", view.place],)], alone)


def _deletion_items(view: _View) -> Ids:
    real = [
        (
            view.ids[f"deletion-{name}", place if name == "alone" else None],
            view.ids[f"deleted-{name}", place],
            place,
        )
        for name in ("both", "alone")
        for place in PLACES
    ]
    own = [(deletion, item) for deletion, item, place in real if view.place in (None, place)]
    return Ids(own, list(product((each[0] for each in real), (each[1] for each in real))))


def _deletion_places(view: _View) -> Ids:
    """A deletion and a municipality that has tasks in it."""
    return Ids([(view.ids["deletion-both", None], place) for place in PLACES], [])


def _municipalities(_view: _View) -> Ids:
    return Ids([(code,) for code in PLACES], [])


def _systems(view: _View) -> Ids:
    if view.scope == "supplier":
        return Ids([("kp",)], [("ky",), ("ksd",)])
    return Ids([("kp",), ("ky",), ("ksd",)], [])


def _memberships(view: _View) -> Ids:
    """A colleague with access, and one whose access is closed; for KOMBIT those of a municipality."""
    place = view.place or KOEGE
    own = [(view.ids["membership", f"{kind} {place}"],) for kind in ("laeser", "closed")]
    if view.scope != "municipality":
        return Ids(own, [])
    kinds = [f"{kind} {view.away}" for kind in MUNICIPAL] + [f"{kind} None" for kind in CENTRAL]
    return Ids(own, [(view.ids["membership", kind],) for kind in kinds])


def _colleagues(view: _View) -> Ids:
    """Somebody at work here; whoever has left is nobody's colleague any more."""
    found = _memberships(view)
    at_work, *left = found.own
    return Ids([at_work], [*left, *found.other])


def _role_answers(view: _View) -> Ids:
    if view.scope != "municipality":
        return Ids([(each,) for each in view.both("answer")], [])
    return Ids([(view.ids["answer", view.place],)], [(view.ids["answer", view.away],)])


def _holdings(view: _View) -> Ids:
    place = view.place or KOEGE
    names = ("holding", "mailbox")
    return Ids(
        [(view.ids[name, place],) for name in names],
        [(view.ids[name, each],) for name in names for each in PLACES],
    )


def _coming(view: _View) -> Ids:
    """A role from tomorrow on, which can be taken back."""
    return Ids([(view.ids["coming", view.place or KOEGE],)], [(view.ids["coming", each],) for each in PLACES])


def _waves(view: _View) -> Ids:
    return Ids([("ky", view.ids["wave", None])], [("kp", view.ids["wave", None])])


def _places(_view: _View) -> Ids:
    """A municipality in a system, for KOMBIT."""
    return Ids([("ky", place) for place in PLACES], [])


def _finished(view: _View) -> Ids:
    """The project whose proposal waits at home; another municipality's, and one that is not done."""
    home, away = view.place or KOEGE, view.away
    return Ids([(view.ids["finished", home],)], [(view.ids["finished", away],), (view.ids["project", None],)])


def _words(*own: str) -> Callable[[_View], Ids]:
    return lambda _view: Ids([(each,) for each in own], [])


def _letters(view: _View) -> Ids:
    """What was sent is everybody's; the rest is KOMBIT's."""
    sent = [(view.ids["newsletter", "sent"],)]
    others = [(view.ids["newsletter", None],), (view.ids["newsletter", "planned"],)]
    return Ids(sent + others, []) if view.scope == "kombit" else Ids(sent, others)


def _drafts(view: _View) -> Ids:
    return Ids([(view.ids["newsletter", None],)], [])


def _token(link: str) -> str:
    return link.rpartition("/")[2]


def _sheets(view: _View) -> Ids:
    """A municipality's own of either supplier; a supplier's own name in either municipality."""
    names = [f"klarmelding {word}" for word in klarmelding_rows.SUPPLIERS]
    every = [(view.ids[name, place],) for name in names for place in PLACES]
    if view.scope == "kombit":
        return Ids(every, [])
    if view.scope == "supplier":
        return Ids([(each,) for each in view.both(names[0])], every)
    return Ids([(view.ids[name, view.place],) for name in names], every)


LINKS = Links("", SIGNING)
LETTER = "/nyhedsbreve/<id:letter_id>"
TASK = "/opgaver/<id:task_id>"
FILTER = "/filtre/<id:filter_id>"


def _bulk_changes(view: _View) -> Ids:
    """One's own; who can have none is tried with a leader's of the same place."""
    kind = view.kind if ("bulk " + view.kind, view.place) in view.ids else "plusbruger"
    own = view.ids[f"bulk {kind}", view.place or KOEGE]
    others = [each for (name, _), each in view.ids.items() if name.startswith("bulk ") and each != own]
    return Ids([(own,)], [(each,) for each in others])


def _tasks_to_ask_about(view: _View) -> Ids:
    """KOMBIT's own; of a local task KOMBIT knows nothing."""
    ids = _tasks(view)
    locals_here = [(each,) for each in view.both("local")]
    return Ids([each for each in ids.own if each not in locals_here], ids.other + locals_here)


def _own_questions(view: _View) -> Ids:
    """One's own; who asks nothing is tried with a leader's."""
    kind = view.kind if view.scope == "municipality" else "plusbruger"
    places = [view.place] if view.place else list(PLACES)
    own = [(view.ids["first", place], view.ids[f"question {kind}", place]) for place in places]
    all_of_them = [each for (name, _), each in view.ids.items() if name.startswith("question ")]
    return Ids(
        own,
        [(view.ids[name, at], each) for name in ("first", "second") for at in PLACES for each in all_of_them],
    )


def _questions(view: _View) -> Ids:
    return Ids([(each,) for (name, _), each in view.ids.items() if name.startswith("question ")], [])


def _support_cases(view: _View) -> Ids:
    if view.place is None:
        return Ids([(each,) for each in view.both("kp-case")], [])
    return Ids([(view.ids["kp-case", view.place],)], [(view.ids["kp-case", view.away],)])


def _solutions(view: _View) -> Ids:
    published = (view.ids["kp-entry", None],)
    if view.place is None:
        return Ids([published], [(each,) for each in view.both("kp-entry")])
    own = (view.ids["kp-entry", view.place],)
    return Ids([own, published], [(view.ids["kp-entry", view.away],)])


OBJECTS: Mapping[str, Callable[[_View], Ids]] = {
    TASK: _tasks,
    f"{TASK}/spoergsmaal": _tasks_to_ask_about,
    f"{TASK}/spoergsmaal/<id:question_id>": _own_questions,
    "/spoergsmaal/<id:question_id>": _questions,
    f"{TASK}/filer/<id:file_id>": lambda view: view.hanging("file-{}"),
    f"{TASK}/kombits-filer/<id:file_id>": _kombit_files,
    f"{TASK}/kommentarer/<id:comment_id>": _comments,
    f"{TASK}/tjekliste/<id:item_id>": lambda view: view.hanging("item-{}"),
    f"{TASK}/afvigelser/<id:deviation_id>": lambda view: view.hanging("deviation-{}"),
    FILTER: _filters,
    **dict.fromkeys(
        (f"{FILTER}{act}" for act in ("/aabn", "/standard", "/fastgoer", "/mail", "/kopi")), _filters_to_open
    ),
    f"{FILTER}/deling": _filters_to_share,
    f"{FILTER}/niveauer": _filters_to_open_with,
    "/opgaver/rettelser/<id:change_id>": _bulk_changes,
    "/udgivelser/<id:task_id>": _published,
    "/udgivelser/<id:task_id>/filer/<id:file_id>": _published_files,
    "/sletning/<id:deletion_id>": _deletions,
    "/sletning/<id:deletion_id>/opgaver/<id:item_id>": _deletion_items,
    "/sletning/<id:deletion_id>/kommuner/<id:code>": _deletion_places,
    "/varsler/<id:notice_id>": _notices,
    "/varsler/<id:notice_id>/send-igen": _notices_of_the_account,
    # Whose time is over: one that held would show what it is about to everybody, as it is meant to.
    "/handling/<token>": _words(actions.token(SIGNING, actions.START, Notice(id=1, person_id=1), LONG_AGO)),
    "/varsler/kanaler/<id:route_id>": lambda view: Ids([(view.ids["channel", None],)], []),
    "/systemer/<code>": _systems,
    "/systemer/plusbruger/<id:project_id>": _finished,
    "/boelger/<code>": _words("ky"),
    "/boelger/<code>/boelge/<id:wave_id>": _waves,
    "/boelger/<code>/kommune/<id:municipality_id>": _places,
    "/overblik/kommuner/<id:code>": _municipalities,
    "/admin/import/<key>": _words("ksd.r23", "klarmelding.ark"),
    "/p/kp/sager/<id:case_id>": _support_cases,
    "/p/kp/viden/<id:entry_id>": _solutions,
    "/personer/<id:membership_id>": _memberships,
    "/kontakter/personer/<id:membership_id>": _colleagues,
    "/roller/indehavere/<id:holding_id>": _holdings,
    "/roller/svar/<id:answer_id>": _role_answers,
    "/bekraeft/<token>": _words(
        actions.token(SIGNING, actions.CONFIRM_ROLES, Notice(id=1, person_id=1), NOW - timedelta(days=400))
    ),
    "/roller/indehavere/<id:holding_id>/fortryd": _coming,
    "/roller/<slug>": _words("kombit-programleder", "systemansvarlig"),
    "/adgangskode/<secret>": _words(SECRET),
    "/mailadresse/<secret>": _words("0" * 64),
    "/eksport/<id:export_id>": _exports,
    "/kalender/<id:feed_id>": _calendars,
    "/kalender/<secret>": _words(CALENDAR_SECRET),
    "/nyhedsbreve/<id:letter_id>": _letters,
    **dict.fromkeys(
        (f"{LETTER}/{act}" for act in ("ret", "forhaandsvis", "mail", "proeve", "send", "kopi")), _drafts
    ),
    f"{LETTER}/modtagere": lambda view: Ids([(view.ids["newsletter", "sent"],)], _drafts(view).own),
    f"{LETTER}/offentlig": lambda view: Ids([(view.ids["newsletter", "sent"],)], []),
    f"{LETTER}/stop": lambda view: Ids([(view.ids["newsletter", "planned"],)], []),
    "/verificer/<code>": _words(*(f"{place}2-AAAA-BBBB" for place in PLACES)),
    "/nyhedsbreve/frameld/<token>": _words(_token(LINKS.leave(STAYING))),
    "/nyhedsbreve/frameld/<token>/fortryd": _words(_token(LINKS.leave(LEFT))),
    "/nyhedsbreve/bekraeft/<token>": _words(_token(LINKS.confirm(STAYING, NOW))),
    "/static/<path:filename>": _words("klik.css"),
    "/p/klarmelding/ark/<id:sheet_id>": _sheets,
}
