"""Lists of municipalities as people paste them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import klik
from klik.domain.municipality_names import formal, listed, name_key, understand

NAMES = {
    101: "København",
    259: "Køge",
    169: "Høje-Taastrup",
    400: "Bornholm",
    480: "Nordfyns",
    657: "Herning",
}
NAMES |= {751: "Aarhus", 820: "Vesthimmerlands", 825: "Læsø", 615: "Horsens", 173: "Lyngby-Taarbæk"}


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("101, 147", None),
        ("101, 259", (101, 259)),
        ("101 259\t825", (101, 259, 825)),
        ("Køge Kommune\nKøbenhavns Kommune\n", (101, 259)),
        ("Århus;aarhus;AARHUS KOMMUNE", (751,)),
        ("Høje Taastrup, Høje Tåstrup, Høje-Taastrup Kommune", (169,)),
        ("Vesthimmerland og Nordfyn", (480, 820)),
        ("Vesthimmerlands Kommune; Nordfyns Kommune", (480, 820)),
        ("Bornholms Regionskommune", (400,)),
        ("259\tKøge\tRegion Sjælland\n751\tAarhus\tRegion Midtjylland", (259, 751)),
        ("259 Køge\n(751) Aarhus\nLæsø (825)", (259, 751, 825)),
        ("- Køge\n• Læsø\n1. Herning", (259, 657, 825)),
        ("Kære Køge", None),
        ("Lyngby-Tårbæk|Horsens", (173, 615)),
        ("“Køge”, Herning.", (259, 657)),
        ("", ()),
        (" ,;\t\n", ()),
    ],
)
def test_what_is_pasted_is_understood(text: str, codes: tuple[int, ...] | None) -> None:
    understood = understand(text, NAMES)
    if codes is None:
        assert understood.strangers
    else:
        assert understood.strangers == ()
        assert understood.codes == codes


def test_a_code_beside_another_name_is_not_guessed_at() -> None:
    assert [each.text for each in understand("259 Herning", NAMES).strangers] == ["259 Herning"]


def test_strangers_are_named_with_the_nearest() -> None:
    understood = understand("Køgge\nHørning\nAtlantis\nRegion Sjælland\n999\nkøgge", NAMES)
    sentences = [each.sentence for each in understood.strangers]
    assert sentences[:3] == [
        "“Køgge” kendes ikke. Mente du Køge?",
        "“Hørning” kendes ikke. Mente du Herning?",
        "“Atlantis” kendes ikke.",
    ]
    assert [each.text for each in understood.strangers[3:]] == ["Region Sjælland", "999"]


def test_repetitions_are_counted() -> None:
    assert understand("Køge\n259\nKøge Kommune, Læsø", NAMES).repeated == 2
    assert understand("259\tKøge", NAMES).repeated == 0


def test_no_two_municipalities_have_one_key() -> None:
    file = next(Path(klik.__file__).parent.rglob("municipalities.csv"))
    with file.open(encoding="utf-8") as rows:
        names = [row["name"] for row in csv.DictReader(rows)]
    assert len(names) == 98 and len({name_key(name) for name in names}) == 98
    everyone = {100 + place: name for place, name in enumerate(names)}
    written = "\n".join(f"{name} Kommune" for name in names) + "\n" + ";".join(names).upper()
    understood = understand(written, everyone)
    assert understood.strangers == () and len(understood.codes) == 98 and understood.repeated == 98


def test_lists_in_words() -> None:
    assert listed([]) == ""
    assert listed(["Køge"]) == "Køge"
    assert listed(["Køge", "Læsø"]) == "Køge og Læsø"
    assert listed("abcdef") == "a, b, c, d, e og f"
    assert listed("abcdefgh") == "a, b, c, d, e og 3 til"


def test_municipalities_write_themselves_in_three_ways() -> None:
    assert formal("Køge") == "Køge Kommune"
    assert formal("København") == "Københavns Kommune"
    assert formal("Bornholm") == "Bornholms Regionskommune"
    assert formal("Vesthimmerlands") == "Vesthimmerlands Kommune"
