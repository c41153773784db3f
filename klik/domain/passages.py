"""Two versions of a Markdown text side by side: which passages of the new one are new, and what went away."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby, zip_longest

from markdown_it.token import Token

from klik.domain.markdown import parse_markdown, render_markdown, render_tokens

UNCHANGED, CHANGED, REMOVED, ADDED = "unchanged", "changed", "removed", "added"


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a text as safe HTML; ``kind`` says whether it is unchanged, changed, or was removed."""

    kind: str
    html: str


@dataclass(frozen=True, slots=True)
class _Block:
    """A paragraph, heading, table … or one item of a list; ``words`` is what is compared.

    ``around`` holds the opening and closing token of the item's list, and ``number`` an ordered item's number.
    """

    words: str
    tokens: Sequence[Token]
    around: tuple[Token, Token] | None = None
    number: int = 0


def passages(old: str, new: str) -> tuple[Passage, ...]:
    """The new text in order, with what changed since the old one marked; removed passages stand where they stood.

    Compared are top-level blocks and the items of top-level lists, without regard to white space. A text beyond
    the limits of ``check_markdown`` is one passage.
    """
    before, after = _blocks(old), _blocks(new)
    if before is None or after is None:
        return (Passage(UNCHANGED if old.split() == new.split() else CHANGED, render_markdown(new)),)
    found: list[tuple[str, _Block]] = []
    matcher = SequenceMatcher(None, [each.words for each in before], [each.words for each in after], False)
    for step, first, last, start, end in matcher.get_opcodes():
        if step == "delete":
            found += [(REMOVED, each) for each in before[first:last]]
        found += [(UNCHANGED if step == "equal" else CHANGED, each) for each in after[start:end]]
    return tuple(
        Passage(kind, render_tokens(_together([block for _kind, block in run])))
        for kind, run in groupby(found, key=lambda pair: pair[0])
    )


def is_same(old: str, new: str) -> bool:
    """Whether two texts say the same, white space apart."""
    return old.split() == new.split()


def _blocks(text: str) -> list[_Block] | None:
    tokens = parse_markdown(text)
    if tokens is None:
        return None
    lines = text.split("\n")
    found: list[_Block] = []
    for block in _at_level(tokens, 0):
        if block[0].type in ("bullet_list_open", "ordered_list_open"):
            first = int(block[0].attrs.get("start", 1))
            for place, item in enumerate(_at_level(block[1:-1], 1)):
                found.append(_Block(_words(lines, item), item, (block[0], block[-1]), first + place))
        else:
            found.append(_Block(_words(lines, block), block))
    return found


def _at_level(tokens: Sequence[Token], level: int) -> Iterator[Sequence[Token]]:
    """The tokens cut where a block of this level ends."""
    start = 0
    for place, token in enumerate(tokens):
        if token.level == level and token.nesting <= 0:
            yield tokens[start : place + 1]
            start = place + 1


def _words(lines: Sequence[str], tokens: Sequence[Token]) -> str:
    first, last = tokens[0].map or (0, 0)
    words = " ".join(" ".join(lines[first:last]).split())
    # The number of an item is its place; an item that only moved down a place has not changed.
    return words.split(" ", 1)[-1] if tokens[0].type == "list_item_open" else words


def _together(blocks: Sequence[_Block]) -> list[Token]:
    """Tokens of a run of blocks, items of one list within one list again."""
    tokens: list[Token] = []
    for _list, run in groupby(blocks, key=lambda block: id(block.around[0]) if block.around else id(block)):
        items = list(run)
        around = items[0].around
        if around is None:
            tokens += [token for item in items for token in item.tokens]
            continue
        opening = copy.copy(around[0])
        if opening.type == "ordered_list_open":
            opening.attrs = {"start": items[0].number} if items[0].number != 1 else {}
        tokens += [opening, *(token for item in items for token in item.tokens), around[1]]
    return tokens


@dataclass(frozen=True, slots=True)
class Words:
    """A run of words in a changed paragraph: ``kind`` is unchanged, added or removed."""

    kind: str
    text: str


def wording(old: str, new: str) -> tuple[tuple[Words, ...], ...]:
    """The changed paragraphs of two texts, each as runs of its source's words; unchanged ones are left out."""
    before, after = _paragraphs(old), _paragraphs(new)
    found = []
    for step, first, last, start, end in SequenceMatcher(None, before, after, False).get_opcodes():
        if step != "equal":
            pairs = zip_longest(before[first:last], after[start:end], fillvalue="")
            found += [_runs(was.split(), now.split()) for was, now in pairs]
    return tuple(found)


def _paragraphs(text: str) -> list[str]:
    blocks = _blocks(text)
    return [block.words for block in blocks] if blocks is not None else [" ".join(text.split())]


def _runs(before: list[str], after: list[str]) -> tuple[Words, ...]:
    runs: list[Words] = []
    for step, first, last, start, end in SequenceMatcher(None, before, after, False).get_opcodes():
        if step == "equal":
            runs.append(Words(UNCHANGED, " ".join(after[start:end])))
            continue
        if first < last:
            runs.append(Words(REMOVED, " ".join(before[first:last])))
        if start < end:
            runs.append(Words(ADDED, " ".join(after[start:end])))
    return tuple(runs)
