"""What klik knows of people: why, on what ground, for how long and who sees it; the page and the docs read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of personal data; ``tables`` are the tables it is kept in, as "table" or "table.column"."""

    what: str
    purpose: str
    ground: str
    kept: str
    seen_by: str
    tables: tuple[str, ...]


TASK = "Artikel 6, stk. 1, litra e: opgave i samfundets interesse (kommunens og KOMBITs drift af systemerne)"
SAFETY = "Artikel 6, stk. 1, litra e, jf. artikel 32 om sikkerhed"
DUTY = "Artikel 6, stk. 1, litra c: arkivloven og regler om dokumentation"
MONTH = "Til 30 dage efter den sidste adgang er lukket; så bliver personen anonymiseret"
WITH_TASK = "Så længe opgaven findes; navnet til 30 dage efter den sidste adgang er lukket"
OWN = "Egen kommune og KOMBIT; leverandører ikke"

KINDS: tuple[Kind, ...] = (
    Kind(
        "Navn, mailadresse og telefon",
        "At kommuner og KOMBIT kan finde og skrive til dem, der har en rolle eller en opgave",
        TASK,
        MONTH,
        OWN,
        ("people",),
    ),
    Kind(
        "Adgang: kommune, niveau, virksomhed og systemer",
        "At hver kun ser og kan det, som arbejdet kræver",
        TASK,
        MONTH,
        OWN,
        ("memberships", "membership_systems"),
    ),
    Kind(
        "Adgangskode (kun som aftryk), log ind, browser og links i mails",
        "At ingen andre kan bruge adgangen",
        SAFETY,
        "Log ind til det udløber; links til de er brugt eller udløbet; aftrykket til 30 dage efter den sidste adgang",
        "Ingen; administratorer ser kun, hvornår nogen sidst var logget ind",
        ("login_sessions", "secret_tokens"),
    ),
    Kind(
        "Roller: hvem, hvornår, note og bekræftelse",
        "At det kan ses, hvem der har og havde en rolle",
        TASK,
        "Perioden bevares; navn og note til 30 dage efter den sidste adgang er lukket",
        f"{OWN}. Andre kommuner kun den primæres navn, hvor rollen siger det",
        ("role_holdings", "role_answers", "role_readings"),
    ),
    Kind(
        "Fratrædelse: sidste dag, hvem der overtager, og bemærkning",
        "At opgaver og roller går videre",
        TASK,
        "Dagen og arvingerne bevares; navn og bemærkning til 30 dage efter",
        "Egen kommunes administratorer",
        ("departures", "departure_heirs"),
    ),
    Kind(
        "Ansvarlig og udfører på opgaver, tjeklister, ændringer og afvigelser",
        "At opgaver bliver løst, og at det kan ses, hvem der gjorde hvad",
        TASK,
        WITH_TASK,
        OWN,
        (
            "municipal_tasks",
            "earlier_states",
            "task_changes",
            "checklist_items",
            "deviations",
            "bulk_changes",
            "read_marks",
            "last_meetings",
        ),
    ),
    Kind(
        "Kommentarer, spørgsmål, svar og filer, man selv har skrevet eller vedhæftet",
        "Samarbejde om opgaven",
        TASK,
        WITH_TASK,
        f"{OWN}; private kommentarer og filer kun egen kommune",
        ("comments", "questions", "municipal_task_files"),
    ),
    Kind(
        "Gemte filtre, kalendere, listens opsætning, valg af varsler og emner, man har tilmeldt sig",
        "At klik er indrettet, som hver ønsker det",
        TASK,
        MONTH,
        "Kun en selv; delte filtre dem, de er delt med",
        (
            "saved_filters",
            "filter_uses",
            "calendar_feeds",
            "list_settings",
            "notice_settings",
            "topic_subscriptions",
        ),
    ),
    Kind(
        "Varsler, mails og svar, der kommer retur",
        "At varsle om opgaver og roller og vide, om det nåede frem",
        TASK,
        "Adressen til 30 dage efter den sidste adgang er lukket; mailens indhold slettes samtidig",
        "Modtageren; at en adresse kommer retur, ser administratorer og KOMBIT",
        ("notices", "mails", "bounces", "bounced_addresses"),
    ),
    Kind(
        "Nyhedsbreve: modtager, tilmelding og afmelding",
        "At sende nyhedsbreve og kun til dem, der vil have dem",
        TASK,
        "Til 30 dage efter den sidste adgang er lukket, eller til afmelding og sletning",
        "KOMBIT",
        ("newsletter_recipients", "newsletter_addresses", "newsletters"),
    ),
    Kind(
        "KOMBITs arbejde: hvem der skrev, udgav, rettede, vedhæftede, åbnede runder og varslede sletning",
        "Dokumentation af, hvad kommunerne har fået",
        TASK,
        "Så længe opgaven findes; navnet til 30 dage efter den sidste adgang er lukket",
        "KOMBIT",
        (
            "tasks",
            "task_versions",
            "task_steps",
            "task_files",
            "rounds",
            "channel_routes",
            "deletions",
        ),
    ),
    Kind(
        "Eksporter og sletning: hvem der hentede og kvitterede",
        "Dokumentation efter arkivreglerne",
        DUTY,
        "Et år for eksporter; kvitteringer så længe sletningen står",
        "Egen kommune og KOMBIT",
        ("exports", "deletion_items"),
    ),
    Kind(
        "Opslag af personer: hvem der så eller hentede hvem",
        "At misbrug af adressebogen kan ses",
        SAFETY,
        "Et år",
        "Egen kommunes administratorer; KOMBITs administratorer for KOMBITs personer",
        ("gallery_lookups",),
    ),
    Kind(
        "Hændelseslog: id på den, der gjorde noget, aldrig navne eller tekster",
        "At fejl og misbrug kan ses bagefter",
        SAFETY,
        "Så længe klik står; id'et peger efter anonymisering på ingen",
        "KOMBITs administratorer og driften",
        ("audit_entries", "request_keys"),
    ),
)

# Columns that look like a person's and are none, by "table.column": why insight and this list leave them out.
EXCUSED: Mapping[str, str] = MappingProxyType(
    {
        "people.email": "personen selv",
        "people.email_key": "personen selv",
        "people.phone": "personen selv",
        "calendar_feeds.membership_id": "rækken findes ved person_id",
        "filter_uses.membership_id": "rækken findes ved person_id",
        "login_sessions.membership_id": "rækken findes ved person_id",
        "municipalities.mailbox": "en kommunes postkasse, ikke en persons",
    }
)


def tables() -> frozenset[str]:
    """Every table named."""
    return frozenset(table for kind in KINDS for table in kind.tables)
