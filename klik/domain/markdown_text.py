"""Markdown as plain text for mails: nothing is lost, and every link is spelled out where its words stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from markdown_it.token import Token

from klik.domain.markdown import parse_markdown

_RULE = "-" * 40
_UNDERLINES = {"h3": "=", "h4": "-"}


def markdown_text(text: str) -> str:
    """The text without marks: headings underlined, "- " and "1. " before points, "ord (https://…)" for links.

    A text beyond the limits of `check_markdown` comes back as it was typed.
    """
    tokens = parse_markdown(text)
    if tokens is None:
        return text.strip()
    blocks = list(_blocks(tokens))
    lines: list[str] = []
    for block in blocks:
        if lines and not (block.tight and lines[-1]):
            lines.append("")
        lines += block.lines
    return "\n".join(line.rstrip() for line in lines).strip()


@dataclass(slots=True)
class _Block:
    lines: list[str]
    tight: bool = False


@dataclass(slots=True)
class _Place:
    """Where in lists and quotations the reading has come to."""

    lists: list[int | None] = field(default_factory=list)
    quotes: int = 0
    point: bool = False
    first_point: bool = False

    def block(self, lines: Sequence[str]) -> _Block:
        """The lines with what stands before them."""
        before = "> " * self.quotes
        depth = "  " * len(self.lists)
        begun = depth
        tight = bool(self.lists) and not self.first_point
        if self.point and self.lists:
            number = self.lists[-1]
            mark = "- " if number is None else f"{number}. "
            begun = depth[2:] + mark
            depth = depth[2:] + " " * len(mark)
        self.point = self.first_point = False
        return _Block(
            [before + (begun if not place else depth) + line for place, line in enumerate(lines)], tight
        )


def _blocks(tokens: Sequence[Token]) -> Iterator[_Block]:
    place, heading, row, in_table = _Place(), None, [], False
    for token in tokens:
        match token.type:
            case "bullet_list_open":
                place.first_point = not place.lists
                place.lists.append(None)
            case "ordered_list_open":
                place.first_point = not place.lists
                place.lists.append(int(token.attrs.get("start", 1)))
            case "bullet_list_close" | "ordered_list_close":
                place.lists.pop()
            case "list_item_open":
                place.point = True
            case "list_item_close":
                if place.lists and place.lists[-1] is not None:
                    place.lists[-1] += 1
            case "blockquote_open":
                place.quotes += 1
            case "blockquote_close":
                place.quotes -= 1
            case "heading_open":
                heading = token.tag
            case "heading_close":
                heading = None
            case "table_open":
                in_table, first_row = True, True
            case "table_close":
                in_table = False
            case "tr_open":
                row = []
            case "tr_close":
                block = place.block([" | ".join(row)])
                block.tight = not first_row
                first_row = False
                yield block
            case "inline":
                words = _words(token.children or ())
                if in_table:
                    row.append(words.replace("\n", " "))
                    continue
                lines = words.split("\n")
                if heading in _UNDERLINES:
                    lines.append(_UNDERLINES[heading] * min(60, max(map(len, lines))))
                yield place.block(lines)
            case "fence" | "code_block" | "html_block":
                yield place.block(token.content.rstrip("\n").split("\n"))
            case "hr":
                yield place.block([_RULE])


def _words(children: Sequence[Token]) -> str:
    parts: list[str] = []
    starts: list[tuple[int, str]] = []
    for child in children:
        match child.type:
            case "text" | "code_inline" | "html_inline":
                parts.append(child.content)
            case "softbreak" | "hardbreak":
                parts.append("\n")
            case "link_open":
                starts.append((len(parts), str(child.attrs.get("href", ""))))
            case "link_close":
                begun, address = starts.pop()
                shown = "".join(parts[begun:]).removeprefix("mailto:")
                plain = address.removeprefix("mailto:")
                parts[begun:] = [shown if shown == plain else f"{shown} ({plain})"]
    return "".join(parts)
