"""Whom a KLIK-opgave goes to: each way of choosing, the words it is kept in, and the words people read."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klik.installation import Installation
from klik.models import Municipality
from klik.services.errors import RefusedError
from klik.services.publishing import RecipientChoice, audience, recipients
from klik.services.publishing.audience import covers, in_words, read_list
from klik.services.work import Work
from tests import make
from tests.make import AARHUS, HERNING, KOEGE, LAESOE

value = (
    st.text("abcdefghijklmnopqrstuvwxyzæøå0123456789-/ ", min_size=1, max_size=20).map(str.strip).filter(bool)
)
values = st.lists(value, min_size=1, max_size=5).map(tuple)
choices = st.one_of(
    st.sampled_from([RecipientChoice(audience.ALL), RecipientChoice(audience.WITH_SYSTEM)]),
    st.builds(RecipientChoice, st.sampled_from(audience.NARROWED), values, st.booleans()),
)


@settings(max_examples=300)
@given(choices)
def test_every_choice_is_kept_and_read_again(choice: RecipientChoice) -> None:
    assert RecipientChoice.parse(choice.words()) == choice


@pytest.mark.parametrize(
    "text", ["", "system+alle", "system+", "kommuner:", "region:", "Køge", "alle:1", "x:1"]
)
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(RefusedError, match="kan ikke læses"):
        RecipientChoice.parse(text)


@pytest.fixture
def filled(house: Installation) -> Installation:
    """KY in four municipalities in two waves; Læsø is no longer a municipality."""
    with house.database.writing() as session:
        make.project(session, "ky", system_code="ky")
        first, second = make.wave(session, "b1"), make.wave(session, "b2")
        make.has_system(session, KOEGE, "ky", wave=first)
        make.has_system(session, HERNING, "ky", wave=second)
        make.has_system(session, AARHUS, "ky", wave=second)
        make.has_system(session, LAESOE, "ky", wave=second)
        session.get_one(Municipality, LAESOE).active = False
    return house


CASES = (
    ("system", (KOEGE, HERNING, AARHUS), "Alle, der har"),
    ("bølge:b1,ky/b2", (KOEGE, HERNING, AARHUS), "Bølge"),
    ("259,751", (KOEGE, AARHUS), "Køge og Aarhus"),
    ("kommuner:Køge Kommune,Århus", (KOEGE, AARHUS), "Køge Kommune og Århus"),
    ("system+region:Region Midtjylland", (HERNING, AARHUS), "Region Midtjylland, kun dem, der har"),
    ("system+undtagen:259", (HERNING, AARHUS), "Alle undtagen Køge, kun dem, der har"),
)


def _codes(work: Work, text: str) -> tuple[int, ...]:
    return recipients(work, RecipientChoice.parse(text), "ky")


def test_each_choice_comes_to_its_municipalities(filled: Installation) -> None:
    with filled.reading(make.NOW) as work:
        for text, codes, words in CASES:
            choice = RecipientChoice.parse(text)
            assert _codes(work, text) == tuple(sorted(codes)), text
            assert in_words(work, choice, "ky").startswith(words), text
            for code in (KOEGE, HERNING, AARHUS, LAESOE, 101):
                assert covers(work, choice, "ky", code) == (code in codes), (text, code)
        assert len(_codes(work, "alle")) == 97
        assert len(_codes(work, "undtagen:259,101")) == 95
        assert in_words(work, RecipientChoice.parse("undtagen:259,101")) == "Alle undtagen Køge og København"
        assert in_words(work, RecipientChoice.parse("region:sjælland")) == "Region Sjælland"


def test_nobody_left_and_strangers_are_refused(filled: Installation) -> None:
    with filled.reading(make.NOW) as work:
        for text, sentence in (
            ("system+101", "ingen kommuner tilbage"),
            ("825", "ingen kommune med koden 825"),
            ("kommuner:Kjøge", "Mente du Køge"),
            ("bølge:b7", "bølgen “ky/b7” kendes ikke"),
        ):
            with pytest.raises(RefusedError, match=sentence):
                _codes(work, text)
            assert not covers(work, RecipientChoice.parse(text), "ky", KOEGE)


def test_a_pasted_list_knows_only_active_municipalities(filled: Installation) -> None:
    with filled.reading(make.NOW) as work:
        understood = read_list(work, "Køge Kommune\nLæsø Kommune\n751")
        assert understood.codes == (KOEGE, AARHUS)
        assert [each.text for each in understood.strangers] == ["Læsø Kommune"]
