"""Whatever hangs on a task is in its PDF and in the data beside it: word for word, file for file.

A share of the tasks runs always; all 500 with KLIK_TEST_ROUNDS=500.
"""

import io
import json
import os
import re
import subprocess
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pikepdf
import pytest

from klik.installation import Installation
from klik.services.tasks import drawn
from klik.settings import Settings
from tests.make import NOW
from tests.services.generated_tasks import ALPHABETS, Generated, Generator

TASKS = int(os.environ.get("KLIK_TEST_ROUNDS", "8"))
SEED = 20_261_122
# The running head and foot stand between the halves of a word that goes on overleaf.
FIRST, OTHERS = ("0", "785"), ("80", "705")


@pytest.fixture
def installation(sqlite_settings: Settings) -> Iterator[Installation]:
    house = Installation(sqlite_settings)
    yield house
    house.close()


def squeezed(text: str) -> str:
    """Without spaces, hyphens and signs that only steer, so that lines may break where they like."""
    return "".join(sign for sign in re.sub(r"[\s\u00ad‐-]", "", text) if unicodedata.category(sign) != "Cf")


def text_of(pdf: bytes) -> str:
    """The text in the order it was drawn, then in the order of the lines; without running head and foot.

    The one keeps the lines of a cell together, the other the words of a line.
    """
    orders: tuple[tuple[str, ...], ...] = (("-raw",), ())
    return "".join(
        _text(pdf, "1", "1", *FIRST, *order) + _text(pdf, "2", "9999", *OTHERS, *order) for order in orders
    )


def _text(pdf: bytes, first: str, last: str, top: str, height: str, *order: str) -> str:
    window = ["-x", "0", "-y", top, "-W", "600", "-H", height]
    run = subprocess.run(
        ["pdftotext", *order, "-f", first, "-l", last, *window, "-", "-"],
        input=pdf,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return run.stdout.decode()


def strings(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for part in value.values():
            yield from strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from strings(part)
    elif isinstance(value, str):
        yield value


def missing(made: Generated, where: str) -> list[str]:
    shown = squeezed(where)
    tokens = [(place, word) for place, words in made.words.items() for word in words]
    tokens += [("SHA-256", sha256) for sha256 in made.hashes]
    return [f"{place}: {word}" for place, word in tokens if not _stands(squeezed(word), shown)]


def _stands(word: str, shown: str) -> bool:
    # Between two Hebrew or Arabic words pictures are written from the right as well, and read as they stand.
    return word in shown or (word[::-1] in shown and set(word) <= set(ALPHABETS["emoji"]))


def test_every_word_and_every_hash_of_generated_tasks_is_in_their_pdfs(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    generator = Generator(installation, SEED)
    words = hashes = plain = pages = 0
    for number in range(TASKS):
        made = generator.task()
        pdf = drawn.task(installation, generator.actor, NOW, made.task_id)
        content = installation.archive.get(pdf.sha256)
        shown = text_of(content)
        assert missing(made, shown) == [], f"task {number}"
        with pikepdf.open(io.BytesIO(content)) as opened:
            data = opened.attachments["opgave.json"].get_file().read_bytes()
            pages += len(opened.pages)
        assert data == pdf.export.embedded
        assert missing(made, "\n".join(strings(json.loads(data)))) == [], f"task {number}"
        words += sum(map(len, made.words.values()))
        hashes += len(made.hashes)
        plain += "Enkel opsætning" in shown
    assert words > TASKS * 50
    assert plain == 0
    with capsys.disabled():
        print(  # noqa: T201 - the figure is the point
            f"\nD3: {TASKS} tasks on {pages} pages: {words} words and {hashes} hashes, 0 missing"
        )


def test_a_word_that_was_left_out_is_noticed(installation: Installation) -> None:
    generator = Generator(installation, SEED)
    made = generator.task()
    pdf = drawn.task(installation, generator.actor, NOW, made.task_id)
    content = installation.archive.get(pdf.sha256)
    made.words["kommentar"] = ["forglemmigej", "🦄"]
    made.hashes = ["0" * 64]
    assert missing(made, text_of(content)) == [
        "kommentar: forglemmigej",
        "kommentar: 🦄",
        f"SHA-256: {'0' * 64}",
    ]


def test_a_server_without_any_font_draws_with_klik_s_own_and_loses_no_sign(
    sqlite_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fonts.conf").write_text(
        "<?xml version='1.0'?><!DOCTYPE fontconfig SYSTEM 'fonts.dtd'><fontconfig>"
        f"<dir>{tmp_path}/ingen</dir><cachedir>{tmp_path}/cache</cachedir></fontconfig>"
    )
    monkeypatch.setenv("FONTCONFIG_FILE", str(tmp_path / "fonts.conf"))
    house = Installation(sqlite_settings)
    generator = Generator(house, SEED)
    made = [generator.task() for _ in range(2)]
    strange = False
    for each in made:
        pdf = drawn.task(house, generator.actor, NOW, each.task_id)
        content = house.archive.get(pdf.sha256)
        shown = text_of(content)
        assert missing(each, shown) == []
        assert "Enkel opsætning" not in shown
        strange |= "Teksten har tegn, som skriften IBM Plex Sans ikke har: U+" in " ".join(shown.split())
        with pikepdf.open(io.BytesIO(content)) as opened:
            fonts = {str(font.BaseFont) for page in opened.pages for font in page.Resources.Font.values()}
        assert all("IBM-Plex-Sans" in font for font in fonts)
    assert strange
    house.close()
