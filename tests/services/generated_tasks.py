"""Tasks of every kind from a seed, with everything that can hang on one; what was put in is told beside."""

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

from sqlalchemy.orm import Session

from klik.domain.status import Status
from klik.installation import Installation
from klik.models import (
    ChecklistItem,
    Deletion,
    DeletionItem,
    Deviation,
    MunicipalTaskField,
    MunicipalTaskFile,
    Person,
    Question,
    StoredFile,
    Task,
    TaskChange,
    TaskFile,
    TaskVersion,
)
from klik.services.work import Actor
from tests import make
from tests.make import NOW, TODAY

MOST_COMMENTS, LONGEST_TABLE = 30, 200
ALPHABETS = {
    "dansk": "abdefghijklmnoprstuvyæøåÆØÅéü",
    "græsk": "αβγδεζηθικλμνξοπρστυφχψω",
    "kyrillisk": "абвгдежзиклмнопрстуфхцчшщ",
    "hebraisk": "אבגדהוזחטיכלמנסעפצקרשת",
    "arabisk": "بتثجحخسشصضطعغفقكلمنهي",
    "kinesisk": "日本語中文字学校漢市町村区東西南北",
    "emoji": "🚀🎉👩👧🔥🍀🐦😀🏛📎🗂✅",
}
KINDS = (*["dansk"] * 12, *ALPHABETS)


@dataclass
class Generated:
    """A task, the words that were put into it by where they stand, and its files' hashes."""

    task_id: int = 0
    words: dict[str, list[str]] = field(default_factory=dict)
    hashes: list[str] = field(default_factory=list)


class Generator:
    """Fills a house with tasks of Køge's; the same seed gives the same tasks."""

    def __init__(self, house: Installation, seed: int) -> None:
        self._house = house
        self._random = random.Random(seed)
        with house.writing(NOW) as work:
            self._me = make.person(work.session, "Mette Østergård Ærø")
            self._kombit = make.person(
                work.session, "Øjvind Kombitsen", level=make.Level.KOMBIT_ADMINISTRATOR, municipality=None
            )
            self.actor: Actor = make.actor(work.session, self._me)
            self._project = make.project(work.session).id
            work.session.expunge_all()

    def word(self) -> str:
        """One that occurs nowhere else."""
        letters = ALPHABETS[self._random.choice(KINDS)]
        length = self._random.choice((4, 7, 12, 12, 20, 60) if letters == ALPHABETS["dansk"] else (3, 5, 8))
        return "".join(self._random.choices(letters, k=length))

    def task(self) -> Generated:
        """Another task, stored."""
        with self._house.writing(NOW) as work:
            return self._fill(work.session)

    def _fill(self, session: Session) -> Generated:
        made = Generated()
        chance = self._random.random

        def words(place: str, count: int, join: str = " ") -> str:
            found = [self.word() for _ in range(count)]
            made.words.setdefault(place, []).extend(found)
            return join.join(found)

        project = session.get(make.Project, self._project)
        assert project is not None
        local = chance() < 0.2
        deadline = TODAY + timedelta(days=self._random.randint(-40, 90)) if chance() < 0.9 else None
        title = words("titel", 4)[:190]
        made.words["titel"] = title.split()
        version = None if local else self._published(session, made, project, title, words)
        row = make.municipal_task(
            session,
            version,
            title=title,
            in_project=project,
            local=local,
            deadline=deadline,
            start=date(2026, 9, 1) if chance() < 0.5 else None,
            status=self._random.choice(list(Status)),
            responsible=session.get_one(Person, self._me.id) if chance() < 0.5 else None,
        )
        made.task_id = row.id
        if local:
            row.local_text = self._markdown("beskrivelse", words)
        if row.status == Status.NOT_RELEVANT.value:
            row.not_relevant_reason = words("begrundelse", 6)
        if version is not None and chance() < 0.1:
            row.withdrawn_at = NOW
            session.get_one(Task, version.task_id).withdrawal_reason = words("trukket tilbage", 5)
        session.flush()
        own = {"municipality_id": make.KOEGE, "municipal_task_id": row.id}
        for _ in range(self._random.choice((0, 1, 3, MOST_COMMENTS))):
            text = words("kommentar", self._random.randint(1, 40)) + " <b>&amp;</b> **x**"
            make.comment(session, row, session.get_one(Person, self._me.id), text, private=chance() < 0.3)
        for position in range(self._random.choice((0, 0, 3, 12))):
            text = words("tjekliste", 5)[:290]
            session.add(
                ChecklistItem(
                    **own, position=position, text=text, version=1, done_at=NOW if chance() < 0.5 else None
                )
            )
            made.words["tjekliste"] = [*made.words["tjekliste"][:-5], *text.split()]
        for field_key in range(self._random.choice((0, 2))):
            session.add(MunicipalTaskField(**own, field=f"felt.nr-{field_key}", value=words("felt", 3)))
        for _ in range(self._random.choice((0, 2, 9))):
            session.add(
                TaskChange(
                    **own,
                    at=NOW,
                    person_id=self._me.id,
                    field="responsible",
                    old=words("historik", 2)[:110],
                    new=words("historik", 2)[:110],
                )
            )
            made.words["historik"] = [word for word in made.words["historik"] if len(word) < 50]
        for _ in range(self._random.choice((0, 1, 4))):
            name, sha256, _size = self._file(session, made, words)
            session.add(
                MunicipalTaskFile(**own, sha256=sha256, name=name, added_by=self._me.id, added_at=NOW)
            )
        if version is not None:
            self._more_of_kombit(session, made, version, own, words)
        if chance() < 0.3:
            self._deletion(session, made, own, words)
        session.flush()
        return made

    def _published(
        self, session: Session, made: Generated, project: object, title: str, words: Callable[..., str]
    ) -> TaskVersion:
        version = make.task(session, title, in_project=project, number=f"G {self._random.randint(1, 10**8)}")  # type: ignore[arg-type]
        for part in ("purpose", "description", "prerequisites", "how_to", "result", "material", "contact"):
            if self._random.random() < 0.6:
                setattr(version, part, self._markdown(part, words))
        if self._random.random() < 0.3:
            second = make.TaskVersion(
                **{
                    column.name: getattr(version, column.name)
                    for column in TaskVersion.__table__.columns
                    if column.name not in ("id", "number", "contact", "change_note")
                },
                number=2,
                contact=words("rettelse", 6),
                change_note=words("rettelsens note", 5),
            )
            session.add(second)
            session.get_one(Task, version.task_id).current_number = 2
            session.flush()
            return second
        return version

    def _markdown(self, place: str, words: Callable[..., str]) -> str:
        parts = [words(place, self._random.randint(1, 80))]
        if self._random.random() < 0.5:
            parts.append("## " + words(place, 3))
            parts.append("\n".join(f"- {words(place, 4)}" for _ in range(self._random.randint(1, 9))))
        if self._random.random() < 0.3:
            parts.append(f"[{words(place, 2)}](https://eksempel.dk/{self._random.randint(1, 10**9)})")
        if self._random.random() < 0.25:
            rows = self._random.choice((3, 20, LONGEST_TABLE))
            lines = (words(place, 2, " | ") for _ in range(rows))
            parts.append("| a | b |\n| - | - |\n" + "\n".join(f"| {line} |" for line in lines))
        return "\n\n".join(parts)[:19_000] if sum(map(len, parts)) < 19_000 else parts[0]

    def _file(self, session: Session, made: Generated, words: Callable[..., str]) -> tuple[str, str, int]:
        content = self._random.randbytes(self._random.randint(1, 2_000))
        sha256 = self._house.files.put(content)
        assert sha256 == hashlib.sha256(content).hexdigest()
        session.add(StoredFile(sha256=sha256, size=len(content), media_type="text/plain", created_at=NOW))
        session.flush()
        made.hashes.append(sha256)
        return words("fil", 2) + ".txt", sha256, len(content)

    def _more_of_kombit(
        self,
        session: Session,
        made: Generated,
        version: TaskVersion,
        own: dict[str, int],
        words: Callable[..., str],
    ) -> None:
        for _ in range(self._random.choice((0, 0, 2))):
            name, sha256, _size = self._file(session, made, words)
            session.add(TaskFile(task_id=version.task_id, sha256=sha256, name=name, added_at=NOW))
        for _ in range(self._random.choice((0, 0, 3))):
            answered = self._random.random() < 0.6
            session.add(
                Question(
                    **own,
                    task_id=version.task_id,
                    asked_by=self._me.id,
                    asked_at=NOW,
                    text=words("spørgsmål", 8),
                    answer=words("svar", 8) if answered else None,
                    answered_at=NOW if answered else None,
                    answered_by=self._kombit.id if answered else None,
                )
            )
        if self._random.random() < 0.2:
            session.add(
                Deviation(
                    **own,
                    field="deadline",
                    task_version_id=version.id,
                    central_old="2026-12-01",
                    central_new="2026-12-15",
                    at=NOW,
                )
            )

    def _deletion(
        self, session: Session, made: Generated, own: dict[str, int], words: Callable[..., str]
    ) -> None:
        deletion = Deletion(
            state="varslet",
            last_day=TODAY + timedelta(days=40),
            heading=words("sletning", 3),
            legal_basis=words("kassationshjemmel", 3),
            decided_by=words("besluttet af", 2),
            decided_on=TODAY,
            announced_at=NOW,
        )
        session.add(deletion)
        session.flush()
        session.add(
            DeletionItem(
                **own,
                deletion_id=deletion.id,
                state="varslet",
                hold_reason=words("behold", 4),
                case_number=words("sagsnummer", 1)[:50],
            )
        )
        made.words["sagsnummer"] = [word[:50] for word in made.words["sagsnummer"]]
