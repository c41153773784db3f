"""What plug-in authors test with: the contract sees faults that are planted, and the fixtures do what they say."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from flask import Flask, request

from klik.commands.new_plugin import write
from klik.plugins import ItSystem, Job, PluginContext, Topic
from klik.testing import assert_plugin_contract, municipal_task_view, municipality_view, task_view
from klik.testing.browsing import PluginBrowser
from klik.testing.site import KLIK, PEOPLE, PluginSite
from tests.plugins import rogues

MORE = """

@hookimpl
def klik_jobs():
    return (Job(key="synder.job", label="Job", every="dag", run=lambda context: 1 / 0),)


@hookimpl
def klik_measures():
    def values(municipalities, context):
        return {259: Mark(text="Klar", state="ja")}

    return (Measure(key="synder.maal", label="Mål", system="synder", values=values),)


@hookimpl
def klik_demo(context):
    units.note(context, 259, "010190-1234", True)
"""
PAGE = """
<title>Nej</title><form action="/log-ud" method="post"></form><script>nej</script>
<form action="/p/x/" method="post"><input type="hidden" name="csrf_token" value="k">
<input name="a" value="1"><textarea name="b">
to linjer</textarea><select name="c"><option value="x">X<option value="y" selected>Y</select>
<select name="d"><option value="z">Z<option value="w">W</select>
<input type="checkbox" name="e" value="y"><input type="checkbox" name="f" checked>
<button type="submit" name="g" value="1">Gem</button></form>
"""
# File of the skeleton, what stands there, what is planted, and what the contract says of it.
FAULTS = (
    ("pages.py", "[CleanText(units.LONGEST_NAME, required=True)]", "[]", "UnitForm.unit takes words without"),
    ("pages.py", "abort(404)  # a supplier", "raise KeyError", "GET /p/synder/ answered 500 to leverandoer"),
    ("pages.py", "abort(403)", "raise KeyError", "POST /p/synder/ answered 500 to kombit"),
    (
        "templates/synder/panel.html",
        "{{ ready }}",
        "{{ redy }}",
        "synder.enheder/panel failed on klik's own pages",
    ),
    (
        "__init__.py",
        "from pathlib",
        "from dataclasses import replace\nfrom pathlib",
        "the panel Enheder on a task of None",
    ),
    (
        "__init__.py",
        "(pages.PANEL,)",
        '(pages.PANEL, replace(pages.PANEL, key="synder.opgave", place="task"))',
        "the panel Enheder on a task of synder",
    ),
    ("deadlines.py", "parameter.isdecimal() and ", "", "synder.foer-brug('x').check: ValueError"),
    (
        "files.py",
        "raise ImportRefusedError(",
        "raise KeyError(",
        "synder.enheder with a file of 8 bytes: KeyErr",
    ),
    ("__init__.py", "(files.UNITS,)\n", f"(files.UNITS,)\n{MORE}", "synder.job: ZeroDivisionError"),
    (
        "__init__.py",
        "    ItSystem,\n",
        "    ItSystem,\n    Job,\n    Mark,\n    Measure,\n",
        "synder.maal gave",
    ),
    ("units.py", "MetaData()", "MetaData()", "synder_units holds a CPR number"),
)


def test_the_contract_names_what_is_planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write("synder", tmp_path / "klik-synder")
    for place, before, after, _words in FAULTS:
        file = tmp_path / "klik-synder" / "klik_synder" / place
        assert before in file.read_text("utf-8"), place
        file.write_text(file.read_text("utf-8").replace(before, after, 1), "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path / "klik-synder"))
    import klik_synder

    try:
        with pytest.raises(AssertionError) as found:
            assert_plugin_contract("synder", klik_synder, tmp_path)
    finally:
        for name in [name for name in sys.modules if name.startswith("klik_synder")]:
            del sys.modules[name]
    said = str(found.value)
    assert [words for *_plant, words in FAULTS if words not in said] == [], said


def remind(context: PluginContext) -> None:
    assert context.klik is not None and context.person_id is None and context.kombit
    context.klik.tell("proeve.nyt", f"nyt/{context.today}", "Nyt", "Der er nyt i dag.", "/systemer/proeve")


def test_a_job_is_run_and_what_it_told_is_read(tmp_path: Path) -> None:
    plugin = rogues.plugin(
        "proeve",
        klik_systems=lambda: (ItSystem(code="proeve", name="Prøve", supplier="Leverandøren"),),
        klik_topics=lambda: (Topic(key="proeve.nyt", label="Nyt i Prøve", system="proeve"),),
        klik_jobs=lambda: (Job(key="proeve.mind", label="Mind", every="dag", run=remind),),
    )
    site = PluginSite("proeve", plugin.module, tmp_path)
    try:
        for _twice in range(2):
            with site.context(KLIK) as context:
                site.house.registry.jobs["proeve.mind"].run(context)
        (told,) = site.announcements()
        assert (told.topic, told.heading, told.path) == ("proeve.nyt", "Nyt", "/systemer/proeve")
        places = {}
        for kind in PEOPLE:
            with site.context(kind) as context:
                places[kind] = (context.municipality, context.kombit, sorted(context.systems))
        assert places["bruger"] == places["laeser"] == (259, False, [])
        assert places["kombit"] == places["kombit-redaktoer"] == (None, True, [])
        assert places["leverandoer"] == (None, False, ["proeve"])
    finally:
        site.close()


def test_values_can_be_made_with_other_parts() -> None:
    assert municipality_view(wave="pilot").wave == "pilot"
    assert task_view(system="proeve").system == "proeve"
    assert municipal_task_view(status="fuldfoert").status == "fuldfoert"


def test_a_browser_sends_what_stands_in_the_form() -> None:
    app = Flask("x")

    @app.route("/p/x/", methods=["GET", "POST"])
    def show() -> str:
        sent = " ".join(f"{name}={value}" for name, value in sorted(request.form.items()))
        return f"{PAGE}<p>{sent}</p>"

    browser = PluginBrowser(app.test_client())
    page = browser.get("/p/x/")
    assert "Nej" not in page.text and page.form().words == ["a", "b"]
    assert "a=2 b=to linjer c=y csrf_token=k d=z f=on" in browser.submit(page, a="2").text
    with pytest.raises(AssertionError, match="/p/x/ has no form that is sent to /andet"):
        browser.submit(page, "/andet")
    with pytest.raises(AssertionError, match="answered 404"):
        browser.get("/ingen")
