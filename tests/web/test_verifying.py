"""A file and a code are asked about by anybody: what is said, what never is, and how often one may ask."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select, update

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import ExportProof, LoginAttempt, MunicipalTask, StoredFile
from klik.services import verifying
from klik.services.tasks import drawn, exporting
from klik.services.work import Actor
from tests import make
from tests.client import Browser
from tests.make import NOW, PASSWORD

TITLE, SECRET = "Udarbejd jobfunktionsroller hemmeligt", "en-kommentar-om-nogen"
MAIL = "mette@klik.example"


def _taken_home(house: Installation) -> tuple[Actor, int]:
    """Køge has a task with words nobody outside may read."""
    with house.writing(NOW) as work:
        person = make.person(work.session, "Mette Holm", email=MAIL, level=Level.ADMINISTRATOR)
        actor = make.actor(work.session, person)
        version = make.task(work.session, TITLE, number="MI 15")
        task = make.municipal_task(work.session, version, responsible=person)
        make.comment(work.session, task, person, SECRET)
        return actor, task.id


@pytest.fixture
def exported(house: Installation) -> tuple[Installation, drawn.Drawn]:
    """Køge took the task home: a file in the archive and its proof. What the bytes are is all the same here."""
    actor, task_id = _taken_home(house)
    with house.writing(NOW, actor) as work:
        export = exporting.collect(work, house.files, task_id, "")
        content = f"%PDF-1.7 {export.document.identifier} %%EOF".encode()
        sha256 = house.archive.put(content)
        drawn.prove(work, export, sha256, len(content), 4)
    return house, drawn.Drawn(export, sha256, len(content))


def _ask(browser: Browser, content: bytes, expect: int = 200, **more: str) -> str:
    form = {"file": (io.BytesIO(content), "fil.pdf"), **more}
    return _words(browser.post("/verificer", form, expect=expect))


def _words(page: BeautifulSoup) -> str:
    return " ".join(page.main.get_text(" ", strip=True).split())


def test_a_file_as_it_was_is_genuine_and_one_byte_more_is_not(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    actor, task_id = _taken_home(house)
    pdf = drawn.task(house, actor, NOW, task_id)
    content = house.archive.get(pdf.sha256)
    stranger = browser()
    said = _ask(stranger, content)
    assert "Ægte og uændret" in said and "af Køge: KP MI 15" in said and pdf.sha256 in said
    assert TITLE not in said and SECRET not in said and "Mette" not in said and "Gå til opgaven" not in said
    where = content.index(b"/Type")
    for changed in (content + b"\n", content[:where] + b"/tYpe" + content[where + 5 :], content[:-1]):
        assert "Koden er kendt, men filen er ændret" in _ask(stranger, changed), (
            "the code stands in its bytes"
        )
    said = _ask(stranger, content[:-1], kode=pdf.export.document.identifier.lower())
    assert "Koden er kendt, men filen er ændret" in said
    assert "klik kender ikke filen" in (_ask(stranger, b"noget helt andet"))
    with house.reading(NOW) as work:
        assert work.session.scalars(select(StoredFile)).all() == []


def test_a_code_however_it_is_typed(
    exported: tuple[Installation, drawn.Drawn], browser: Callable[..., Browser]
) -> None:
    house, pdf = exported
    code = pdf.export.document.identifier
    stranger = browser()
    for typed in (code, code.lower(), code.replace("-", ""), f" {code.replace('-', ' – ')} "):
        stranger.get(f"/verificer?{urlencode({'kode': typed})}")
        assert stranger.response.request.path == f"/verificer/{code}", typed
    said = _words(stranger.get(f"/verificer/{code}"))
    assert "klik kender koden" in said and "SHA-256" in said and pdf.sha256 in said
    assert TITLE not in said and SECRET not in said and "Gå til opgaven" not in said
    assert stranger.response.headers["X-Robots-Tag"] == "noindex, nofollow"
    for typed, why in (
        ("0O1I-AAAA-BBBB", "forveksles"),
        ("AB", "12 tegn"),
        ("", "Skriv koden"),
        ("æ" * 12, "bogstaver"),
    ):
        wrong = stranger.get(f"/verificer?{urlencode({'kode': typed})}", expect=422)
        assert why in _words(wrong), typed
    with house.writing(NOW) as work:
        proof = work.session.scalars(select(ExportProof)).one()
        again = ExportProof(
            code=code,
            content_key=proof.content_key,
            sha256="b" * 64,
            municipality_id=make.KOEGE,
            task_number="MI 15",
            project="KP",
            exported_by="Køge",
            exported_at=NOW,
        )
        work.session.add(again)
    assert "b" * 64 in _words(stranger.get(f"/verificer/{code}")), (
        "several files with one code are all listed"
    )


def test_it_is_known_years_after_the_task_is_gone(
    exported: tuple[Installation, drawn.Drawn], browser: Callable[..., Browser]
) -> None:
    house, pdf = exported
    content = house.archive.get(pdf.sha256)
    house.archive.path(pdf.sha256).unlink()
    gone = NOW + timedelta(days=72)
    with house.writing(gone) as work:
        where = "" if house.database.sqlite else " on municipal_tasks"
        work.session.connection().exec_driver_sql(f"drop trigger municipal_tasks_erased_after_archive{where}")
        work.session.execute(update(MunicipalTask).values(erased_at=gone, title="Slettet opgave"))
    said = _ask(browser(), content)
    assert "Ægte og uændret" in said and "Opgaven er siden slettet 1. februar 2027" in said
    theirs = browser()
    theirs.sign_in(MAIL, PASSWORD)
    assert "Gå til opgaven" not in (_ask(theirs, content))


def test_who_may_follow_it_to_the_task(
    exported: tuple[Installation, drawn.Drawn], browser: Callable[..., Browser]
) -> None:
    house, pdf = exported
    with house.writing(NOW) as work:
        make.person(work.session, "Hans", municipality=make.HERNING, email="hans@klik.example")
    code = pdf.export.document.identifier
    mine, other = browser(), browser()
    mine.sign_in(MAIL, PASSWORD)
    assert f"/opgaver/{pdf.export.municipal_task_id}" in str(mine.get(f"/verificer/{code}").main)
    other.sign_in("hans@klik.example", PASSWORD)
    assert "/opgaver/" not in str(other.get(f"/verificer/{code}").main)


def test_who_guesses_is_held_back_and_who_knows_is_not(
    exported: tuple[Installation, drawn.Drawn],
    browser: Callable[..., Browser],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(verifying, "TRIES_PER_ADDRESS", 3)
    house, pdf = exported
    stranger = browser()
    for _ in range(5):
        stranger.get(f"/verificer/{pdf.export.document.identifier}")
    for _ in range(3):
        said = _words(stranger.get("/verificer/2222-2222-2222", expect=404))
        assert "klik kender ikke koden" in said
    said = _words(stranger.get("/verificer/2222-2222-2222", expect=429))
    assert "for mange forsøg" in said and int(stranger.response.headers["Retry-After"]) > 0
    _ask(stranger, b"x", expect=429)
    with house.reading(NOW) as work:
        subjects = set(work.session.scalars(select(LoginAttempt.subject)))
    assert len(subjects) == 1 and "127.0.0.1" not in str(subjects)


def test_what_is_no_file_is_told(
    house: Installation, browser: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert verifying.LARGEST == 50 * 1024 * 1024
    monkeypatch.setattr(verifying, "LARGEST", 100_000)
    stranger = browser()
    for content, why in ((b"", "tom (0 byte)"), (b"x" * (verifying.LARGEST + 1), "må højst fylde")):
        assert why in _ask(stranger, content, expect=422)
    _ask(stranger, b"x" * (verifying.LARGEST + 200_000), expect=413)
    assert "vælg den fil" in _words(stranger.post("/verificer", {}, expect=422))


def test_a_code_across_two_pieces_of_a_file_is_seen() -> None:
    print_of = verifying.Fingerprint()
    for piece in (b"%P", b"DF-1.7 7KQF-M3", b"ZP-2R", b"8W y", b" 7KQF-M3ZP-2R8WX"):
        print_of.update(piece)
    assert print_of.codes == ("7KQF-M3ZP-2R8W",)
    package = verifying.Fingerprint()
    package.update(b"PK\x03\x04 7KQF-M3ZP-2R8W ")
    assert package.codes == (), "the codes in a package are those of the files in it"
