"""No text gets past the flow for CPR numbers: every form's field and every service that cleans a text is looked at."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from wtforms import Field, StringField, TextAreaField
from wtforms.fields.core import UnboundField

import klik.plugins
import klik.web
from klik.web.forms import CleanText, Form

ROOT = Path(klik.web.__path__[0]).parent
# Fields of text that take no words of a person's own, by form and name: what stands there instead.
NO_WORDS = {
    "CodeForm.kode": "a code that is looked up and never stored",
    "FileForm.kode": "a code that is looked up and never stored",
    "CellForm.value": "one of the values of the list",
    "DayForm.dag": "a day: parse_date",
    "DepartureForm.last_day": "a day: parse_date",
    "EndForm.last_day": "a day: parse_date",
    "FillForm.valid_from": "a day: parse_date",
    "FillForm.valid_to": "a day: parse_date",
    "FillForm.mailbox": "an address: mailaddresses.normalise, and the net behind all forms",
    "ForgottenForm.email": "an address that is looked up and never stored",
    "SignInForm.email": "an address that is looked up and never stored",
}
# Who may clean a text without the flow, by module and function: where the flow is instead, or why there is none.
WITHOUT = {
    "klik/services/criteria.py parse": "a search: klik.web.addresses before it, and saving and calendars refuse it",
    "klik/services/tasks/attachments.py checked": "a file's name: file_text.refuse_cpr comes right after it",
    "klik/services/publishing/text.py tidied": "text_problems and _field_problems have looked at each part",
    "klik/services/publishing/text.py text_problems": "_cpr_problems stands beside it",
    "klik/services/publishing/text.py _field_problems": "_cpr_problems stands beside it",
    "klik/services/newsletters/letter.py cleaned": "problems has looked at both",
}


def form_classes() -> Iterator[type[Form]]:
    """Every form of klik and its plug-ins, the bases left out."""
    for package in (klik.web, klik.plugins):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "migrations" not in module.name:
                importlib.import_module(module.name)
    waiting = list(Form.__subclasses__())
    while waiting:
        form = waiting.pop()
        waiting += form.__subclasses__()
        yield form


def unchecked(form: type[Form]) -> list[str]:
    """The fields of text of a form that do not clean it."""
    found = []
    for name in dir(form):
        field = getattr(form, name)
        if not isinstance(field, UnboundField) or not takes_text(field.field_class):
            continue
        validators = [
            *field.args[1:2],
            *([field.kwargs["validators"]] if "validators" in field.kwargs else []),
        ]
        if not any(isinstance(each, CleanText) for given in validators for each in given):
            found.append(f"{form.__name__}.{name}")
    return found


def takes_text(kind: type[Field]) -> bool:
    """Whether people write words in it: a line or lines, and not a kind of its own (a day, a password, a number)."""
    return kind in (StringField, TextAreaField)


def test_every_field_of_text_is_in_the_flow() -> None:
    forms = list(form_classes())
    assert len(forms) > 20
    wrong = [name for form in forms for name in unchecked(form) if name not in NO_WORDS]
    assert not wrong, f"add CleanText to these fields, or the reason to NO_WORDS: {sorted(set(wrong))}"


def cleaners(file: Path, source: str) -> Iterator[str]:
    """The functions of a file that call ``texts.clean``, by whatever name."""
    tree = ast.parse(source)
    names = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "klik.domain.texts"
        for alias in node.names
        if alias.name == "clean"
    }
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
            called = call.func
            by_module = isinstance(called, ast.Attribute) and ast.unparse(called) == "texts.clean"
            if by_module or (isinstance(called, ast.Name) and called.id in names):
                yield f"{file} {function.name}"


def test_every_service_cleans_texts_through_the_flow() -> None:
    found = {
        each
        for file in [*(ROOT / "services").rglob("*.py"), *(ROOT / "plugins").rglob("*.py")]
        for each in cleaners(file.relative_to(ROOT.parent), file.read_text("utf-8"))
    }
    assert found == set(WITHOUT), "use klik.services.free_text.clean, or say in WITHOUT why not"


@pytest.mark.parametrize(
    "source",
    [
        "from klik.domain import texts\ndef a():\n    texts.clean('x')",
        "from klik.domain.texts import clean\ndef a():\n    clean('x')",
        "from klik.domain.texts import clean as neat\ndef a():\n    neat('x')",
    ],
)
def test_a_service_that_goes_past_it_is_seen(source: str) -> None:
    assert list(cleaners(Path("x.py"), source)) == ["x.py a"]


def test_a_form_that_goes_past_it_is_seen() -> None:
    class PlantedForm(Form):
        """A field without and a field with."""

        line = StringField("Linje")
        lines = TextAreaField("Linjer", [CleanText(5)])
        named = StringField("Navn", validators=[CleanText(5)])

    assert unchecked(PlantedForm) == ["PlantedForm.line"]
