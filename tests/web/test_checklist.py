"""The checklist on the task's page, as plain forms and as htmx asks for it."""

from __future__ import annotations

from collections.abc import Callable

from klik.domain.rights import Level
from klik.installation import Installation
from tests import make
from tests.client import Browser
from tests.make import NOW
from tests.web.page import check_fragment


def test_the_checklist_with_plain_forms_and_with_htmx(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    with house.writing(NOW) as work:
        mail = make.person(work.session).email
        task = make.municipal_task(work.session).id
        reader = make.person(work.session, "Bo", level=Level.READER).email
    base = f"/opgaver/{task}/tjekliste"
    window = browser().sign_in(mail)
    page = window.get(f"/opgaver/{task}")
    page = window.submit(page, base, text="Ring til 010190-1234", expect=422)
    assert "CPR-nummer" in page.text and page.select_one("#ny-linje")["value"] == "Ring til 010190-1234"
    page = window.submit(page, base, text="Ring til leverandøren")
    page = window.submit(page, base, text="Bestil lokale")
    assert "(0 af 2)" in page.select_one("#tjekliste h2").text
    page = window.submit(page, f"{base}/1/kryds")
    assert page.select_one("#kryds-1")["aria-checked"] == "true"
    page = window.submit(page, f"{base}/2/flyt")
    assert [each.text for each in page.select(".task-line-text")] == [
        "Bestil lokale",
        "Ring til leverandøren",
    ]
    stale = window.post(f"{base}/2/ret", {"version": "1", "text": "Bestil mødelokale"}, expect=409)
    assert "Linjen er ændret imens" in stale.text
    assert stale.select_one("#linje-2")["value"] == "Bestil mødelokale"
    page = window.submit(stale, f"{base}/2/ret")
    assert "Bestil mødelokale" in page.select_one("#tjekliste").text
    token = window.token()
    version = page.select_one(f"form[action='{base}/2/kryds'] input[name=version]")["value"]
    answer = window._client.post(
        f"{base}/2/kryds",
        data={"csrf_token": token, "version": version, "done": "1"},
        headers={"HX-Request": "true"},
    )
    piece = check_fragment(answer.data, url=f"{base}/2/kryds")
    assert answer.status_code == 200 and piece.select_one("#kryds-2")["aria-checked"] == "true"
    assert "tjekliste 2 af 2" in window.get("/opgaver?fuldfoerte=ja").text
    window.submit(window.get(f"/opgaver/{task}"), f"{base}/1/fjern")
    shown = browser().sign_in(reader).get(f"/opgaver/{task}")
    assert "Gjort: " in shown.select_one("#tjekliste").text and not shown.select("#tjekliste form")
