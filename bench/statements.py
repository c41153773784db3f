"""How many statements each main page takes with the demo's content, and with three times its tasks.

A page whose number rises with the rows asks once a row, and is a fault. Run from the root of the checkout:
`python -m bench.statements`.
"""

from __future__ import annotations

from flask import Flask

from bench.measuring import statements
from klik.installation import Installation

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
PAGES += ("/sletning", "/sletning/1", "/filtre", "/min-side", "/drift")
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
