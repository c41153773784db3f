"""How many statements each main page takes with the demo's content, and with twice its tasks.

A page whose number rises with the rows asks once a row, and is a fault. Run from the root of the checkout:
`python -m bench.statements`.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask
from sqlalchemy import func, select

from bench.measuring import statements, tell
from bench.world import settings_in
from klik.app import create_app
from klik.demo import people, publications, story
from klik.installation import Installation
from klik.models import Municipality, MunicipalTask, Task
from klik.services import publishing, schema
from klik.services.people import sessions
from klik.services.publishing import Draft
from klik.services.work import Work

READERS = ("programleder@koege.example", "redaktoer@kombit.example")
PAGES = ("/", "/opgaver", "/opgaver?fuldfoerte=ja&pr_side=200", "/opgaver/{task}", "/systemer", "/udgivelser")
PAGES += (
    "/udgivelser/{published}",
    "/roller",
    "/roller/superbruger",
    "/personer",
    "/varsler",
    "/varsler/mine",
)
PAGES += (
    "/overblik",
    "/overblik?projekt=kp",
    "/overblik?tempo=ja",
    "/overblik/kommuner/259",
    "/overblik/skriv?alle=ja",
    "/boelger",
    "/boelger/ky",
    "/spoergsmaal",
    "/opgaver/kommende",
    "/udgivelser/ny",
    "/udgivelser/{published}/ret",
    "/udgivelser/{published}/forhaandsvis",
    "/udgivelser/{published}/rettelse",
    "/udgivelser/{published}/versioner",
)
PAGES += ("/sletning", "/sletning/1", "/filtre", "/min-side", "/drift")
KOEGE = 259
FRAME = ("BEGIN", "ROLLBACK")


def counted(app: Flask, house: Installation, email: str, task: tuple[int, int]) -> dict[str, str]:
    """For each page how many statements; a page that is not this reader's shows its answer's number in brackets."""
    client = app.test_client()
    client.set_cookie("klik", signed_in(house, email))
    found = {}
    for page in PAGES:
        address = page.format(task=task[0], published=task[1])
        client.get(address)
        with statements(app.extensions["klik"].database.engine) as sent:
            answer = client.get(address)
        number = sum(not statement.startswith(FRAME) for statement in sent)
        found[page] = str(number) if answer.status_code == 200 else f"({answer.status_code})"
    return found


def signed_in(house: Installation, email: str) -> str:
    """The cookie of a person of the demo."""
    with house.writing(datetime.now(UTC)) as work:
        cookie = sessions.sign_in(work, email, people.PASSWORD, "127.0.0.1", "bench")
    assert cookie is not None
    return cookie


def double(work: Work) -> None:
    """As many published tasks again, to every municipality."""
    codes = list(work.session.scalars(select(Municipality.id)))
    content = work.registry.content
    editor = replace(work, actor=publications.editor(work))
    for number in range(work.session.scalar(select(func.count(Task.id))) or 0):
        draft = Draft(
            project="kp",
            title=f"Udpeg systemansvarlig nr. {number}",
            phase=content.phases[number % len(content.phases)].slug,
            theme=content.themes[number % len(content.themes)].slug,
            description="Kommunen skal have det på plads, før systemet tages i brug.",
            responsible_role="systemansvarlig",
        )
        publishing.publish(editor, draft, codes)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="klik-bench-") as folder:
        settings = settings_in(Path(folder))
        house = Installation(settings)
        schema.upgrade(house.database, house.registry)
        with house.writing(datetime.now(UTC)) as work:
            story.fill(work, house.files)
        app = create_app(settings)
        tell(f"{'statements a page (once, doubled)':36}" + "".join(f"{email:>30}" for email in READERS))
        with house.reading(datetime.now(UTC)) as work:
            own = select(func.min(MunicipalTask.id)).where(MunicipalTask.municipality_id == KOEGE)
            task = (work.session.scalar(own) or 0, work.session.scalar(select(func.min(Task.id))) or 0)
        before = {email: counted(app, house, email, task) for email in READERS}
        with house.writing(datetime.now(UTC)) as work:
            double(work)
        after = {email: counted(app, house, email, task) for email in READERS}
        for page in PAGES:
            cells = (f"{before[email][page]} {after[email][page]}" for email in READERS)
            grows = any(before[email][page] != after[email][page] for email in READERS)
            tell(f"{page:36}" + "".join(f"{cell:>30}" for cell in cells) + ("   GROWS" if grows else ""))
        app.extensions["klik"].close()
        house.close()


if __name__ == "__main__":
    main()
