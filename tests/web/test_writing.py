"""Writing a KLIK-opgave: the text as it will read, its number, its files, copies, TOML and a whole drejebog."""

from __future__ import annotations

import io
from collections.abc import Callable

import openpyxl
import pytest
from bs4 import BeautifulSoup
from sqlalchemy import func, select

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import MunicipalTask, Task, TaskFile
from tests import make
from tests.client import Browser, filled
from tests.web.page import check_fragment

EDITOR, LEADER = "redaktoer@kombit.example", "leder@koege.example"
IT = "it-miljoe-og-infrastruktur"
TYPED = {
    "title": "Udpeg systemansvarlig",
    "theme": IT,
    "phase": "forberedelse",
    "description": "Se **her**.",
    "deadline_parameter": "1",
}
TYPED |= {"deadline_rule": "core.months-after-publication"}
CSV = b"rolle;navn\nA;B\n"


@pytest.fixture
def editor(house: Installation, browser: Callable[..., Browser]) -> Browser:
    with house.database.writing() as session:
        make.person(session, "Ida Krog", level=Level.KOMBIT_EDITOR, email=EDITOR)
        make.person(session, email=LEADER)
        make.project(session)
    return browser().sign_in(EDITOR)


def draft(editor: Browser, **typed: object) -> int:
    page = editor.get("/udgivelser/ny?projekt=kp")
    editor.submit(page, "/udgivelser", **(TYPED | typed), trin="kladde")
    return int(editor.response.request.path.rpartition("/")[2])


def read(editor: Browser, **typed: str) -> BeautifulSoup:
    """The pane beside the fields, as htmx fetches it."""
    answer = editor._client.post("/udgivelser/laes", data={"csrf_token": editor.token()} | typed)
    assert answer.status_code == 200
    return check_fragment(answer.data, url="/udgivelser/laes")


def attach(
    editor: Browser, task_id: int, name: str = "Skema.csv", content: bytes = CSV, **how: int
) -> BeautifulSoup:
    return editor.post(f"/udgivelser/{task_id}/filer", {"file": (io.BytesIO(content), name)}, **how)


def test_the_text_reads_as_on_the_task_page_and_says_what_is_wrong(editor: Browser) -> None:
    typed = {
        "project": "kp",
        "description": "Se **her**. <script>x</script>\n\n[a](javascript:b)",
        "title": "",
    }
    pane = read(editor, **typed)
    assert pane.find("strong").text == "her" and pane.find("script") is None and pane.find("a") is None
    assert "Beskrivelse" in pane.text and "Skal rettes" not in pane.text
    pane = read(editor, purpose="x" * 20_001, result="010190-1234")
    assert "Formål må højst fylde 20.000 tegn; du har skrevet 20.001." in pane.text
    assert "Resultat ser ud til at indeholde et CPR-nummer" in pane.text
    assert "Her kommer teksten" in read(editor).text


def test_every_field_is_kept_and_stored(editor: Browser) -> None:
    task = draft(editor, appoints_role="systemansvarlig", working_day="foer")
    kept = filled(editor.get(f"/udgivelser/{task}/ret").find("form", attrs={"action": "/udgivelser"}))
    assert (kept["appoints_role"], kept["working_day"]) == ("systemansvarlig", "foer")
    assert "Rolle, som opgaven udpeger" in editor.get(f"/udgivelser/{task}").text
    page = editor.get("/udgivelser/ny?projekt=kp")
    wrong = editor.submit(page, "/udgivelser", expect=422, **(TYPED | {"title": "", "working_day": "efter"}))
    kept = filled(wrong.find("form", attrs={"action": "/udgivelser"}))
    assert (kept["working_day"], kept["description"]) == ("efter", "Se **her**.")
    assert wrong.select_one("[data-writing][data-unsaved]") and not page.select_one("[data-unsaved]")


def test_the_next_number_is_shown_for_the_theme(editor: Browser) -> None:
    def told(query: str) -> str:
        return editor.download(f"/udgivelser/nummer?{query}").decode()

    asked = f"project=kp&theme={IT}"
    assert told(asked) == "Næste ledige nummer i temaet er MI 01."
    task = draft(editor)
    assert "MI 02" in told(asked)
    assert told(f"{asked}&task_id={task}") == "Kladden har nummeret MI 01 og beholder det."
    assert told("theme=findes-ikke") == told("") == ""


def test_a_file_of_kombits_reaches_the_municipality(
    editor: Browser, house: Installation, browser: Callable[..., Browser]
) -> None:
    task = draft(editor, recipients="kommuner", codes="259")
    refused = attach(editor, task, "a.pdf", expect=422)
    assert "indholdet er: tekst" in refused.text
    assert "vælg den fil" in editor.post(f"/udgivelser/{task}/filer", {}, expect=422).text
    assert "Filen “Skema.csv” er vedhæftet." in attach(editor, task).text
    form = editor.get(f"/udgivelser/{task}/ret")
    changes = {"recipients": "kommuner", "codes": "259"}
    ahead = editor.submit(form, "/udgivelser", **changes, trin="forhaandsvis")
    editor.submit(ahead, "/udgivelser", trin="udgiv")
    with house.database.reading() as session:
        mine = session.scalars(select(MunicipalTask.id)).one()
    leader = browser().sign_in(LEADER)
    link = leader.get(f"/opgaver/{mine}").find("a", string="Skema.csv")["href"]
    assert leader.download(str(link)) == CSV
    leader.get(f"/udgivelser/{task}/filer", expect=403)
    page = editor.get(f"/udgivelser/{task}")
    assert editor.download(str(page.find("a", string="Skema.csv")["href"])) == CSV
    remove = page.select_one("form[action$='/fjern']")["action"]
    assert "Filen “Skema.csv” er fjernet" in editor.submit(page, str(remove)).text
    gone = leader.get(f"/opgaver/{mine}")
    assert "KOMBIT har fjernet en fil" in gone.text and gone.find("a", string="Skema.csv") is None


def test_a_copy_takes_the_files_when_ticked(editor: Browser, house: Installation) -> None:
    source = draft(editor)
    attach(editor, source)
    page = editor.get(f"/udgivelser/ny?kopi={source}")
    assert "Opgaven har 1 fil" in page.text
    editor.submit(page, "/udgivelser", title="Uden filer", trin="kladde")
    editor.submit(page, "/udgivelser", title="Med filer", files_too="y", trin="kladde", draft_key="en-anden")
    with house.database.reading() as session:
        found = session.execute(
            select(Task.task_number, func.count(TaskFile.id))
            .outerjoin(TaskFile)
            .group_by(Task.id)
            .order_by(Task.id)
        )
        assert [tuple(row) for row in found] == [("MI 01", 1), ("MI 02", 0), ("MI 03", 1)]


def test_templates_and_earlier_tasks_are_found(editor: Browser) -> None:
    task = draft(editor)
    page = editor.get("/udgivelser/ny")
    assert page.find("a", href=f"/udgivelser/ny?kopi={task}")
    assert page.select("a[href*='skabelon=']")
    page = editor.get("/udgivelser/ny?q=systemansvarlig+%25")
    assert page.find("a", href=f"/udgivelser/ny?kopi={task}") is None
    page = editor.get("/udgivelser/ny?q=udpeg+SYSTEMansvarlig")
    assert page.find("a", href=f"/udgivelser/ny?kopi={task}")
    page = editor.get("/udgivelser/ny?q=fandtes%3Cb%3E+aldrig")
    assert "Ingen skabelon rummer “fandtes<b> aldrig”" in page.text and "Ingen tidligere opgave" in page.text


def test_circles_are_warned_of_and_not_refused(editor: Browser) -> None:
    first = draft(editor)
    second = draft(editor, needs="MI 01")
    page = editor.get(f"/udgivelser/{first}/ret")
    pane = read(editor, task_id=str(first), needs="mi2")
    assert "MI 01 → MI 02 → MI 01" in pane.text
    ahead = editor.submit(page, "/udgivelser", needs="MI 02", trin="forhaandsvis")
    assert "MI 01 → MI 02 → MI 01" in ahead.text
    assert "MI 01 → MI 02 → MI 01" in editor.submit(ahead, "/udgivelser", trin="kladde").text
    assert "MI 02 → MI 01 → MI 02" in editor.get(f"/udgivelser/{second}").text


def test_a_task_is_fetched_as_toml(editor: Browser) -> None:
    task = draft(editor)
    text = editor.download(f"/udgivelser/{task}.toml").decode()
    assert 'titel = "Udpeg systemansvarlig"' in text and 'nummer = "MI 01"' in text
    assert "MI 01 Udpeg systemansvarlig.toml" in editor.response.headers["Content-Disposition"]
    assert "Hent som TOML" in editor.get(f"/udgivelser/{task}").text


def test_a_drejebog_is_tried_and_read_in(editor: Browser, house: Installation) -> None:
    template = openpyxl.load_workbook(io.BytesIO(editor.download("/udgivelser/drejebog.xlsx")))
    example = next(cell for cell in template.worksheets[0][2] if str(cell.value or "").startswith("EKSEMPEL"))
    example.value = "Udpeg projektleder til drejebogen"
    buffer = io.BytesIO()
    template.save(buffer)

    def send(act: str, name: str = "d.xlsx", expect: int = 200) -> BeautifulSoup:
        sent = {"file": (io.BytesIO(buffer.getvalue()), name), "act": act}
        return editor.post("/udgivelser/drejebog", sent, expect=expect)

    editor.get("/udgivelser/drejebog")
    assert "giver den: 1 nye" in send("proev").text
    assert "Gem den som .xlsx" in send("indlaes", "d.xlsm", 422).text
    assert "Filen er indlæst" in send("indlaes").text
    assert "1 uændrede" in send("indlaes").text
    with house.database.reading() as session:
        assert session.scalar(select(func.count(Task.id))) == 1
    assert "vælg den fil" in editor.post("/udgivelser/drejebog", {"act": "proev"}, expect=422).text
