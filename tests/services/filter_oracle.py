"""The filter language a second time, in plain Python over all rows: what the conditions in SQL must agree with."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from klik.content.loading import Content
from klik.domain.rights import Level
from klik.domain.status import Status
from klik.models import MunicipalTask, MunicipalTaskField, Person, ReadMark, Round, TaskChange
from tests import make

TITLES = (
    "Udpeg projektleder",
    "Opret brugere i Århus og Aabenraa",
    "TEST snitflade 100 % færdig",
    "Gennemgå breve_og_skabeloner",
    "Ændr økonomiplan",
    "Bestil certifikat",
)
DESCRIPTIONS = ("Kør prøvekørsel.", "Spørg leverandøren.", "Se bilag 50%_a.")
CODES = (make.KOEGE, make.HERNING, make.AARHUS)
DAYS = (None, -400, -30, -2, -1, 0, 1, 2, 13, 14, 15, 40, 300)


@dataclass(frozen=True)
class Known:
    """A row as the test made it; nothing here was read back from the database."""

    id: int
    municipality: int
    project: str
    system: str | None
    wave: str | None
    phase: str
    theme: str
    priority: str
    status: str
    start: date | None
    deadline: date | None
    yellow_from: date | None
    completed: date | None
    responsible: int | None
    responsible_role: str | None
    executor: int | None
    executor_role: str | None
    infrastructure: bool
    local: bool
    withdrawn: bool
    erased: bool
    number: str
    text: str
    changed: datetime
    seen: datetime | None
    blocks: str | None
    round: int


NEWEST_OF_KY = 2
REGIONS = {
    make.KOEGE: "Region Sjælland",
    make.HERNING: "Region Midtjylland",
    make.AARHUS: "Region Midtjylland",
    make.LAESOE: "Region Nordjylland",
}


@dataclass(frozen=True)
class World:
    """Every row, and those who look at them."""

    rows: tuple[Known, ...]
    me: Person
    colleagues: tuple[Person, ...]
    kombit: Person
    supplier: Person


def make_world(session: Session, content: Content, count: int, seed: int = 20_261_121) -> World:
    """Three municipalities, three projects, and every odd value a column can hold."""
    chance = random.Random(seed)
    me = make.person(session, "Mette Holm")
    colleagues = tuple(make.person(session, name) for name in ("Åse Ærø", "Bo Dahl"))
    kombit = make.person(session, "Karen Krag", level=Level.KOMBIT_EDITOR)
    for code in ("kp", "ky"):
        make.system(session, code)
    supplier = make.person(session, "Lars Lund", level=Level.SUPPLIER, systems=("kp",))
    projects = [
        make.project(session, "kp"),
        make.project(session, "ky", system_code="ky"),
        make.project(session, "monopolbrud", system_code=None),
    ]
    projects[1].round = NEWEST_OF_KY
    session.add(Round(project_id=projects[1].id, number=NEWEST_OF_KY, name="Release 2", opened_at=make.NOW))
    waves = {
        (code, "ky"): make_wave
        for code, make_wave in zip(
            CODES, (make.wave(session, "b1"), make.wave(session, "b2"), None), strict=True
        )
    }
    for (code, system), wave in waves.items():
        make.has_system(session, code, system, wave=wave)
    rows = []
    for _number in range(count):
        home = chance.choice(projects)
        local = chance.random() < 0.15
        title, description = chance.choice(TITLES), chance.choice(DESCRIPTIONS)
        version = None
        if not local:
            version = make.task(
                session,
                title,
                in_project=home,
                phase=chance.choice([phase.slug for phase in content.phases]),
                theme=chance.choice([theme.slug for theme in content.themes]),
                priority=chance.choice(["hoej", "normal", "lav"]),
                infrastructure=chance.random() < 0.3,
                description=description,
            )
        for code in CODES if not local else (chance.choice(CODES),):
            wave = waves.get((code, home.system_code or ""))
            rows.append(_one(session, chance, code, home, version, title, description, me, colleagues, wave))
    session.flush()
    return World(tuple(rows), me, colleagues, kombit, supplier)


def _one(session, chance, code, home, version, title, description, me, colleagues, wave) -> Known:  # type: ignore[no-untyped-def]
    def day(choices: Iterable[int | None] = DAYS) -> date | None:
        distance = chance.choice(tuple(choices))
        return None if distance is None else make.TODAY + timedelta(days=distance)

    status = chance.choice(list(Status))
    people = (None, me, *colleagues) if code == make.KOEGE else (None,)
    task: MunicipalTask = make.municipal_task(
        session,
        version,
        municipality=code,
        title=title,
        deadline=day(),
        start=day(),
        status=status,
        responsible=chance.choice(people),
        executor=chance.choice(people),
        local=version is None,
        in_project=home,
    )
    task.responsible_role = chance.choice([None, "projektleder", "systemansvarlig"])
    task.executor_role = chance.choice([None, "superbruger"])
    task.round = chance.choice([1, home.round])
    task.changed_at = make.NOW + timedelta(hours=chance.choice([-48, 0, 1]))
    if status is Status.COMPLETED:
        task.completed_on = day((None, -60, -2, 0))
    if version is not None and chance.random() < 0.1:
        task.withdrawn_at = make.NOW
    # Somebody else did what changed the task.
    session.add(
        TaskChange(
            municipality_id=code,
            municipal_task_id=task.id,
            at=task.changed_at,
            person_id=None,
            field="status",
        )
    )
    seen = None
    if chance.random() < 0.5:
        seen = task.changed_at + timedelta(hours=chance.choice([-1, 0, 0, 2]))
        session.add(ReadMark(person_id=me.id, municipal_task_id=task.id, municipality_id=code, seen_at=seen))
    blocks = chance.choice([None, "udbetaling", "andet"])
    if blocks:
        session.add(
            MunicipalTaskField(
                municipal_task_id=task.id, municipality_id=code, field="prov.blokerer", value=blocks
            )
        )
    session.flush()
    return Known(
        id=task.id,
        municipality=code,
        project=home.slug,
        system=home.system_code,
        wave=wave.slug if wave is not None else None,
        phase=task.phase,
        theme=task.theme,
        priority=task.priority,
        status=task.status,
        start=task.start_date,
        deadline=task.deadline,
        yellow_from=task.yellow_from,
        completed=task.completed_on,
        responsible=task.responsible_id,
        responsible_role=task.responsible_role,
        executor=task.executor_id,
        executor_role=task.executor_role,
        infrastructure=task.infrastructure,
        local=version is None,
        withdrawn=task.withdrawn_at is not None,
        erased=False,
        number=task.task_number or "",
        text=f"{task.task_number or ''} {title} {description if version is not None else ''}",
        changed=task.changed_at,
        seen=seen,
        blocks=blocks,
        round=task.round,
    )


def all_values(content: Content, world: World) -> dict[str, list[str]]:
    """Every key of the language with values that mean something."""
    people = ["mig", "ingen", *(str(person.id) for person in world.colleagues)]
    return {
        "projekt": ["kp", "ky", "monopolbrud"],
        "system": ["kp", "ky"],
        "kommune": [str(code) for code in CODES],
        "bolge": ["b1", "b2"],
        "region": ["Region Sjælland", "Region Midtjylland"],
        "runde": ["1", "2", "nyeste"],
        "fase": [phase.slug for phase in content.phases],
        "tema": [theme.slug for theme in content.themes],
        "deadline": ["roed", "gul", "groen", "ingen", "idag", "idag..idag+14", "..2026-11-20"],
        "prioritet": ["hoej", "normal", "lav"],
        "status": [status.value for status in Status],
        "startdato": ["2026-11-21", "2026-10-01..2026-11-30", "..idag", "idag+1.."],
        "slutdato": ["idag-7..idag", "..2026-10-31", "2026-11-21"],
        "ansvarlig": [*people, "rolle:projektleder", "rolle:systemansvarlig"],
        "udfoerer": [*people, "rolle:superbruger"],
        "infrastruktur": ["ja", "nej"],
        "fuldfoerte": ["ja", "nej"],
        "nummer": ["MI", "GV", world.rows[0].number, world.rows[-1].number.replace(" ", "").lower() or "MI"],
        "q": ["aarhus", "ÅRHUS", "Aabenraa åbenraa", "100 %", "50%", "breve_og", "prøvekørsel", "mi test"],
        "aendret": ["ja", "nej"],
        "prov.blokerer": ["udbetaling", "andet"],
    }


def random_filters(chance: random.Random, content: Content, world: World) -> dict[str, list[str]]:
    """A few keys with one to three values each."""
    values = all_values(content, world)
    keys = chance.sample(sorted(values), chance.choice([0, 1, 1, 2, 2, 3, 4]))
    return {
        key: chance.sample(values[key], min(len(values[key]), chance.choice([1, 1, 2, 3]))) for key in keys
    }


def expected(world: World, asked: dict[str, list[str]], level: Level, person: Person) -> set[int]:
    """The ids the list must hold."""
    return {
        row.id
        for row in world.rows
        if _seen_by(row, level)
        and _is_shown(row, asked)
        and all(
            any(_matches(row, key, value, level, person) for value in values)
            for key, values in asked.items()
            if key != "fuldfoerte"
        )
    }


def _seen_by(row: Known, level: Level) -> bool:
    if level.scope == "municipality":
        return row.municipality == make.KOEGE
    if level is Level.SUPPLIER:
        return not row.local and row.system == "kp"
    return not row.local


def _is_shown(row: Known, asked: dict[str, list[str]]) -> bool:
    if "ja" in asked.get("fuldfoerte", []):
        return True
    if row.withdrawn:
        return False
    return "status" in asked or row.status in ("ikke-paabegyndt", "i-gang")


def _colour(row: Known) -> str | None:
    if row.withdrawn:
        return None
    if row.deadline is None or row.status not in ("ikke-paabegyndt", "i-gang"):
        return None
    if row.deadline < make.TODAY:
        return "roed"
    assert row.yellow_from is not None
    return "gul" if row.yellow_from <= make.TODAY else "groen"


def _plain(text: str) -> str:
    return text.lower().replace("å", "aa")


def _matches(row: Known, key: str, value: str, level: Level, person: Person) -> bool:
    if key in ("startdato", "slutdato") or (key == "deadline" and value[0] in ".i2" and value != "ingen"):
        return _within(
            {"startdato": row.start, "slutdato": row.completed, "deadline": row.deadline}[key], value
        )
    if key == "deadline":
        return row.deadline is None if value == "ingen" else _colour(row) == value
    if key in ("ansvarlig", "udfoerer"):
        holder, role = (
            (row.responsible, row.responsible_role)
            if key == "ansvarlig"
            else (row.executor, row.executor_role)
        )
        if value == "ingen":
            return holder is None
        if value.startswith("rolle:"):
            return role == value[6:]
        return holder == (person.id if value == "mig" else int(value))
    if key == "q":
        return all(word in _plain(row.text) for word in _plain(value).split())
    if key == "nummer":
        return (
            row.number.startswith(value)
            if value.isalpha()
            else row.number.replace(" ", "").lower() == (value.replace(" ", "").lower())
        )
    if key == "infrastruktur":
        return row.infrastructure == (value == "ja")
    if key == "aendret":
        seen = row.seen if level is Level.PLUS_USER else None
        return (seen is None or seen < row.changed) == (value == "ja")
    if key == "runde":
        newest = NEWEST_OF_KY if row.project == "ky" else 1
        return row.round == (newest if value == "nyeste" else int(value))
    columns = {
        "region": REGIONS[row.municipality],
        "projekt": row.project,
        "system": row.system,
        "kommune": str(row.municipality),
        "bolge": row.wave,
        "fase": row.phase,
        "tema": row.theme,
        "prioritet": row.priority,
        "status": row.status,
        "prov.blokerer": row.blocks,
    }
    return columns[key] == value


def _within(day: date | None, value: str) -> bool:
    first, dots, last = value.partition("..")
    if day is None:
        return False
    low = _day(first) or date.min
    high = (_day(last) or date.max) if dots else low
    return low <= day <= high


def _day(text: str) -> date | None:
    if not text:
        return None
    if text.startswith("idag"):
        return make.TODAY + timedelta(days=int(text[4:] or 0))
    return date.fromisoformat(text)
