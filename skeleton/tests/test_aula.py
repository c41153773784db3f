import io
from datetime import date

import klik_aula
from klik_aula import deadlines, files, units

from klik.testing import assert_plugin_contract, municipality_view, task_view


def test_the_contract(tmp_path):
    assert_plugin_contract("aula", klik_aula, tmp_path)


def test_system_field_and_filter(klik_registry):
    assert klik_registry.systems["aula"].name == "Aula"
    assert [field.label for field in klik_registry.fields_of("aula")] == ["Løses af"]
    assert klik_registry.filters["aula.niveau"].describe("enhed") == "Enheden"


def test_the_deadline_counts_back():
    rule = deadlines.BEFORE_USE
    known, unknown = municipality_view(go_live=date(2027, 3, 31)), municipality_view()
    assert rule.deadline(task_view(), known, "30") == date(2027, 3, 1)
    assert rule.deadline(task_view(), unknown, "30") is None
    assert rule.check("nul") == "Antal dage skal være fra 1 til 365."


def test_the_file(klik_context):
    with klik_context("bruger") as context:
        report = files.UNITS.read(io.BytesIO("Enhed;Klar\nBørnehuset;ja\n;nej\n".encode()), "x.csv", context)
        assert [row.outcome for row in report.rows] == ["ny", "forkert"]
        assert units.of(context, context.municipality) == {"Børnehuset": True}


def test_the_page_and_the_panel(klik_browser):
    user = klik_browser("bruger")
    page = user.submit(user.get("/p/aula/"), unit="Skovskolen", ready="y")
    assert "Skovskolen er gemt." in page.text
    assert "1 af 1 enheder er klar." in user.get("/systemer/aula").text
    assert "CPR-nummer" in user.submit(page, unit="010190-1234", expect=422).text
    assert "1 af 1 er klar." in klik_browser("kombit").get("/p/aula/").text
    klik_browser("leverandoer").get("/p/aula/", expect=404)
