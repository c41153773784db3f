"""Mail addresses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klik.domain.mailaddresses import MailAddressError, normalise


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (" Per.Hansen@Koege.Example ", "per.hansen@koege.example"),
        ("it+klik@aarhus.dk", "it+klik@aarhus.dk"),
        ("post@fåborg.dk", "post@xn--fborg-mra.dk"),
    ],
)
def test_stored_form(typed, stored):
    assert normalise(typed) == stored
    assert normalise(stored) == stored


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("", "skal udfyldes"),
        ("per.koege.dk", "skal have et @"),
        ("@koege.dk", "tekst på begge sider"),
        ("per@", "tekst på begge sider"),
        ("a@b.dk, c@d.dk", "mere end ét @"),
        ("per hansen@koege.dk", "mellemrum"),
        ("bo\r\nBcc:x@koege.dk", "mellemrum"),
        ("søren@koege.dk", "æ, ø, å"),
        ("per@koege", "ikke en gyldig mailadresse"),
        ("per..hansen@koege.dk", "ikke en gyldig mailadresse"),
        ("per@localhost", "ikke en gyldig mailadresse"),
        ("Per <per@koege.dk>", "mellemrum"),
        ("x" * 250 + "@koege.dk", "højst fylde 254 tegn"),
    ],
)
def test_refused(typed, told):
    with pytest.raises(MailAddressError, match=told):
        normalise(typed)


@given(st.one_of(st.text(max_size=60), st.emails()))
def test_any_text_is_an_address_or_a_danish_sentence(typed):
    try:
        stored = normalise(typed)
    except MailAddressError as error:
        assert str(error).endswith(".")
    else:
        assert stored.isascii()
        assert not any(character.isspace() for character in stored)
        assert normalise(stored) == stored
