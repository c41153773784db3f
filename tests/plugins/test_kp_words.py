"""KP's words against the support course (seeds 000 and 001): titles, keys, CPR numbers, lists, checklists and ring."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klik.plugins import InputError, find_cpr_numbers
from klik.plugins.kp import alike, checklists, choices, keys, ring, title_advice

CASE_KEYS = ("BT-CA48CN2-K-0CUYR2", "FOP-QHH4QP-K-06GSD2", "HK-GMFVV8")
TASK_KEYS = ("OPG-AEP3K7LJ", "OPG-RRC4H010", "OPG-5ZBGTD4A")
SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
DIGITS = ("010190", "1234")
# Run once by hand with more.
ROUNDS = 40 * int(os.environ.get("KLIK_TEST_ROUNDS", "1"))


@pytest.mark.parametrize(
    "title",
    [
        "Flettefelter udfyldes ikke automatisk i ”Helbredstillægskort”-brev",
        'Flettefelter udfyldes ikke automatisk i "Helbredstillægskort"-brev',
        "Informationer fra UDK udstilles ikke i ”UDK – Pension” fanen",
        'Informationer fra UDK udstilles ikke i "UDK - Pension" fanen',
        "Formue kan ikke ændres i opgaven Opret bevilling",
        "Bevillingsbrev for helbredstillæg flettes forkert i brevet",
        "Fejlen 5601 kommer ved OPG-AEP3K7LJ efter Fortsæt",
    ],
)
def test_the_good_titles_of_the_course_are_let_alone(title: str) -> None:
    assert title_advice.advice_on(title) == ()


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("Låsningsdato", ["ét ord"]),
        ("Bestil et opkald vedr.", ["beder om noget", "slutter midt"]),
        ("HASTER!! HASTER !!! - Hvorfor får jeg denne her fejl!?!?!?!?", ["HASTER.", "udråb", "haster,"]),
        ("HASTER!! HASTER !!! - Hvorfor får jeg denne her fejl!!??!?!?", ["HASTER.", "udråb", "haster,"]),
        ("DET VIRKER IKKE I FANEN OVERBLIK", ["små bogstaver"]),
        ("Udbetalingen mangler i fanen Udbetalinger!", ["udråb"]),
        ("Det haster med udbetalingen i Køge", ["haster,"]),
        ("Akut hjælp til brev", ["haster,"]),
        ("Brev fejler", ["11 tegn"]),
        ("Fejl i KP", ["9 tegn", "ikke virker"]),
        ("Systemet virker ikke", ["ikke virker"]),
        ("x" * 20 + " " + "y" * 130, ["151 tegn"]),
    ],
)
def test_the_bad_titles_are_named_for_what_is_wrong(title: str, words: list[str]) -> None:
    faults = title_advice.faults_of(title)
    assert len(faults) == len(words), faults
    assert all(word in fault for word, fault in zip(words, faults, strict=True)), faults


@pytest.mark.parametrize(
    ("title", "word"),
    [
        ("Hvorfor vises formuen ikke i fanen Overblik?", "Spørgsmålet"),
        ("Forkert beløb udbetalt", "meget kort"),
        ("Formuen kan ikke ændres længere", "hvor fejlen ses"),
        ("Brevet viser " + "meget " * 15 + "i fanen", "Kort og præcist"),
    ],
)
def test_what_could_be_better_is_only_advice(title: str, word: str) -> None:
    (first, *_) = title_advice.advice_on(title)
    assert title_advice.faults_of(title) == () and word in first.text


@pytest.mark.parametrize(
    ("title", "fault"),
    [
        ("Brev fejler nu", "Titlen er på 14 tegn"),
        ("Brevet fejler i", ""),
        ("Brevet i fanen " + "x" * 125, ""),
        ("Brevet i fanen " + "x" * 126, "Titlen er på 141 tegn"),
        ("Brev ser forkert ud i fanen BREV", "små bogstaver: BREV"),
        ("Oplysningen fra UDK mangler i fanen", ""),
    ],
)
def test_the_limits_of_a_title_lie_where_they_are_said_to(title: str, fault: str) -> None:
    found = title_advice.faults_of(title)
    assert [fault in each for each in found] == [True] if fault else found == ()


def test_nothing_is_said_of_an_empty_title_and_the_page_shows_the_courses_own_examples() -> None:
    assert title_advice.advice_on("  ") == ()
    assert all(not title_advice.advice_on(title) for title in title_advice.GOOD)
    assert all(title_advice.faults_of(title) for title, _ in title_advice.BAD)


@settings(max_examples=ROUNDS)
@given(st.text(max_size=250))
def test_any_title_gets_an_answer(title: str) -> None:
    for each in title_advice.advice_on(title):
        assert each.level in (title_advice.FAULT, title_advice.ADVICE) and each.text.endswith((".", "?"))


@pytest.mark.parametrize("key", CASE_KEYS)
def test_the_seeds_case_keys_are_taken_as_such(key: str) -> None:
    assert keys.case_key(key) == key == keys.case_key(f"  {key.lower().replace('-', ' – ')} ")
    with pytest.raises(InputError, match="Sags-ID"):
        keys.task_key(key)


@pytest.mark.parametrize("key", TASK_KEYS)
def test_the_seeds_task_keys_are_taken_as_such(key: str) -> None:
    assert keys.task_key(key) == key == keys.task_key(key.lower())
    with pytest.raises(InputError, match="Opgave-ID"):
        keys.case_key(key)


@pytest.mark.parametrize(
    "typed",
    [
        "12345",
        "OPG",
        "OPG-AEP3K7L",
        "OPG-AEP3K7LJ1",
        "OPG-AEP3K7Ø1",
        "B-CA48CN2",
        "BT-CA48CN2-K-0CUYR",
        "FOP QHH4QP",
    ],
)
def test_other_shapes_are_refused_by_name(typed: str) -> None:
    with pytest.raises(InputError, match="Sags-ID"):
        keys.case_key(typed)
    with pytest.raises(InputError, match="Opgave-ID"):
        keys.task_key(typed)


def _written(shape: str) -> st.SearchStrategy[str]:
    return st.from_regex(shape, fullmatch=True)


ANY_CASE = _written(r"[A-NP-Z][A-Z]{1,2}-[A-Z0-9]{6,7}(-K-[A-Z0-9]{6})?")
ANY_TASK = _written(r"OPG-[A-Z0-9]{8}")


@settings(max_examples=ROUNDS)
@given(ANY_CASE, ANY_TASK)
def test_each_key_is_one_of_the_two_and_never_a_cpr_number(case: str, task: str) -> None:
    assert keys.case_key(case) == case and keys.task_key(task) == task
    for key, other in ((case, keys.task_key), (task, keys.case_key)):
        with pytest.raises(InputError):
            other(key)
        assert find_cpr_numbers(key) == [] and keys.tidy(keys.tidy(key)) == key
    assert keys.keys_in(f"Ja, på {case}, {task.lower()} og {case}.") == tuple(dict.fromkeys((case, task)))


@settings(max_examples=ROUNDS)
@given(st.text(alphabet=SIGNS + "-ab ", max_size=30))
def test_what_is_taken_has_the_shape(typed: str) -> None:
    for read in (keys.case_key, keys.task_key):
        try:
            key = read(typed)
        except InputError as error:
            assert str(error)
        else:
            assert key == keys.tidy(typed) and read(key) == key


def test_the_technical_error_of_the_course_is_no_cpr_number() -> None:
    text = (
        "+ 94742008-0e6d-4000-85cd-104a4a084e21 [code status: 5601]\n"
        "+ 291b7030-dfc0-4261-b4b2-11a2a2044276 [code status: 5601]"
    )
    assert keys.without_cpr(text) == text


@settings(max_examples=ROUNDS)
@given(
    st.lists(
        st.sampled_from(
            ["-".join(DIGITS), "".join(DIGITS), "300997-6844", "Borger", " ", "\n", ",", "-", "1"]
        )
    )
)
def test_no_cpr_number_is_left_and_the_rest_is_kept(parts: list[str]) -> None:
    text = "".join(parts)
    left = keys.without_cpr(text)
    assert find_cpr_numbers(left) == []
    assert (left == text) == (find_cpr_numbers(text) == [])
    assert left.count("Borger") == text.count("Borger")


def test_the_lists_are_those_of_the_form() -> None:
    assert [kind.in_min_support for kind in choices.KINDS.values()] == [
        "Fejl",
        "Support sag",
        "Ændringsønske",
    ]
    assert [(letter, each.label) for letter, each in choices.CRITICALITIES.items()] == [
        ("A", "Kritisk"),
        ("B", "Høj"),
        ("C", "Medium"),
        ("D", "Lav"),
    ]
    assert (
        "mange" in choices.CRITICALITIES["A"].checklist and "enkelt" in choices.CRITICALITIES["B"].checklist
    )
    for tab in (
        "UDK - Pension",
        "Journalnotater og dokumenter",
        "Finansieringshistorik",
        "Masseindberetning",
    ):
        assert tab in choices.COMPONENTS


def test_the_checklists_have_the_courses_points_each_with_a_key_of_its_own() -> None:
    # Seed 000: 9 for the caseworker; 14 for the supportberettiget, of which "Opret en sag" only heads those after it.
    assert [len(each.points) for each in checklists.CHECKLISTS] == [9, 13]
    for each in checklists.CHECKLISTS:
        assert len({point.key for point in each.points}) == len(each.points)
        assert all(len(point.key) <= 20 for point in each.points) and len(each.key) <= 20


def test_the_ring_has_the_courses_six_steps_in_order() -> None:
    words = ("Forstå", "overblik", "Gennemførte trin", "åbne opgaver", "andre relevante opgaver", "Gentag")
    assert len(ring.STEPS) == 6
    assert all(word in step.title for word, step in zip(words, ring.STEPS, strict=True))
    assert len(ring.FINDINGS) == sum(len(step.findings) for step in ring.STEPS)


def test_what_was_found_is_told_in_the_rings_order_and_points_to_a_kind() -> None:
    found = ring.found(["gentaget", "procesfejl", "findes-ikke", "mangler"])
    assert [each.key for each in found] == ["procesfejl", "mangler", "gentaget"]
    assert ring.kind_of(found) == "fejl" and ring.kind_of(ring.found(["mangler"])) == "support"
    assert ring.kind_of(ring.found(["trin"])) is None
    assert ring.notes(found).splitlines()[0] == "Der kom en fejlbesked op i en proces."


@pytest.mark.parametrize(
    ("asked", "heading", "rest", "points"),
    [
        ("flettefelt i brev", "Flettefelter udfyldes ikke i brev", "", 4),
        ("code status 5601", "Noget andet", "Intern systemfejl [code status: 5601]", 3),
        ("UDK fanen er tom", "Fanen UDK - Pension er tom", "", 6),
        ("formue ændres", "Flettefelter udfyldes ikke", "Breve", 0),
        ("Fejl i sagen", "Fejl i sagen", "", 0),
        ("brev formue bolig hund kat", "Brev til borger", "", 0),
    ],
)
def test_what_resembles_is_found_by_its_words(asked: str, heading: str, rest: str, points: int) -> None:
    assert alike.score(alike.words_of(asked), heading, rest) == points
