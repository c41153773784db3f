"""CPR numbers: every one is found, and everyday numbers are left alone."""

import random
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klik.domain.cpr import find, mask

DIVIDERS = ["", "-", " ", "–", "\u2010", "\u2011", " - ", "\u00a0", "—", "\u2212"]
SURROUNDINGS = [
    "{}",
    "Borger {} har ringet.",
    "CPR: {}.",
    "cpr{}",
    "CPR-nr.{}",
    "({})",
    "{}, født i Køge",
    "{}_ansoegning.pdf",
    "Jensen_{}.docx",
    "sag vedr. {};",
    "linje\n{}\nlinje",
]


WORDS = ["Udpeg", "Opret", "bestil", "roller", "kommunen", "inden", "fristen", "og", "med"]


def generated(count: int) -> list[str]:
    """CPR numbers of every century, ten digits each, most with a check digit that does not fit."""
    chance = random.Random(2007)
    numbers = []
    while len(numbers) < count:
        born = date(1858, 1, 1) + timedelta(days=chance.randrange(72_684))
        sevenths = [s for s in range(10) if century(s, born.year % 100) == born.year - born.year % 100]
        if sevenths:
            numbers.append(f"{born:%d%m%y}{chance.choice(sevenths)}{chance.randrange(1000):03d}")
    return numbers


def century(seventh: int, year: int) -> int:
    """The CPR office's table, written out row by row."""
    if seventh <= 3:
        return 1900
    if seventh in {4, 9}:
        return 2000 if year <= 36 else 1900
    return 2000 if year <= 57 else 1800


def test_recall_is_complete_on_20_000_numbers_in_every_form():
    chance = random.Random(1)
    missed = []
    for number in generated(20_000):
        written = number[:6] + chance.choice(DIVIDERS) + number[6:]
        text = chance.choice(SURROUNDINGS).format(written)
        spans = find(text)
        if [text[span.start : span.end] for span in spans] != [written]:
            missed.append(text)
    assert missed == []


def ordinary_text(words: int) -> list[str]:
    """The words of task texts with everyday numbers: phones, amounts, dates, KLE, SF, IP, CVR, EAN, ids."""
    chance = random.Random(3)
    pieces = (
        lambda: chance.choice(WORDS),
        lambda: f"tlf. {chance.randrange(20_000_000, 99_999_999)}",
        lambda: f"+45 {chance.randrange(2000, 9999)} {chance.randrange(1000, 9999)}",
        lambda: f"{chance.randrange(1, 29)}. november {chance.randrange(2020, 2030)}",
        lambda: f"{chance.randrange(1, 29):02d}-{chance.randrange(1, 13):02d}-{chance.randrange(2020, 2030)}",
        lambda: f"kl. {chance.randrange(24):02d}.{chance.randrange(60):02d}",
        lambda: f"{chance.randrange(1, 99)}.{chance.randrange(100, 999)}.{chance.randrange(100, 999)} kr.",
        lambda: f"{chance.randrange(10)}.{chance.randrange(10**9, 10**10)}",
        lambda: f"{chance.randrange(10**9, 10**10)},50",
        lambda: f"32.{chance.randrange(10, 99)}.{chance.randrange(10, 99)}",
        lambda: f"SF{chance.randrange(1000, 1600)}_{chance.choice('ABCD')}",
        lambda: f"10.{chance.randrange(256)}.{chance.randrange(256)}.{chance.randrange(256)}",
        lambda: f"CVR {chance.randrange(10**7, 10**8)}",
        lambda: f"P-nr. {chance.randrange(10**9, 2 * 10**9)}",
        lambda: f"p-nummer: {chance.randrange(10**9, 2 * 10**9)}",
        lambda: f"EAN {chance.randrange(5790 * 10**9, 5800 * 10**9)}",
        lambda: f"sag {chance.randrange(10**9, 10**10)}",
        lambda: f"OPG-{chance.choice('ABCDEF')}{chance.randrange(10**6, 10**7)}",
        lambda: f"konto {chance.randrange(1000, 9999)} {chance.randrange(10**9, 10**10)}",
        lambda: f"MI {chance.randrange(1, 30):02d}",
        lambda: f"uge {chance.randrange(1, 53)}",
        lambda: (
            f"udgave {chance.randrange(10)}.{chance.randrange(10**5, 10**6)}-{chance.randrange(1000, 9999)}"
        ),
        lambda: (
            f"{chance.randrange(16**8):08x}-{chance.randrange(16**4):04x}-4{chance.randrange(16**3):03x}-"
            f"{chance.randrange(16**4):04x}-{chance.randrange(16**12):012x}"
        ),
        lambda: f"log{chance.randrange(10**9, 10**10)}",
    )
    text: list[str] = []
    while len(text) < words:
        # As in real task texts, most words are no numbers.
        piece = pieces[0] if chance.random() < 0.5 else chance.choice(pieces)
        text += piece().split(" ")
    return text


def test_false_alarms_are_at_most_one_in_10_000_words():
    words = ordinary_text(200_000)
    text = " ".join(words)
    alarms = [text[max(0, span.start - 20) : span.end + 5] for span in find(text)]
    assert len(alarms) <= len(words) / 10_000, alarms[:20]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("010203-1234 og 0405061234", 2),
        ("０１０２０３‑１２３４", 1),
        ("290200-1234", 0),  # 1900 was no leap year
        ("290200-4234", 1),  # 2000 was
        ("310203-1234", 0),
        ("320103-1234", 0),
        ("011303-1234", 0),
        ("1010203-1234", 0),
        ("010203-12345", 0),
        ("1,010203-1234", 0),
        ("P-nr. 0102031234", 0),
        ("CVR-nummer: 0102031234", 0),
        ("tlf 0102031234", 0),
        ("sag 010203-1234", 1),  # divided as only a CPR number is
        ("040506-1234,010203-1234", 2),
        ("konto 2605 2007264566", 0),
        ("0102031234,50 kr.", 0),
        ("", 0),
    ],
)
def test_cases(text, count):
    assert len(find(text)) == count


def test_the_check_digit_only_raises_confidence():
    # The CPR office's own published example; and the same with another last digit.
    assert [span.likely for span in find("070761-4285 070761-4286")] == [True, False]


def test_mask_leaves_the_rest_alone():
    assert mask("½ CPR: 010203 - 1234, 0405061234!") == "½ CPR: xxxxxx-xxxx, xxxxxx-xxxx!"


@given(st.text("0123456789- .,x½æ０٣", max_size=60))
def test_spans_lie_in_the_text_and_masking_leaves_none(text):
    spans = find(text)
    ends = [0]
    for span in spans:
        assert ends[-1] <= span.start < span.end <= len(text)
        ends.append(span.end)
    assert find(mask(text)) == []
