"""Cleaned texts and the keys made of them."""

import random
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klik.domain.texts import TextError, clean, file_name, search_key, slug, sort_key

DANISH = st.text("aåbæøzAÅBÆØZ éü0123456789 -/", max_size=30)
# In the order of a Danish list: aa is å, so Faaborg stands after Fredericia and Aabenraa after Ærø.
MUNICIPALITIES = [
    *("Albertslund", "Allerød", "Assens", "Ballerup", "Billund", "Bornholm", "Esbjerg", "Favrskov", "Faxe"),
    *(
        "Fredericia",
        "Faaborg-Midtfyn",
        "Hedensted",
        "Herlev",
        "Holbæk",
        "Holstebro",
        "Høje-Taastrup",
        "Hørsholm",
    ),
    *(
        "Sorø",
        "Struer",
        "Thisted",
        "Tønder",
        "Tårnby",
        "Vejen",
        "Vejle",
        "Ærø",
        "Aabenraa",
        "Aalborg",
        "Aarhus",
    ),
]


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("  Udpeg projektleder \u00a0", "Udpeg projektleder"),
        ("a\u030arhus", "århus"),
        ("\ufeffTitel", "Titel"),
        ("Nummer\t15", "Nummer 15"),
        ("familie 👩\u200d👧", "familie 👩\u200d👧"),
        ("<script>{{7*7}} %s", "<script>{{7*7}} %s"),
        ("", ""),
    ],
)
def test_stored_form(typed, stored):
    assert clean(typed, field="Titel", limit=200) == stored


def test_lines_have_one_kind_of_break():
    assert clean("a\r\nb\rc\u2028d\te\n", field="Tekst", limit=20, lines=True) == "a\nb\nc\nd\te"


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("", "Titel skal udfyldes."),
        (" \u00a0 ", "Titel skal udfyldes."),
        ("\u200b\u200d", "Titel indeholder kun usynlige tegn"),
        ("x" * 201, "Titel må højst fylde 200 tegn; du har skrevet 201."),
        ("x" * 12345, "du har skrevet 12.345"),
        ("ab\x00c", r"tegn nr\. 3"),
        ("ab\x1bc", "ikke kan gemmes"),
        ("ab\x7fc", "ikke kan gemmes"),
        ("ab\ud800c", "ikke kan gemmes"),
        ("ab\u202ecba", "ikke kan gemmes"),
        ("ab\ufffec", "ikke kan gemmes"),
        ("emne\r\nBcc: x@y.dk", "kun fylde én linje"),
    ],
)
def test_refused(typed, told):
    with pytest.raises(TextError, match=told):
        clean(typed, field="Titel", limit=200, required=True)


def test_the_limit_counts_characters_after_composing():
    assert len(clean("a\u030a" * 200, field="Titel", limit=200)) == 200


@given(st.text(max_size=50), st.booleans())
def test_cleaning_twice_changes_nothing(typed, lines):
    try:
        stored = clean(typed, field="Titel", limit=40, lines=lines)
    except TextError as error:
        assert str(error).startswith("Titel ")
    else:
        assert clean(stored, field="Titel", limit=40, lines=lines) == stored
        assert unicodedata.is_normalized("NFC", stored)
        stored.encode("utf-8")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Århus", "AARHUS"),
        ("Ålborg", "a\u030alborg"),
        ("Høje  Taastrup", "høje tåstrup"),
        ("Café", "cafe"),
        ("\u200bKlik", "klik"),
        ("ﬁl", "fil"),
    ],
)
def test_found_by_either_spelling(one, other):
    assert search_key(one) == search_key(other)


@pytest.mark.parametrize(("one", "other"), [("Ærø", "Aerø"), ("Sorø", "Soro"), ("bø", "boe")])
def test_danish_letters_are_letters_of_their_own(one, other):
    assert search_key(one) != search_key(other)


@given(st.text(max_size=40))
def test_keys_are_stable(text):
    key = search_key(text)
    assert search_key(key) == key
    assert search_key(unicodedata.normalize("NFD", text)) == key
    assert search_key(unicodedata.normalize("NFC", text)) == key
    assert sort_key(unicodedata.normalize("NFD", text)) == sort_key(text)


@given(DANISH, DANISH)
def test_a_part_of_a_text_is_found_in_it(before, after):
    assert search_key("Høje-Taastrup") in search_key(f"{before} Høje-Taastrup {after}")


def test_municipalities_in_danish_order():
    mixed = MUNICIPALITIES.copy()
    random.Random(1).shuffle(mixed)
    assert sorted(mixed, key=sort_key) == MUNICIPALITIES


@pytest.mark.parametrize(
    "ordered",
    [
        ["a", "b", "y", "z", "æ", "ø", "å"],
        ["Zebra", "æble", "Ø", "Aa", "åben"],
        ["MI 2", "MI 09", "MI 10", "MI 100"],
        ["Ny", "Ny udgave", "Nyt"],
        ["e", "éa", "f"],
        ["z", "ä", "ö", "å"],
        ["x", "ü", "z"],
        ["å", "δ", "ж", "漢"],
        ["9" * 98, "9" * 99],
    ],
)
def test_danish_order(ordered):
    assert sorted(reversed(ordered), key=sort_key) == ordered


@given(st.text(max_size=60))
def test_a_sort_key_is_digits_so_that_every_collation_agrees(text):
    assert set(sort_key(text)) <= set("0123456789")


@given(DANISH, DANISH)
def test_case_and_spelling_of_å_do_not_sort(one, other):
    assert sort_key(one.upper()) == sort_key(one.lower())
    assert sort_key("b".join(one).replace("å", "aa")) == sort_key("b".join(one))
    assert (sort_key(one) < sort_key(other)) is (sort_key(one.upper()) < sort_key(other.lower()))


@given(st.integers(0, 10**30), st.integers(0, 10**30))
def test_numbers_sort_by_size(one, other):
    assert (sort_key(f"Opgave {one}") < sort_key(f"Opgave {other}")) is (one < other)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It-miljø og -infrastruktur", "it-miljoe-og-infrastruktur"),
        ("Ud-/Indfasning", "ud-indfasning"),
        ("Gevinster og værdier", "gevinster-og-vaerdier"),
        ("Århus Aa", "aarhus-aa"),
        ("Größe & Café", "grosse-cafe"),
        ("!!!", ""),
        ("x" * 200, "x" * 80),
    ],
)
def test_slug(text, expected):
    assert slug(text) == expected


@given(st.text(max_size=100))
def test_a_slug_is_safe_and_stable(text):
    assert slug(slug(text)) == slug(text)
    assert set(slug(text)) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("MI 15 Udarbejd jobfunktionsroller (Køge)", "MI 15 Udarbejd jobfunktionsroller (Køge).pdf"),
        ("../../etc/passwd", "etc passwd.pdf"),
        ('a<b>:"/\\|?*c', "a b c.pdf"),
        ("CON", "fil CON.pdf"),
        ("...", "fil.pdf"),
        ("", "fil.pdf"),
        ("x" * 300, "x" * 116 + ".pdf"),
        ("a\r\nb", "a b.pdf"),
    ],
)
def test_file_name(name, expected):
    assert file_name(name, "pdf") == expected


@given(st.text(max_size=200))
def test_a_file_name_is_always_one_name(text):
    name = file_name(text, "pdf")
    assert name.endswith(".pdf")
    assert 5 <= len(name) <= 120
    assert not set('/\\:*?"<>|\n\r\0') & set(name)
    assert name[0] not in ". "
