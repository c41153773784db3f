"""The macros, each rendered in the frame and put through the page checker."""

from types import SimpleNamespace

import pytest
from werkzeug.datastructures import MultiDict
from wtforms import (
    BooleanField,
    DateField,
    FileField,
    Form,
    HiddenField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from tests.web.frame import render, render_piece, words
from tests.web.page import check_fragment

# Forms


def no_such_day(form: Form, field: DateField) -> None:
    raise ValidationError("Deadline findes ikke i kalenderen.")


class TaskForm(Form):
    title = StringField("Titel", [InputRequired("Skriv en titel."), Length(max=200)], description="Kort")
    text = TextAreaField("Beskrivelse", [Length(max=4000)])
    deadline = DateField("Deadline", [no_such_day], format=["%d-%m-%Y", "%Y-%m-%d"])
    phase = SelectField("Fase", choices=[SelectChoice("opstart", "Opstart")])
    priority = RadioField(
        "Prioritet", [InputRequired("Vælg en prioritet.")], choices=[SelectChoice("hoej", "Høj")]
    )
    waves = SelectMultipleField(
        "Bølger",
        choices=[SelectChoice("b1", "Bølge 1")],
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
    )
    mail = BooleanField("Send mail")
    attachment = FileField("Fil")
    version = HiddenField(default="3")


FORM = (
    "{{ forms.error_summary(form) }}{{ forms.form_open('/opgaver', 'post', 'n1', {'trin': 2}) }}"
    "{% for field in form %}{{ forms.field(field) }}{% endfor %}"
    "{{ forms.buttons('Gem', 'Annullér', '/') }}</form>"
)


def test_every_kind_of_field_is_labelled_and_keeps_what_was_typed() -> None:
    typed = [
        ("title", ""),
        ("text", "Hej <du>"),
        ("deadline", "21-11-2026"),
        ("phase", "opstart"),
        ("mail", "y"),
    ]
    form = TaskForm(MultiDict(typed))
    assert not form.validate()
    page = render(FORM, form=form)
    assert page.find(id="text").get_text() == "Hej <du>"
    assert page.find(id="deadline")["value"] == "21-11-2026"
    assert page.find(id="deadline")["type"] == "text"
    assert page.find(id="mail").has_attr("checked")
    assert page.find("input", attrs={"name": "idempotency_key"})["value"] == "n1"
    assert page.find("input", attrs={"name": "trin"})["value"] == "2"
    assert page.form.has_attr("novalidate")


def test_errors_are_listed_linked_and_tied_to_their_fields() -> None:
    form = TaskForm(MultiDict({"phase": "opstart"}))
    form.validate()
    page = render(FORM, form=form)
    summary = page.find(class_="klik-error-summary")
    assert summary.has_attr("autofocus") and summary["tabindex"] == "-1"
    assert {link["href"]: link.get_text() for link in summary.find_all("a")} == {
        "#title": "Skriv en titel.",
        "#deadline": "Deadline findes ikke i kalenderen.",
        "#priority-0": "Vælg en prioritet.",
    }
    title = page.find(id="title")
    assert title["aria-describedby"] == "title-hint title-error"
    assert title["aria-invalid"] == "true"
    assert "Fejl: Skriv en titel." in words(page.find(id="title-error"))
    assert words(page.find("label", attrs={"for": "title"})) == "Titel (skal udfyldes)"
    assert words(page.find("label", attrs={"for": "text"})) == "Beskrivelse"


def test_a_limit_is_told_and_counted_but_never_cut_off_by_the_browser() -> None:
    page = render("{{ forms.field(form.text) }}{{ forms.field(form.title) }}", form=TaskForm())
    assert page.find(attrs={"data-limit": "4000"}).textarea["aria-describedby"] == "text-limit"
    assert words(page.find(id="text-limit")) == "Højst 4.000 tegn"
    assert not page.find_all(maxlength=True)


def test_a_form_without_errors_has_no_summary() -> None:
    assert render("{{ forms.error_summary(form) }}", form=TaskForm()).find(role="alert") is None


def test_a_post_button_is_a_whole_form() -> None:
    form = render("{{ forms.post_button('/x', 'Slet', {'version': 3}, 'warning', 'opgaven MI 15') }}").form
    assert words(form.button) == "Slet opgaven MI 15"
    assert form.find("input", attrs={"name": "version"})["value"] == "3"


# Chips, tables, filters, paging


@pytest.mark.parametrize(("colour", "word"), [("roed", "Rød"), ("gul", "Gul"), ("groen", "Grøn")])
def test_a_colour_is_an_icon_and_a_word_and_can_explain_itself(colour: str, word: str) -> None:
    piece = "{{ chips.colour_chip(colour) }}{{ chips.colour_chip(colour, none, 'Frist 1. juni.') }}"
    page = render(piece, colour=colour)
    assert page.find("span", class_="klik-chip").svg["aria-hidden"] == "true"
    assert words(page.find("span", class_="klik-chip")) == word
    assert words(page.details.summary) == f"{word} , hvorfor?"
    assert words(page.details.p) == "Frist 1. juni."


def test_no_colour_shows_nothing() -> None:
    assert render("<div id='x'>{{ chips.colour_chip(none) }}</div>").find(id="x").contents == []


def test_statuses_and_marks_are_words() -> None:
    page = render(
        "{% for status in ['ikke-paabegyndt', 'i-gang', 'fuldfoert', 'ikke-relevant'] %}"
        "{{ chips.status_chip(status) }} {% endfor %}"
        "{{ chips.local_mark() }} {{ chips.vacant_mark('Superbruger') }} {{ chips.tag('STS') }}"
    )
    assert "Ikke påbegyndt I gang Fuldført Ikke relevant" in words(page)
    assert "Lokal opgave Ubesat: Superbruger STS" in words(page)


def task_row(**changes: object) -> SimpleNamespace:
    row = {
        "id": 7,
        "href": "/opgaver/7",
        "number": "MI 15",
        "title": "Udpeg <superbrugere>",
        "deadline_iso": "2026-11-21",
        "deadline_text": "21. november 2026",
        "colour": "roed",
        "status": "i-gang",
        "responsible": "Mette",
        "executor": None,
        "cells": {"ksd.blokerer": "Ja"},
        "phase": None,
    }
    return SimpleNamespace(**{**row, **changes})


def columns(*keys: str) -> list[SimpleNamespace]:
    return [
        SimpleNamespace(key=key, label=key.capitalize(), sort_href=f"?sorter={key}", sorted=None)
        for key in keys
    ]


def test_the_task_table_shows_each_row_with_labels_for_phones() -> None:
    shown = columns("task", "deadline", "status", "responsible", "executor", "phase", "ksd.blokerer")
    shown[1].sorted = "descending"
    page = render("{{ tables.task_table('Opgaver', columns, rows) }}", columns=shown, rows=[task_row()])
    heads = page.thead.find_all("th")
    assert [head.get("aria-sort") for head in heads] == [None, "descending", None, None, None, None, None]
    assert words(heads[1].a) == "Deadline , faldende. Vend rækkefølgen"
    row = page.tbody.tr
    assert words(row.th) == "MI 15 Udpeg <superbrugere>"
    assert [words(cell) for cell in row.find_all("td")] == [
        "21. november 2026 Rød",
        "I gang",
        "Mette",
        "Ingen",
        "–",
        "Ja",
    ]
    assert [cell["data-label"] for cell in row.find_all("td")] == [column.label for column in shown[1:]]


def test_ticks_belong_to_the_named_form_and_gone_rows_stay_visible() -> None:
    page = render(
        "{{ tables.task_table('Opgaver', columns, rows, select_form='ret') }}"
        "{{ forms.form_open('/ret', id='ret') }}{{ forms.buttons('Ret valgte') }}</form>",
        columns=columns("task", "responsible"),
        rows=[task_row(gone=True, responsible=None, responsible_vacant=True, responsible_role="Superbruger")],
    )
    tick = page.tbody.find("input")
    assert (tick["name"], tick["value"], tick["form"]) == ("opgave", "7", "ret")
    assert "Passer ikke længere på filteret" in words(page.tbody)
    assert "Ubesat: Superbruger" in words(page.tbody)


def test_a_page_may_write_a_column_itself() -> None:
    page = render(
        "{% call(row, column) tables.task_table('Opgaver', columns, rows, custom=['status']) %}"
        "{% call tables.cell(column.label) %}<b>{{ row.status }}</b>{% endcall %}{% endcall %}",
        columns=columns("task", "status"),
        rows=[task_row()],
    )
    assert page.tbody.b.get_text() == "i-gang"


def test_one_row_alone_is_the_row_of_the_table() -> None:
    context = {"columns": columns("task", "deadline", "status"), "row": task_row()}
    table = render(
        "{{ tables.task_table('Opgaver', columns, [row], 'ret') }}<form id='ret' action='/ret'></form>",
        **context,
    )
    alone = check_fragment(
        render_piece("{{ tables.task_row(row, columns, 'ret') }}", **context).encode(),
        url="/opgaver/7/status",
    )
    assert words(alone) == words(table.tbody)
    assert alone.tr["id"] == "opgave-7"


def test_any_table() -> None:
    page = render(
        "{% call(row) tables.table('Roller', ['Rolle', 'Indehaver'], rows) %}"
        "{{ tables.row_header(row[0]) }}{{ tables.cell('Indehaver', row[1]) }}{% endcall %}",
        rows=[("Projektleder", None)],
    )
    assert words(page.tbody) == "Projektleder –"


def test_the_filters_use_klik_s_own_words() -> None:
    options = [
        SimpleNamespace(value="roed", label="Rød", count=5000, checked=True),
        SimpleNamespace(value="gul", label="Gul", count=None, checked=False),
    ]
    page = render(
        "{{ filters.active_filters(active, '/opgaver') }}{{ filters.saved_filters(saved) }}"
        "{{ filters.filter_panel('/opgaver', groups, 'ø', true, [('sorter', 'deadline')]) }}"
        "{{ filters.save_filter('/filtre', 'deadline=roed', '', 'Skriv et navn.') }}",
        active=[
            SimpleNamespace(label=f"Deadline: {word}", remove_href="?") for word in ("Rød", "Gul", "Grøn")
        ],
        saved=[SimpleNamespace(name="Rød/gul ej påbegyndt", href="?", count=7, active=True)],
        groups=[SimpleNamespace(key="ksd.blokerer", label="Blokerer", options=options)],
    )
    text = words(page)
    for word in (
        "Anvendte filtre (3)",
        "nulstil alle",
        "Vis fuldførte Ja Nej",
        "Vis opgaver",
        "Gem filter",
        "Gem",
    ):
        assert word in text
    assert "Gemte filtre Rød/gul ej påbegyndt 7 opgaver" in text
    assert "Rød (5.000) Gul" in text
    get = page.find("form", method="get")
    assert get.find("input", attrs={"name": "sorter"})["value"] == "deadline"
    assert get.find("input", attrs={"name": "fuldfoerte", "checked": True})["value"] == "ja"
    assert get.find("input", attrs={"name": "ksd.blokerer", "checked": True})["value"] == "roed"
    assert get.find("details").has_attr("open")
    assert "Fejl: Skriv et navn." in text


def test_no_active_and_no_saved_filters() -> None:
    page = render("{{ filters.active_filters([], '/') }}{{ filters.saved_filters([]) }}")
    assert "Anvendte" not in words(page)
    assert "Du har ingen gemte filtre endnu." in words(page)


@pytest.mark.parametrize(
    ("current", "total", "expected"),
    [
        (1, 1, None),
        (1, 2, "1 2 Næste side"),
        (2, 3, "Forrige side 1 2 3 Næste side"),
        (4, 1200, "Forrige side 1 … 3 4 5 … 1.200 Næste side"),
        (1200, 1200, "Forrige side 1 … 1.199 1.200"),
    ],
)
def test_paging(current: int, total: int, expected: str | None) -> None:
    page = render(
        "{{ paging.pagination('Sider', current, total, url) }}",
        current=current,
        total=total,
        url=lambda number: f"?side={number}",
    )
    assert (words(page.nav).replace("Side ", "") if page.nav else None) == expected
    if expected:
        assert page.find("a", attrs={"aria-current": "page"})["href"] == f"?side={current}"


def test_page_size_and_counts() -> None:
    page = render(
        "{{ paging.page_size(50, [25, 50], url) }}{{ paging.showing(51, 100, 1312) }}|"
        "{{ paging.showing(1, 50, 1, id='en') }}|{{ paging.showing(0, 0, 0, id='ingen') }}|"
        "{{ numbers.counted(1, 'opgave', 'opgaver') }}",
        url=lambda size: f"?pr_side={size}",
    )
    assert page.find("a", attrs={"aria-current": "true"})["href"] == "?pr_side=50"
    assert words(page).endswith("Viser 51–100 af 1.312 opgaver | 1 opgave | Ingen opgaver |1 opgave")


def test_cards_details_and_messages() -> None:
    page = render(
        "{% call cards.number_cards('Tal') %}{{ cards.number_card(1204, 'overskredet', '/o', 'roed', '+2') }}"
        "{% endcall %}{{ details.facts([('Fase', 'Opstart'), ('Tema', none)]) }}"
        "{{ details.timeline(entries) }}{{ details.file_list(files) }}"
        "{% call details.fold('Ældre', count=2) %}<p>x</p>{% endcall %}"
        "{{ messages.empty_state('Ingen opgaver', 'Alt er nået.', ('Se alle', '/opgaver')) }}"
        "{% call messages.alert('error', 'Ikke sendt') %}<p>Prøv igen.</p>{% endcall %}"
        "{{ headings.neighbours('/1', none, '3 af 3') }}{{ headings.back_link('/opgaver') }}",
        entries=[{"when_iso": "2026-11-21", "when_text": "i dag", "who": "Mette", "what": "Oprettet"}],
        files=[{"name": "a.pdf", "href": "/a", "size_text": "1 kB"}],
    )
    text = words(page)
    assert "1.204 overskredet Rød +2" in text
    assert "Fase Opstart Tema Ikke angivet" in text
    assert "i dag · Mette Oprettet" in text
    assert "Fejl: Ikke sendt Prøv igen." in text
    assert page.find("a", attrs={"data-key": "k"})["href"] == "/1"
    assert page.find("a", attrs={"data-key": "j"}) is None
