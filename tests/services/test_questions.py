"""Asking once: who sees what, one answer for all, and two who answer at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import AuditEntry, MunicipalTask, Notice, Person, Question
from klik.services import access, questions
from klik.services.errors import ConflictError, ForbiddenError, NotFoundError, RefusedError
from klik.services.people import privacy
from klik.services.questions import reading
from klik.services.questions.reading import QuestionView
from klik.services.tasks import details, exporting, read_marks, unseen
from klik.services.work import Actor, Work
from tests import make
from tests.make import HERNING, KOEGE, NOW

TEXT = "Skal vi også udfylde arket for de kommunale selskaber?"
LATER = NOW + timedelta(days=1)


@dataclass
class Ground:
    house: Installation
    actors: dict[str, Actor]
    tasks: dict[int, int]

    def act(self, who: str, days: float = 0) -> WorkContext:
        return WorkContext(self, who, days)

    def seen(self, who: str, place: int = KOEGE, days: float = 2) -> tuple[QuestionView, ...]:
        with self.house.reading(NOW + timedelta(days=days)) as work:
            work = replace(work, actor=self.actors[who])
            return reading.of_task(work, access.municipal_task(work, self.tasks[place]))

    def notices(self, occasion: str) -> list[tuple[int | None, int | None, bool]]:
        with self.house.reading(NOW) as work:
            rows = work.session.execute(
                select(Notice.person_id, Notice.municipality_id, Notice.withdrawn_at)
                .where(Notice.occasion == occasion)
                .order_by(Notice.id)
            )
            return [(person, place, withdrawn is None) for person, place, withdrawn in rows]


class WorkContext:
    def __init__(self, ground: Ground, who: str, days: float) -> None:
        self.ground, self.who = ground, who
        self.writing = ground.house.writing(NOW + timedelta(days=days))

    def __enter__(self) -> Work:
        return replace(self.writing.__enter__(), actor=self.ground.actors[self.who])

    def __exit__(self, *fault: object) -> object:
        return self.writing.__exit__(*fault)  # type: ignore[arg-type]


@pytest.fixture
def ground(house: Installation) -> Iterator[Ground]:
    """A task in two municipalities, and everybody who might have a say."""
    with house.database.writing() as session:
        people = {
            "mette": make.person(session, "Mette Holm"),
            "jens": make.person(session, "Jens Bo", level=Level.USER),
            "læser": make.person(session, "Lis Lund", level=Level.READER),
            "anne": make.person(session, "Anne Lind", municipality=HERNING),
            "ida": make.person(session, "Ida Krog", level=Level.KOMBIT_EDITOR),
            "bo": make.person(session, "Bo Dahl", level=Level.KOMBIT_EDITOR),
            "chef": make.person(session, "Chefen", level=Level.KOMBIT_ADMINISTRATOR),
            "leverandør": make.person(session, "Leif", level=Level.SUPPLIER, systems=("kp",)),
        }
        version = make.task(session)
        tasks = {
            code: make.municipal_task(session, version, municipality=code).id for code in (KOEGE, HERNING)
        }
        actors = {name: make.actor(session, row) for name, row in people.items()}
    yield Ground(house, actors, tasks)


def _asked(ground: Ground, *, named: bool = False, who: str = "mette") -> int:
    with ground.act(who) as work:
        return questions.ask(work, ground.tasks[KOEGE], f"  {TEXT} ", named=named).id


def _answered(ground: Ground, question: int, text: str = "Nej, **kun** kommunen.", version: int = 1) -> None:
    with ground.act("ida", 1) as work:
        questions.answer(work, question, version, text)


def test_an_open_question_is_seen_at_home_and_by_kombit_alone(ground: Ground) -> None:
    question = _asked(ground)
    for who in ("mette", "jens", "læser", "ida", "chef"):
        assert [(each.id, each.asker) for each in ground.seen(who)] == [(question, "Mette Holm, Køge")]
    assert ground.seen("anne", HERNING) == ()
    assert ground.seen("leverandør") == ()
    assert [each.mine for each in (*ground.seen("mette"), *ground.seen("jens"))] == [True, False]


@pytest.mark.parametrize(("named", "asker"), [(True, "Køge"), (False, "En kommune")])
def test_an_answer_stands_on_every_copy_and_a_hidden_name_stays_hidden(
    ground: Ground, named: bool, asker: str
) -> None:
    _answered(ground, _asked(ground, named=named))
    there = ground.seen("anne", HERNING)
    assert [(each.asker, each.answer, each.own, each.mine) for each in there] == [
        (asker, "Nej, **kun** kommunen.", False, False)
    ]
    assert "Mette" not in repr(there) and ("Køge" in repr(there)) is named
    assert ground.seen("ida", HERNING)[0].asker == "Mette Holm, Køge"
    assert ground.seen("leverandør") == ()


def test_who_may_ask_and_where(ground: Ground) -> None:
    for who in ("læser", "ida", "leverandør"):
        with pytest.raises(ForbiddenError), ground.act(who) as work:
            questions.ask(work, ground.tasks[KOEGE], TEXT)
    with pytest.raises(NotFoundError), ground.act("anne") as work:
        questions.ask(work, ground.tasks[KOEGE], TEXT)
    with ground.act("mette") as work:
        local = make.municipal_task(work.session, local=True).id
        withdrawn = make.municipal_task(work.session)
        withdrawn.withdrawn_at = NOW
        work.session.flush()
        for task, refusal in ((local, NotFoundError), (withdrawn.id, ForbiddenError)):
            with pytest.raises(refusal):
                questions.ask(work, task, TEXT)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Spørgsmål skal udfyldes"),
        ("x" * 2_001, "Spørgsmål må højst fylde 2.000 tegn"),
        ("Hvad med 010190-1234?", "Spørgsmål ser ud til at indeholde et CPR-nummer"),
    ],
)
def test_what_cannot_be_asked(ground: Ground, text: str, sentence: str) -> None:
    with pytest.raises(RefusedError, match=sentence), ground.act("mette") as work:
        questions.ask(work, ground.tasks[KOEGE], text)
    assert ground.notices("spoergsmaal") == []


def test_what_cannot_be_answered(ground: Ground) -> None:
    question = _asked(ground)
    for text, sentence in (
        (" ", "Svar skal udfyldes"),
        ("Ring om 010190-1234", "Svar ser ud til at indeholde et CPR-nummer"),
        ("ord" * 1_000, "Svar: et ord fylder"),
    ):
        with pytest.raises(RefusedError, match=sentence), ground.act("ida") as work:
            questions.answer(work, question, 1, text)
    for who in ("mette", "chef"):
        answerer = pytest.raises(ForbiddenError) if who == "mette" else pytest.raises(NotFoundError)
        with answerer, ground.act(who) as work:
            questions.answer(work, question if who == "mette" else question + 99, 1, "Ja")


def test_the_notices_one_to_each_editor_and_one_to_the_asker(ground: Ground) -> None:
    question = _asked(ground)
    editors = [(ground.actors[who].person_id, None, True) for who in ("ida", "bo")]
    assert ground.notices("spoergsmaal") == editors
    _answered(ground, question)
    with ground.act("bo", 2) as work:
        questions.answer(work, question, 2, "Nej, men I må gerne.")
    assert ground.notices("besvaret") == [(ground.actors["mette"].person_id, KOEGE, True)]
    # What was not mailed yet is not mailed any more: the question no longer waits.
    assert [waiting for _person, _place, waiting in ground.notices("spoergsmaal")] == [False, False]


def test_an_answer_is_corrected_with_a_mark_and_saying_the_same_again_is_none(ground: Ground) -> None:
    question = _asked(ground)
    _answered(ground, question)
    _answered(ground, question, version=2)
    assert ground.seen("anne", HERNING)[0].edited_at is None
    with ground.act("bo", 2) as work:
        questions.answer(work, question, 2, "Jo.")
    seen = ground.seen("anne", HERNING)[0]
    assert (seen.answer, seen.answered_at, seen.edited_at) == ("Jo.", LATER, NOW + timedelta(days=2))


def test_the_second_of_two_answers_changes_nothing(ground: Ground) -> None:
    question = _asked(ground)
    _answered(ground, question)
    with pytest.raises(ConflictError) as refused, ground.act("bo", 1) as work:
        questions.answer(work, question, 1, "Ja")
    assert refused.value.version == 2 and refused.value.differences[0].theirs == "Nej, **kun** kommunen."
    with pytest.raises(ConflictError), ground.act("bo", 1) as work:
        questions.close(work, question, 1, "Uden for emnet")
    assert ground.seen("mette")[0].answer == "Nej, **kun** kommunen."


def test_two_who_answer_at_the_same_moment(ground: Ground) -> None:
    question = _asked(ground)
    outcomes: list[str] = []
    gate = threading.Barrier(2)

    def answer(who: str) -> None:
        gate.wait()
        try:
            with ground.act(who, 1) as work:
                questions.answer(work, question, 1, f"Svar fra {who}")
            outcomes.append("stored")
        except ConflictError:
            outcomes.append("conflict")

    threads = [threading.Thread(target=answer, args=(who,)) for who in ("ida", "bo")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes) == ["conflict", "stored"]
    assert len(ground.notices("besvaret")) == 1


def test_taking_back_and_closing(ground: Ground) -> None:
    first, second, third = (_asked(ground) for _ in range(3))
    with pytest.raises(NotFoundError), ground.act("jens") as work:
        questions.take_back(work, ground.tasks[KOEGE], first)
    with ground.act("mette") as work:
        questions.take_back(work, ground.tasks[KOEGE], first)
    with pytest.raises(RefusedError, match="Spørgsmålet er lukket"), ground.act("ida") as work:
        questions.answer(work, first, 2, "Ja")
    with ground.act("ida", 1) as work:
        questions.close(work, second, 1, "Det står i vejledningen, side 4.")
    _answered(ground, third)
    with pytest.raises(RefusedError, match="besvaret i mellemtiden"), ground.act("mette", 1) as work:
        questions.take_back(work, ground.tasks[KOEGE], third)
    assert {each.id: (each.open, each.close_reason) for each in ground.seen("mette")} == {
        first: (False, None),
        second: (False, "Det står i vejledningen, side 4."),
        third: (False, None),
    }
    assert [each.id for each in ground.seen("anne", HERNING)] == [third]
    assert len(ground.notices("besvaret")) == 2
    with ground.house.reading(NOW) as work:
        waiting = [reading.count(replace(work, actor=ground.actors["ida"]))]
        actions = work.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert waiting == [0]
    assert actions == ["spørg"] * 3 + ["tag-spørgsmål-tilbage", "luk-spørgsmål", "besvar"]


def test_an_answer_is_new_to_those_who_had_seen_the_task(ground: Ground) -> None:
    question = _asked(ground)
    with ground.act("anne", 0.5) as work:
        read_marks.mark_read(work, ground.tasks[HERNING])
        version = work.session.get_one(MunicipalTask, ground.tasks[HERNING]).version
    with ground.act("leverandør", 0.5) as work:
        read_marks.mark_read(work, ground.tasks[HERNING])
    _answered(ground, question)
    with ground.act("anne", 2) as work:
        task = access.municipal_task(work, ground.tasks[HERNING])
        assert read_marks.is_unread(work, task) and task.version == version
        assert unseen.load(work, details.load(work, task.id)).answers == {question}
        read_marks.mark_read(work, task.id)
        assert not read_marks.is_unread(work, task)
    with ground.act("leverandør", 2) as work:
        task = access.municipal_task(work, ground.tasks[HERNING])
        assert not read_marks.is_unread(work, task)
        assert unseen.load(work, details.load(work, task.id)).answers == frozenset()
    with ground.act("ida", 2) as work:
        read_marks.mark_read(work, ground.tasks[HERNING], NOW)
        task = access.municipal_task(work, ground.tasks[HERNING])
        assert not read_marks.is_unread(work, task), "one's own answer is not new"


def test_similar_questions_are_found_among_those_one_may_see(ground: Ground) -> None:
    _answered(ground, _asked(ground))
    seen = ground.seen("anne", HERNING)
    for text, found in (
        ("Skal arket udfyldes for kommunale selskaber?", 1),
        ("Gælder arket selskaberne, som er kommunale selskaber?", 1),
        ("Hvornår åbner systemet for brugerne?", 0),
        ("?", 0),
    ):
        assert len(reading.similar(seen, text)) == found, text


def test_kombits_list_waits_oldest_first_and_by_system(ground: Ground) -> None:
    first, second = _asked(ground), _asked(ground, who="jens")
    with ground.house.reading(NOW + timedelta(days=3)) as work:
        work = replace(work, actor=ground.actors["ida"])
        page = {"offset": 0, "limit": 10}
        lines = reading.asked(work, answered=False, system=None, **page)
        assert [(line.question.id, line.days) for line in lines] == [(first, 3), (second, 3)]
        assert reading.systems(work) == [("kp", lines[0].system)]
        assert reading.count(work, system="ky") == 0 and reading.count(work, system="kp") == 2
        assert reading.asked(work, answered=True, system=None, **page) == ()


def test_the_person_can_be_told_what_they_asked(ground: Ground) -> None:
    _asked(ground)
    with ground.act("mette") as work:
        row = work.session.scalars(select(Question)).one()
        told = privacy.insight(work, work.session.get_one(Person, row.asked_by))
    assert [each["text"] for each in told["spoergsmaal"]] == [TEXT]


@pytest.mark.parametrize("who", ["anne", "mette"])
def test_the_pdf_holds_what_the_page_shows(ground: Ground, who: str) -> None:
    _answered(ground, _asked(ground))
    _asked(ground)
    place = KOEGE if who == "mette" else HERNING
    with ground.act(who, 2) as work:
        export = exporting.collect(work, ground.house.files, ground.tasks[place], "https://klik.example")
    found = [(each.asker, each.state.split(" ")[0]) for each in export.document.questions]
    mine = [("Mette Holm, Køge", "Svar"), ("Mette Holm, Køge", "Venter")]
    assert found == (mine if who == "mette" else [("En kommune", "Svar")])
    assert "<strong>kun</strong>" in export.document.questions[0].html
    assert (b"Mette" in export.embedded) is (who == "mette")
