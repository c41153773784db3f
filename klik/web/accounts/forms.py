"""The form for signing in."""

from __future__ import annotations

from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from klik.web.forms import Form


class SignInForm(Form):
    """Mail address and password."""

    email = StringField(
        "Mailadresse",
        [
            InputRequired("Skriv din mailadresse."),
            Length(max=320, message="Mailadressen må højst være på 320 tegn."),
        ],
    )
    password = PasswordField("Adgangskode", [InputRequired("Skriv din adgangskode.")])
    next = HiddenField()
