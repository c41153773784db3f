"""The form for reading a file in."""

from __future__ import annotations

from flask_wtf.file import FileField, FileRequired

from klik.web.forms import Form


class ImportForm(Form):
    """One file."""

    file = FileField("Fil", [FileRequired("Fil: vælg den fil, der skal læses.")])
