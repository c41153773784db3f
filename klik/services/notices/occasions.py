"""The occasions on which people are told something, beside the rules of core and plug-ins about a deadline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from klik.plugins.manager import Registry
from klik.services import access
from klik.services.notices import taking_over
from klik.services.notices.recipients import CHANNEL_ADDRESS

# A person's own wish to have the reminders of a task later; never sent (klik.services.notices.quiet).
QUIET = "udskudt"


@dataclass(frozen=True, slots=True)
class Occasion:
    """An act that writes notices itself. ``at_once``: does not wait for the daily mail, unless a person chose so.

    ``fixed`` ones never wait: somebody sits and expects them.
    """

    key: str
    label: str
    at_once: bool = False
    fixed: bool = False


OCCASIONS: Mapping[str, Occasion] = {
    occasion.key: occasion
    for occasion in (
        Occasion("udgivet", "Ny opgave", at_once=True),
        Occasion("annonceret", "Kommende opgave"),
        Occasion("trukket-tilbage", "Opgave trukket tilbage"),
        Occasion("plan-fejlede", "Planlagt udgivelse mislykkedes", at_once=True),
        Occasion("sendt-tilbage", "Sendt tilbage fra godkendelse", at_once=True),
        Occasion("tildelt", "Opgave tildelt", at_once=True),
        Occasion("overdraget", "Opgaver overdraget", at_once=True),
        Occasion(taking_over.OCCASION, "Opgaver overtaget", at_once=True),
        Occasion("rettet", "Opgave rettet"),
        Occasion("frist-flyttet", "Frist flyttet"),
        Occasion("opgaver-tilkommet", "Opgaver tilkommet", at_once=True),
        Occasion("plusbruger", "Plusbruger for et system", at_once=True),
        Occasion("ny-rolle", "Ny rolle", at_once=True),
        Occasion("ny-adgang", "Ny adgang til klik", at_once=True, fixed=True),
        Occasion("ny-mailadresse", "Mailadresse ændret", at_once=True, fixed=True),
        Occasion("skrevet", "Besked fra KOMBIT", at_once=True),
        Occasion(access.OWN_OCCASION, "Mail om et gemt filter"),
        Occasion(access.MENTION, "Nævnt i en kommentar", at_once=True),
        Occasion("spoergsmaal", "Spørgsmål til KOMBIT", at_once=True),
        Occasion("besvaret", "Svar fra KOMBIT", at_once=True),
        Occasion("eksport-klar", "Udtræk klar", at_once=True, fixed=True),
        Occasion("sletning-varslet", "Sletning varslet", at_once=True),
        Occasion("sletning-udsat", "Sletning udsat", at_once=True),
        Occasion("sletning-fortrudt", "Sletning fortrudt", at_once=True),
        Occasion("sletning-rykker", "Påmindelse om sletning"),
        Occasion("sletning-opfordring", "Rykker om sletning", at_once=True),
        Occasion("sletning-ophoerer", "Bevaring ophører", at_once=True),
        Occasion("sletning-passeret", "Sidste dag er passeret", at_once=True),
        Occasion("sletning-pakke", "Pakke med slettede opgaver fjernes", at_once=True),
        Occasion("sletning-bevaring", "Ønske om bevaring", at_once=True),
        Occasion("sletning-afgoerelse", "Svar om bevaring", at_once=True),
        Occasion("rolle-ledig", "Rolle uden indehaver"),
        Occasion("rolle-bekraeft", "Roller skal bekræftes"),
        Occasion("rolle-svar", "Svar om en rolle"),
        Occasion("retur", "Mail kommet retur", at_once=True),
        Occasion("kontrol", "Den supplerende kontrol", at_once=True),
        Occasion("udvidelse-fejler", "Udvidelse fejler", at_once=True),
        Occasion("kanal-proeve", "Prøve til en kanal", at_once=True, fixed=True),
        Occasion("nyhedsbrev", "Nyhedsbrev", at_once=True, fixed=True),
        Occasion(QUIET, "Påmindelser udskudt", fixed=True),
        Occasion(access.SECRET_OCCASION, "Link til adgangskode", at_once=True, fixed=True),
    )
}


def occasion_label(registry: Registry, occasion: str) -> str:
    """The occasion in Danish words."""
    rule = registry.notification_rules.get(occasion)
    if rule is not None:
        return rule.label
    topic = registry.topics.get(occasion)
    if topic is not None:
        return topic.label
    known = OCCASIONS.get(occasion)
    return known.label if known else occasion.replace("-", " ").capitalize()


def channel_label(registry: Registry, address: str) -> str:
    """The address as people read it: a channel beside the mail by its name ("Teams-kanal for KP")."""
    if not address.startswith(CHANNEL_ADDRESS):
        return address
    key = address.removeprefix(CHANNEL_ADDRESS)
    return registry.channels[key].label if key in registry.channels else f"Kanalen {key}"
