"""Three questions to KOMBIT on one task: answered with and without the asker's name, and one that waits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from klik.demo.people import KOEGE, Staff
from klik.domain.rights import Level
from klik.domain.status import OPEN_STATUSES
from klik.models import MunicipalTask
from klik.services import questions
from klik.services.work import Actor, Work

HERNING, AARHUS = 657, 751
ANSWERED = (
    (
        HERNING,
        True,
        9,
        "Skal de selvejende institutioner også med, når de bruger vores løsning?",
        (
            "Ja. Det afgørende er, om medarbejderne **logger ind med kommunens brugere**.\n\n"
            "- Gør de det, tæller de med.\n- Har de deres egen løsning, skal I ikke gøre noget for dem."
        ),
    ),
    (
        AARHUS,
        False,
        5,
        "Kan vi vente med opgaven, til vores nye løsning til brugerstyring er på plads i januar?",
        (
            "Nej, fristen ligger fast, fordi leverandøren prøver alle kommuner af på samme tid. I kan løse opgaven i "
            "jeres nuværende løsning og flytte opsætningen senere. Skriv til projektet, hvis det giver problemer."
        ),
    ),
)
WAITING = "Hvem skal godkende, når opgaven er løst: vores it-afdeling eller systemejeren?"


def fill(
    work: Work,
    staff: Mapping[int, Staff],
    editor: Actor,
    member: Callable[[Work, Staff, str, Level], Actor],
) -> None:
    """What the programme leader of Køge finds on the task that is most urgent this morning."""
    task = work.session.scalars(
        select(MunicipalTask)
        .where(
            MunicipalTask.municipality_id == KOEGE,
            MunicipalTask.task_id.is_not(None),
            MunicipalTask.status.in_(sorted(OPEN_STATUSES)),
            MunicipalTask.deadline >= work.today,
        )
        .order_by(MunicipalTask.deadline, MunicipalTask.id)
        .limit(1)
    ).one()
    copies = dict(
        work.session.execute(
            select(MunicipalTask.municipality_id, MunicipalTask.id).where(
                MunicipalTask.task_id == task.task_id
            )
        ).all()
    )

    def ask(code: int, days: int, text: str, *, named: bool) -> int:
        actor = member(work, staff[code], "programleder", Level.PLUS_USER)
        asking = replace(work, now=work.now - timedelta(days=days), actor=actor)
        return questions.ask(asking, copies[code], text, named=named).id

    for code, named, days, text, answer in ANSWERED:
        asked = ask(code, days, text, named=named)
        answering = replace(work, now=work.now - timedelta(days=days - 3), actor=editor)
        questions.answer(answering, asked, 1, answer)
    ask(KOEGE, 2, WAITING, named=False)
