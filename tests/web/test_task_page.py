"""The task page: who sees and may do what, that nothing typed is lost, and what the PDF holds."""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import Deletion, DeletionItem, ExportProof, MunicipalTask, TaskLink
from klik.services.tasks import attachments
from tests import make
from tests.client import Browser
from tests.make import NOW, TODAY

Open = Callable[..., Browser]
CSV = "rolle;navn\nA;Bø\n".encode()


@dataclass
class Scene:
    """A task in Køge with comments, a file and people at every level."""

    task: int
    file: int
    shared: int
    private: int
    local: int
    mails: dict[str, str]


@pytest.fixture
def scene(house: Installation) -> Scene:
    """See Scene."""
    with house.writing(NOW) as work:
        session = work.session
        people = {
            level.value: make.person(session, f"Navn {level.label}", level=level, systems=("kp",))
            for level in Level
        }
        people["herning"] = make.person(session, "Hanne Herning", municipality=make.HERNING)
        version = make.task(session, number="MI 15", description="Se **bilaget** og https://kombit.example.")
        task = make.municipal_task(
            session, version, start=TODAY, responsible=people["administrator"], executor=people["bruger"]
        )
        local = make.municipal_task(session, local=True, title="Hold møde i Køge")
        shared = make.comment(session, task, people["plusbruger"], "Delt med KOMBIT")
        private = make.comment(session, task, people["plusbruger"], "Kun hjemme", private=True)
        me = make.actor(session, people["plusbruger"])
        ids = (task.id, shared.id, private.id, local.id)
        mails = {name: person.email for name, person in people.items()}
    with house.writing(NOW, me) as work:
        file = attachments.add(work, house.files, ids[0], "Roller.csv", CSV).id
    return Scene(ids[0], file, ids[1], ids[2], ids[3], mails)


# What each level sees (people, shared and private comments, own files) and may do (change, comment, export).
RIGHTS: dict[str, tuple[bool, bool, bool, bool, bool, bool, bool]] = {
    "kombit-administrator": (True, True, False, False, False, True, True),
    "kombit-redaktoer": (True, True, False, False, False, True, True),
    "leverandoer": (False, False, False, False, False, False, False),
    "administrator": (True, True, True, True, True, True, True),
    "plusbruger": (True, True, True, True, True, True, True),
    "bruger": (True, True, True, True, True, True, True),
    "laeser": (True, True, True, True, False, False, True),
}


@pytest.mark.parametrize("level", RIGHTS)
def test_what_each_level_sees_and_may_do(browser: Open, scene: Scene, level: str) -> None:
    people, shared, private, files, may_change, may_comment, may_export = RIGHTS[level]
    window = browser().sign_in(scene.mails[level])
    page = window.get(f"/opgaver/{scene.task}")
    text = page.main.text
    assert "MI 15 Udarbejd" in page.h1.text
    assert ("Navn Administrator" in text) is people
    assert ("Delt med KOMBIT" in text) is shared
    assert ("Kun hjemme" in text) is private
    assert ("Roller.csv" in text) is files
    assert bool(page.select(f"form[action='/opgaver/{scene.task}/ret']")) is may_change
    assert bool(page.select(f"form[action='/opgaver/{scene.task}/filer']")) is may_change
    assert bool(page.select(f"form[action='/opgaver/{scene.task}/kommentarer']")) is may_comment
    assert ("Eksportér" in text) is may_export
    change = {"version": "1", "status": "i-gang", "responsible": "", "executor": "", "deadline": ""}
    window.post(f"/opgaver/{scene.task}/ret", change, expect=200 if may_change else 403)
    window.post(f"/opgaver/{scene.task}/kommentarer", {"text": "Hej"}, expect=200 if may_comment else 403)
    window.download(f"/opgaver/{scene.task}/filer/{scene.file}", expect=200 if files else 404)
    local = 200 if level in ("administrator", "plusbruger", "bruger", "laeser") else 404
    window.get(f"/opgaver/{scene.local}", expect=local)
    window.get("/opgaver/ny", expect=200 if level in ("administrator", "plusbruger") else 403)


def test_another_municipality_finds_nothing_there(browser: Open, scene: Scene) -> None:
    window = browser().sign_in(scene.mails["herning"])
    task = scene.task
    for path in ("", ".pdf", f"/filer/{scene.file}", f"/kommentarer/{scene.shared}/ret", "/kombits-filer/1"):
        window.get(f"/opgaver/{task}{path}", expect=404)
    for path in (
        "ret",
        "set",
        "kommentarer",
        "filer",
        f"kommentarer/{scene.shared}/slet",
        f"filer/{scene.file}/fjern",
    ):
        window.post(f"/opgaver/{task}/{path}", {"text": "Hej", "version": "1"}, expect=404)
    for number in ("0", "-1", "2147483648", "9" * 40, "1.0", "x"):
        window.get(f"/opgaver/{number}", expect=404)


def test_a_change_is_stored_and_shown_in_the_history(browser: Open, scene: Scene) -> None:
    window = browser().sign_in(scene.mails["plusbruger"])
    page = window.get(f"/opgaver/{scene.task}")
    page = window.submit(page, f"/opgaver/{scene.task}/ret", status="fuldfoert", deadline="4. januar 2027")
    assert "Ændringen er gemt" in page.text
    assert "Ikke påbegyndt → Fuldført" in page.select_one("#historik").text
    assert "4. januar 2027" in page.text and "Kommunens egen deadline" in page.text
    page = window.submit(page, f"/opgaver/{scene.task}/ret")
    assert "Intet var ændret" in page.text


def test_wrong_input_comes_back_with_the_reason(browser: Open, scene: Scene) -> None:
    window = browser().sign_in(scene.mails["plusbruger"])
    page = window.get(f"/opgaver/{scene.task}")
    action = f"/opgaver/{scene.task}/ret"
    for changes, sentence in (
        ({"status": "ikke-relevant", "not_relevant_reason": "ja"}, "mindst 3 tegn"),
        ({"status": "færdig"}, "Vælg en af mulighederne"),
        ({"status": ["i-gang", "fuldfoert"]}, "sendt flere gange"),
        ({"responsible": "person/99999"}, "Vælg en af mulighederne"),
        ({"responsible": "person/1e9"}, "Vælg en af mulighederne"),
        ({"deadline": "31-02-2027"}, "findes ikke"),
        ({"deadline": "i morgen"}, "kan ikke læses som en dato"),
        ({"version": ""}, "version"),
    ):
        answer = window.submit(page, action, expect=422, **changes)
        assert sentence in answer.select_one(".klik-error-summary").text, changes
    answer = window.submit(page, action, expect=422, status="ikke-relevant", not_relevant_reason="ja")
    assert answer.select_one("#not_relevant_reason").text.strip() == "ja"


def test_the_loser_sees_both_and_may_store_on_top(house: Installation, browser: Open, scene: Scene) -> None:
    action = f"/opgaver/{scene.task}/ret"
    first = browser().sign_in(scene.mails["administrator"])
    second = browser().sign_in(scene.mails["plusbruger"])
    drawn = second.get(f"/opgaver/{scene.task}")
    first.submit(first.get(f"/opgaver/{scene.task}"), action, status="i-gang", executor="")
    page = second.submit(drawn, action, expect=409, status="fuldfoert")
    said = page.select_one(".klik-conflict").text
    assert "Navn Administrator har ændret opgaven imens" in said
    assert "Fuldført" in said and "I gang" in said
    with house.reading(NOW) as work:
        assert work.session.get_one(MunicipalTask, scene.task).status == "i-gang"
    page = second.submit(page, action)
    with house.reading(NOW) as work:
        row = work.session.get_one(MunicipalTask, scene.task)
        # What the second one did not touch is still what the first one wrote.
        assert (row.status, row.executor_id) == ("fuldfoert", None)


PAYLOADS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[klik](javascript:alert(1))",
    "![x](https://ondt.example/x.png)",
    "<svg/onload=alert(1)>",
    "{{ 7*7 }}",
    "<a href='data:text/html,x'>x</a>",
)


def test_markup_in_texts_titles_and_comments_is_inert(
    house: Installation, browser: Open, scene: Scene
) -> None:
    with house.writing(NOW) as work:
        text = "\n\n".join(each for each in PAYLOADS if "{{" not in each)
        version = make.task(work.session, title="<script>alert(1)</script>", description=text)
        task = make.municipal_task(work.session, version)
        make.comment(work.session, task, work.session.get_one(make.Person, 1), text)
        number = task.id
    page = browser().sign_in(scene.mails["plusbruger"]).get(f"/opgaver/{number}")
    assert not page.main.select("script, img, iframe, [onerror], [onload]")
    assert not [link for link in page.select("a[href]") if link["href"].startswith(("javascript:", "data:"))]
    assert "<script>alert(1)</script>" in page.h1.text


def test_comments_are_written_changed_and_deleted_by_their_author(browser: Open, scene: Scene) -> None:
    window = browser().sign_in(scene.mails["plusbruger"])
    action = f"/opgaver/{scene.task}/kommentarer"
    page = window.get(f"/opgaver/{scene.task}")
    for text, sentence in (
        ("   ", "skal udfyldes"),
        ("x" * 5001, "højst fylde 5.000"),
        ("a\0b", "ikke kan gemmes"),
    ):
        assert sentence in window.submit(page, action, expect=422, text=text).text
    answer = window.submit(page, action, expect=422, text="Borger 010190-1234 mangler")
    assert "CPR-nummer" in answer.text and "Borger 010190-1234 mangler" in answer.select_one("#text").text
    page = window.submit(answer, action, **{"text-ikke-cpr": "y"}, private="y")
    assert "Borger 010190-1234 mangler" in page.text
    window.submit(answer, action, **{"text-ikke-cpr": "y"}, private="y")
    page = window.get(f"/opgaver/{scene.task}")
    assert page.text.count("Borger 010190-1234 mangler") == 1, "the button was pressed twice"
    path = f"/opgaver/{scene.task}/kommentarer/{scene.shared}"
    drawn = window.get(f"{path}/ret")
    assert "Delt igen" in window.submit(drawn, f"{path}/ret", text="Delt igen").text
    conflict = window.submit(drawn, f"{path}/ret", expect=409, text="Min udgave")
    assert "Delt igen" in conflict.text and "Min udgave" in conflict.select_one("#text").text
    other = browser().sign_in(scene.mails["administrator"])
    other.get(f"{path}/ret", expect=404)
    other.post(f"{path}/slet", expect=404)
    page = window.post(f"{path}/slet")
    assert "Delt igen" not in page.text


def test_kombits_comments_are_never_private(house: Installation, browser: Open, scene: Scene) -> None:
    window = browser().sign_in(scene.mails["kombit-redaktoer"])
    window.post(f"/opgaver/{scene.task}/kommentarer", {"text": "Husk skabelonen", "private": "y"})
    page = browser().sign_in(scene.mails["laeser"]).get(f"/opgaver/{scene.task}")
    assert "Husk skabelonen" in page.text


def test_a_file_is_taken_refused_and_handed_out_so_that_nothing_runs(browser: Open, scene: Scene) -> None:
    window = browser().sign_in(scene.mails["plusbruger"])
    action = f"/opgaver/{scene.task}/filer"
    page = window.post(action, {"file": (io.BytesIO(b"<svg onload=alert(1)>"), "a.svg")}, expect=422)
    assert "pdf, docx, xlsx, pptx, png, jpg, txt, csv" in page.select_one(".klik-error-summary").text
    assert "Vælg den fil" in window.post(action, {}, expect=422).text
    page = window.post(action, {"file": (io.BytesIO(b"hej"), "Æblegrød æøå.txt")})
    link = page.find("a", string="Æblegrød æøå.txt")
    assert window.download(link["href"]) == b"hej"
    headers = window.response.headers
    assert headers["Content-Disposition"].startswith("attachment; ")
    assert "filename*=UTF-8''%C3%86blegr%C3%B8d%20%C3%A6%C3%B8%C3%A5.txt" in headers["Content-Disposition"]
    assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    page = window.post(f"{link['href']}/fjern")
    assert page.find("a", string="Æblegrød æøå.txt") is None and "Fil fjernet" in page.text


def test_a_lost_file_is_said_in_words(house: Installation, browser: Open, scene: Scene) -> None:
    for path in house.files.folder.rglob("*"):
        if path.is_file():
            path.unlink()
    window = browser().sign_in(scene.mails["plusbruger"])
    page = window.get(f"/opgaver/{scene.task}/filer/{scene.file}", expect=404)
    assert "“Roller.csv” kan ikke hentes" in page.text


def test_a_withdrawn_task_can_be_read_and_not_changed(
    house: Installation, browser: Open, scene: Scene
) -> None:
    with house.writing(NOW) as work:
        task = work.session.get_one(MunicipalTask, scene.task)
        task.withdrawn_at = NOW
        work.session.get_one(make.Task, task.task_id).withdrawal_reason = "Opgaven var forkert"
    window = browser().sign_in(scene.mails["plusbruger"])
    page = window.get(f"/opgaver/{scene.task}")
    assert "KOMBIT har trukket opgaven tilbage" in page.text and "Opgaven var forkert" in page.text
    assert not page.select(f"form[action='/opgaver/{scene.task}/ret']")
    window.post(f"/opgaver/{scene.task}/ret", {"version": "2", "status": "i-gang"}, expect=403)
    window.post(f"/opgaver/{scene.task}/kommentarer", {"text": "Hej"}, expect=403)


def test_seen_takes_the_mark_away(browser: Open, scene: Scene) -> None:
    window = browser().sign_in(scene.mails["laeser"])
    page = window.get(f"/opgaver/{scene.task}")
    assert "Ny for dig" in page.text
    page = window.submit(page, f"/opgaver/{scene.task}/set")
    assert "Ændret, siden du sidst så den" not in page.text


def test_the_way_through_the_list_and_to_needed_tasks(
    house: Installation, browser: Open, scene: Scene
) -> None:
    with house.writing(NOW) as work:
        before = make.municipal_task(
            work.session, make.task(work.session, "Bestil abonnement", number="MI 03")
        )
        abroad = make.task(work.session, "Kun i Herning", number="MI 99")
        mine = work.session.get_one(MunicipalTask, scene.task).task_id
        for needed in (before.task_id, abroad.task_id):
            work.session.add(TaskLink(task_id=mine, needs_task_id=needed))
        another = make.project(work.session, "ky", system_code="ky")
        other_system = make.task(work.session, "Hører til KY", number="MI 97", in_project=another)
        work.session.add(TaskLink(task_id=mine, needs_task_id=other_system.task_id))
        draft = make.task(work.session, "Endnu kun en kladde", number="MI 98", state="kladde")
        work.session.add(TaskLink(task_id=draft.task_id, needs_task_id=mine))
        first = before.id
    window = browser().sign_in(scene.mails["plusbruger"])
    page = window.get(f"/opgaver/{scene.task}?status=ikke-paabegyndt&sorter=nummer")
    assert page.find("a", string="MI 03 Bestil abonnement")["href"] == f"/opgaver/{first}"
    assert "MI 99 Kun i Herning (ikke udgivet til kommunen)" in " ".join(page.main.text.split())
    assert "MI 98" not in page.text, "KOMBIT has not published it"
    assert "MI 97" in page.text
    assert "MI 97" not in browser().sign_in(scene.mails["leverandoer"]).get(f"/opgaver/{scene.task}").text
    assert page.select_one("a[rel=prev]")["href"] == f"/opgaver/{first}?status=ikke-paabegyndt&sorter=nummer"
    window.submit(page, f"/opgaver/{scene.task}/ret?status=ikke-paabegyndt&sorter=nummer", status="i-gang")
    assert window.response.request.query_string == b"status=ikke-paabegyndt&sorter=nummer"
    assert "Venter på denne opgave" in window.get(f"/opgaver/{first}").text


def test_a_local_task_is_made_and_changed_at_home_and_unknown_to_kombit(
    house: Installation, browser: Open, scene: Scene
) -> None:
    window = browser().sign_in(scene.mails["plusbruger"])
    page = window.get("/opgaver/ny")
    wrong = window.submit(
        page, "/opgaver/ny", expect=422, title=" ", deadline="1-1-2026", start_date="1-2-2026"
    )
    assert "Titel skal udfyldes" in wrong.text
    wrong = window.submit(
        page, "/opgaver/ny", expect=422, title="Møde", deadline="1-1-2026", start_date="1-2-2026"
    )
    assert "må ikke ligge før startdatoen" in wrong.text and wrong.select_one("#title")["value"] == "Møde"
    page = window.submit(
        page, "/opgaver/ny", title="Indkald superbrugere", local_text="Husk **kaffe**", deadline="21-12-2026"
    )
    assert "Indkald superbrugere" in page.h1.text and page.select_one("strong", string="kaffe")
    assert (
        "Lokal opgave" in page.text and "Den lokale opgave er oprettet" in page.select_one("#historik").text
    )
    path = window.response.request.path
    page = window.submit(
        page, f"{path}/ret", title="Indkald alle superbrugere", local_text="Husk\n- kaffe\n- te"
    )
    assert "Indkald alle superbrugere" in page.h1.text and page.select(".klik-task-text li")
    assert "Indkald superbrugere → Indkald alle superbrugere" in page.text
    for level in ("kombit-administrator", "leverandoer", "herning"):
        browser().sign_in(scene.mails[level]).get(path, expect=404)


def _pdf_words(content: bytes, folder: Path) -> str:
    file = folder / "opgave.pdf"
    file.write_bytes(content)
    run = subprocess.run(["pdftotext", "-layout", file, "-"], capture_output=True, check=True, text=True)
    return " ".join(run.stdout.split())


def _embedded(folder: Path) -> dict[str, object]:
    subprocess.run(
        ["pdfdetach", "-save", "1", "-o", folder / "opgave.json", folder / "opgave.pdf"],
        check=True,
        capture_output=True,
    )
    return json.loads((folder / "opgave.json").read_text("utf-8"))


def test_the_pdf_holds_everything_and_leaves_a_proof(
    house: Installation, browser: Open, scene: Scene, tmp_path: Path
) -> None:
    with house.writing(NOW) as work:
        deletion = Deletion(
            state="varslet",
            last_day=TODAY + timedelta(days=40),
            heading="KP er i drift",
            legal_basis="Aftalen § 7",
            decided_by="KOMBIT",
            decided_on=TODAY,
            announced_at=NOW,
        )
        work.session.add(deletion)
        work.session.flush()
        work.session.add(
            DeletionItem(
                deletion_id=deletion.id,
                municipality_id=make.KOEGE,
                municipal_task_id=scene.task,
                state="varslet",
            )
        )
    window = browser().sign_in(scene.mails["plusbruger"])
    assert "– hent den" in window.get(f"/opgaver/{scene.task}").text
    content = window.download(f"/opgaver/{scene.task}.pdf")
    assert (
        "filename=KP-MI-15_Udarbejd-jobfunktionsroller-for-KP_Koege_"
        in window.response.headers["Content-Disposition"]
    )
    words = _pdf_words(content, tmp_path)
    for token in (
        "MI 15 Udarbejd jobfunktionsroller for KP",
        "Delt med KOMBIT",
        "Kun hjemme",
        "Roller.csv",
        "21. december 2026",
        "Navn Administrator",
        "Navn Bruger",
        "Fil vedhæftet: Roller.csv",
        "Filernes indhold",
        "Forberedelse",
        "STS/Infrastruktur",
    ):
        assert token in words, token
    values = _embedded(tmp_path)
    assert values["number"] == "MI 15" and len(values["comments"]) == 2  # type: ignore[arg-type]
    with house.reading(NOW) as work:
        proof = work.session.scalars(select(ExportProof)).one()
        assert proof.code in words and proof.sha256
        assert work.session.scalars(select(DeletionItem)).one().state == "hentet"
    assert "– I har hentet den" in window.get(f"/opgaver/{scene.task}").text


def test_kombits_pdf_has_neither_private_comments_nor_own_files_and_says_so(
    browser: Open, scene: Scene, tmp_path: Path
) -> None:
    window = browser().sign_in(scene.mails["kombit-administrator"])
    words = _pdf_words(window.download(f"/opgaver/{scene.task}.pdf"), tmp_path)
    assert "Delt med KOMBIT" in words
    assert "Kun hjemme" not in words and "Roller.csv" not in words
    assert "Kommunens egne filer og de kommentarer, der kun er for kommunen" in words


def test_a_supplier_takes_nothing_home(browser: Open, scene: Scene) -> None:
    browser().sign_in(scene.mails["leverandoer"]).get(f"/opgaver/{scene.task}.pdf", expect=403)


def test_the_filtered_list_is_a_pdf_with_its_criteria(browser: Open, scene: Scene, tmp_path: Path) -> None:
    window = browser().sign_in(scene.mails["plusbruger"])
    words = _pdf_words(window.download("/opgaver.pdf?q=jobfunktionsroller"), tmp_path)
    for token in (
        "MI 15",
        "Udarbejd jobfunktionsroller for KP",
        "Fuldførte opgaver er ikke med",
        "Køge",
        "1 række",
    ):
        assert token in words, token
    browser().sign_in(scene.mails["leverandoer"]).get("/opgaver.pdf", expect=403)
