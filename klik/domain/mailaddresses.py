"""Mail addresses in the one form that is stored and compared."""

from email_validator import EmailNotValidError, validate_email

from klik.domain.errors import InputError

LIMIT = 254


class MailAddressError(InputError):
    """A text that is no mail address, said in Danish."""


def normalise(address: str) -> str:
    """The address in lower case, its domain in the letters mail servers understand; nothing is looked up.

    Raises `MailAddressError`. Letters such as æ before the @ are refused: many mail servers drop such mail.
    """
    typed = address.strip()
    if problem := _plain_problem(typed):
        raise MailAddressError(problem)
    try:
        valid = validate_email(typed, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        raise MailAddressError(
            f"“{typed}” er ikke en gyldig mailadresse. Skriv den som navn@kommune.dk."
        ) from None
    return (valid.ascii_email or valid.normalized).lower()


def _plain_problem(typed: str) -> str | None:
    if not typed:
        return "Mailadresse skal udfyldes."
    if len(typed) > LIMIT:
        return f"Mailadressen må højst fylde {LIMIT} tegn; du har skrevet {len(typed)}."
    local, at, domain = typed.rpartition("@")
    if not at or not local or not domain:
        return "Mailadressen skal have et @ med tekst på begge sider. Skriv den som navn@kommune.dk."
    if "@" in local:
        return "Mailadressen har mere end ét @. Skriv kun én adresse, fx navn@kommune.dk."
    if any(character.isspace() for character in typed):
        return "Mailadressen må ikke indeholde mellemrum. Skriv den som navn@kommune.dk."
    if not local.isascii():
        return "Mailadressen må ikke indeholde æ, ø, å eller andre særlige bogstaver før @."
    return None
