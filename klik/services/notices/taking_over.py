"""How the notice to somebody who takes over is written down: a sentence, and a line for each task with its page."""

from __future__ import annotations

import re
from collections.abc import Sequence

OCCASION = "overtager"
_WITH_PAGE = re.compile(r"(.*) (/opgaver/[0-9]+)")


def row(words: str, task_id: int) -> str:
    """A task's line."""
    return f"{words} /opgaver/{task_id}"


def read(sentence: str) -> tuple[str, list[str], Sequence[tuple[str, str]]]:
    """The sentence, the lines without a page, and those with one: words and path."""
    words, *lines = sentence.split("\n")
    found = [(line, _WITH_PAGE.fullmatch(line)) for line in lines]
    tasks = [(match[1], match[2]) for _line, match in found if match]
    return words, [line for line, match in found if not match], tasks
