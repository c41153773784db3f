"""A realistic task and list for the PDF tests and the benchmark."""

import hashlib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from klik.services.documents import (
    AttachmentLine,
    CommentLine,
    HistoryLine,
    ListDocument,
    TaskDocument,
    TextPart,
)

EXPORTED_AT = datetime(2026, 11, 26, 8, 14, tzinfo=UTC)
BESKRIVELSE = """<p>Kommunen skal beskrive de jobfunktionsroller, som medarbejdere og ledere på
pensionsområdet har brug for. En jobfunktionsrolle samler en eller flere
<strong>brugersystemroller</strong> i KP.</p>
<ol><li>Kortlæg medarbejdernes arbejdsopgaver i samarbejde med fagområdet.</li>
<li>Sammenhold opgaverne med rollerne i
<a href="https://digitaliseringskataloget.dk/loesninger/kp">Kataloget</a>.</li>
<li>Udfyld skabelonen med én linje pr. jobfunktionsrolle.</li></ol>
<h1>Sådan afgrænses data</h1>
<ul><li>KLE-numre, fx 32.03.04 Folkepension</li><li>organisatorisk enhed</li></ul>
<table><thead><tr><th>Jobfunktionsrolle</th><th>KLE</th></tr></thead>
<tbody><tr><td>Sagsbehandler, helbredstillæg</td><td>32.03.10</td></tr></tbody></table>"""
COMMENTS = (
    "Jeg har talt med fagområdet. De ønsker en rolle til elever, der kun må læse.",
    "Skabelonen er udfyldt for helbredstillæg.\n\nVi mangler personlige tillæg.\nBilag følger.",
    "Husk, at vikarer skal have en tidsbegrænset rolle.",
)
PEOPLE = ("Mette Østergaard Holm", "Åge Sørensen", "Ib Kjær")
TASK = TaskDocument(
    number="MI 15",
    title="Udarbejd jobfunktionsroller for KP",
    project="KP",
    system="Kommunernes Pensionssystem",
    municipality="Køge",
    municipality_code="259",
    phase="Forberedelse",
    theme="It-miljø og -infrastruktur",
    priority="Høj",
    infrastructure=True,
    start=date(2026, 9, 1),
    deadline=date(2026, 12, 4),
    yellow_from=date(2026, 11, 20),
    colour_word="Gul",
    colour_explanation="Opgaven er gul fra 20. november 2026, fordi der er 14 dage til deadline.",
    status="I gang",
    not_relevant_reason="",
    completed_on=None,
    responsible="Mette Østergaard Holm (projektleder)",
    executor="Åge Sørensen (brugeradministrator)",
    local=False,
    task_url="https://klik.example.dk/opgaver/259/mi-15",
    exported_on=EXPORTED_AT.date(),
    exported_by="Mette Østergaard Holm",
    identifier="K7QF-2M9X-4TRD",
    texts=(
        TextPart("Formål", "<p>Rollerne skal være på plads, før brugerne kan logge på KP.</p>"),
        TextPart("Beskrivelse", BESKRIVELSE),
        TextPart("Resultat", '<p>Spørgsmål til <a href="mailto:kp@example.dk">kp@example.dk</a>.</p>'),
    ),
    extra_fields=(("Brugersystem", "KP Basis"), ("Går i drift", "Bølge 2, 1. februar 2027")),
    panels=(TextPart("Afhængigheder i KP", "<p>Løses før <strong>MI 18</strong>.</p>"),),
    attachments=tuple(
        AttachmentLine(name, size, hashlib.sha256(name.encode()).hexdigest())
        for name, size in (
            ("Bilag - (MI 15) KLE-numre.xlsx", 18_432),
            ("Brugersystemroller i KP.pdf", 2_312_000),
        )
    ),
    history=(
        HistoryLine(datetime(2026, 9, 1, 6, 0, tzinfo=UTC), "KOMBIT", "Opgaven blev udgivet."),
        HistoryLine(
            datetime(2026, 9, 14, 9, 30, tzinfo=UTC), PEOPLE[0], "Udfører blev sat til Åge Sørensen."
        ),
        HistoryLine(datetime(2026, 11, 2, 12, 5, tzinfo=UTC), PEOPLE[1], "Status blev ændret til I gang."),
    ),
)


def a_task(number_of_comments: int = 3, **changes: Any) -> TaskDocument:
    """The task with so many comments and with the fields given replaced."""
    comments = tuple(
        CommentLine(
            datetime(2026, 10, 1, 8, 12, tzinfo=UTC) + timedelta(hours=31 * place),
            PEOPLE[place % 3],
            COMMENTS[place % 3],
            private=place % 3 == 1,
        )
        for place in range(number_of_comments)
    )
    return replace(TASK, **{"comments": comments, **changes})


def a_list(number_of_rows: int = 200) -> ListDocument:
    """A list of tasks in eight columns."""
    titles = (
        "Udarbejd jobfunktionsroller for KP",
        "Match LOS-enheder med fælleskommunalt organisationssystem",
    )
    rows = tuple(
        (
            f"MI {place:03}",
            titles[place % 2],
            "Forberedelse",
            "It-miljø og -infrastruktur",
            ("Ikke påbegyndt", "I gang")[place % 2],
            date(2026, 11, 1) + timedelta(days=place),
            ("Rød", "Gul", "Grøn", "Fuldført", "")[place % 5],
            PEOPLE[place % 3],
        )
        for place in range(number_of_rows)
    )
    return ListDocument(
        title="Røde og gule opgaver i KP",
        criteria=("Projekt: KP", "Deadline: rød eller gul"),
        columns=("Opgave", "Titel", "Fase", "Tema", "Status", "Deadline", "Farve", "Ansvarlig"),
        rows=rows,
        exported_at=EXPORTED_AT,
        exported_by=PEOPLE[0],
        identifier="K7QF-2M9X-4TRE",
        municipality="Køge",
    )
