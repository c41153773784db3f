"""Which passages of a text changed: exactly those, whatever stands around them."""

from __future__ import annotations

import random

from klik.domain.markdown import render_markdown
from klik.domain.passages import CHANGED, REMOVED, UNCHANGED, is_same, passages


def _kinds(old: str, new: str) -> list[str]:
    return [passage.kind for passage in passages(old, new)]


def test_only_the_changed_paragraphs_are_marked() -> None:
    old = "Første afsnit.\n\nAndet afsnit.\n\nTredje afsnit."
    found = passages(old, old.replace("Andet", "Et helt andet"))
    assert [each.kind for each in found] == [UNCHANGED, CHANGED, UNCHANGED]
    assert found[1].html == "<p>Et helt andet afsnit.</p>\n"


def test_white_space_is_no_change() -> None:
    assert _kinds("Et  afsnit\nover to linjer.\n\nEt til.", "Et afsnit over\nto linjer.\n\n\nEt til.\n") == [
        UNCHANGED
    ]
    assert is_same("a  b\n", "a b") and not is_same("a b", "ab")


def test_one_item_of_a_list() -> None:
    old = "Kunne:\n\n1. prioritere tid\n2. afgøre tvivl\n3. stå på mål"
    found = passages(old, old.replace("afgøre tvivl", "afgøre alt"))
    assert [each.kind for each in found] == [UNCHANGED, CHANGED, UNCHANGED]
    assert '<ol start="2">' in found[1].html and '<ol start="3">' in found[2].html


def test_a_removed_paragraph_stands_where_it_stood() -> None:
    found = passages("Et.\n\nTo.\n\nTre.", "Et.\n\nTre.")
    assert [(each.kind, each.html) for each in found] == [
        (UNCHANGED, "<p>Et.</p>\n"),
        (REMOVED, "<p>To.</p>\n"),
        (UNCHANGED, "<p>Tre.</p>\n"),
    ]


def test_an_item_put_in_front_changes_no_other_item() -> None:
    assert _kinds("1. et\n2. to", "1. nul\n2. et\n3. to") == [CHANGED, UNCHANGED]


def test_nothing_of_the_new_text_is_lost_or_doubled() -> None:
    chance = random.Random(6)
    pieces = [
        "Et afsnit",
        "## En overskrift",
        "- et punkt\n- et andet",
        "> et citat",
        "```\nkode\n\nmere\n```",
    ]
    pieces += [
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "1. først\n2. så",
        "**fed** og [et link](https://kombit.example)",
    ]
    for _ in range(300):
        old, new = (
            "\n\n".join(f"{chance.choice(pieces)}" for _ in range(chance.randrange(6))) for _ in range(2)
        )
        shown = "".join(each.html for each in passages(old, new) if each.kind != REMOVED)
        words = "".join(shown.replace("<ul>", "").replace("</ul>", "").split())
        whole = "".join(render_markdown(new).replace("<ul>", "").replace("</ul>", "").split())
        if "1. først" not in new:
            assert words == whole, (old, new)
        assert (_kinds(old, new) in ([UNCHANGED], [])) == is_same(old, new)


def test_a_text_beyond_the_limits_is_one_passage() -> None:
    long = "ord " * 6_000
    assert [(each.kind) for each in passages(long, long + "mere")] == [CHANGED]
    assert _kinds(long, long) == [UNCHANGED]
