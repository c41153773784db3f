"""Silence, letters to role holders, forecasts, and the comparison that must never give anybody away."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from klik.domain.rights import Level
from klik.domain.status import Status
from klik.installation import Installation
from klik.models import AuditEntry, Municipality, Notice, Person, TaskChange
from klik.services.criteria import Criteria
from klik.services.errors import ForbiddenError, RefusedError
from klik.services.follow_up import comparison, heat_map, silence, tempo, wanted, writing
from klik.services.follow_up.comparison import Quartiles, quartiles
from klik.services.work import Work
from tests import make

KEY = "11111111-2222-3333-4444-555555555555"


def _as(work: Work, person: Person) -> Work:
    return replace(work, actor=make.actor(work.session, person))


def _kombit(work: Work) -> Work:
    return _as(work, make.person(work.session, "Karen Krag", level=Level.KOMBIT_EDITOR))


def _map(work: Work, query: str = "") -> heat_map.HeatMap:
    return heat_map.draw(work, wanted.read(work.registry, query))


def test_a_supplier_learns_nothing_of_another_systems_waves(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        wave = make.wave(work.session, "foerst", go_live=make.TODAY + timedelta(days=90))
        make.has_system(work.session, make.KOEGE, "ky", wave=wave)
        lars = _as(work, make.person(work.session, "Lars", level=Level.SUPPLIER, systems=("kp",)))
        for person, seen in ((_kombit(work), True), (lars, False)):
            places = [row.place for row in _map(person, "system=ky").rows]
            assert any(place.wave or place.go_live for place in places) is seen
            assert any(place.has_system for place in places) is seen
            assert [row.place.code for row in _map(person, "bolge=foerst").rows] == [make.KOEGE] * seen


@pytest.mark.parametrize(("seen", "changed", "silent"), [(20, 30, False), (30, 20, False), (21, 40, True)])
def test_silent_is_no_sign_of_life_for_three_weeks(
    house: Installation, seen: int, changed: int, silent: bool
) -> None:
    with house.writing(make.NOW) as work:
        session = work.session
        mette = make.person(session)
        mette.memberships[0].since = make.TODAY - timedelta(days=400)
        mette.seen_at = make.NOW - timedelta(days=seen)
        task = make.municipal_task(session, deadline=make.TODAY - timedelta(days=1))
        kombit = _kombit(work)
        # What KOMBIT changed in a municipality is no sign of life of its own people.
        for days, person in ((changed, mette.id), (1, kombit.actor and kombit.actor.person_id)):
            session.add(
                TaskChange(
                    municipality_id=make.KOEGE,
                    municipal_task_id=task.id,
                    at=make.NOW - timedelta(days=days),
                    person_id=person,
                    field="status",
                )
            )
        session.flush()
        row = next(row for row in _map(kombit).rows if row.place.code == make.KOEGE)
        assert row.silent is silent and row.signs is not None
        assert row.signs.words == f"stille i {min(seen, changed)} dage"
        assert [each.place.code for each in _map(kombit, "kun=stille").rows] == [make.KOEGE] * silent
        # Where nothing is late, nobody minds.
        task.deadline = make.TODAY + timedelta(days=60)
        task.yellow_from = make.TODAY + timedelta(days=40)
        session.flush()
        assert _map(kombit).silent == 0


def test_leaders_are_told_that_they_have_not_touched_their_tasks(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        session = work.session
        mette = make.person(session)
        mette.memberships[0].since = make.TODAY - timedelta(days=34)
        reader = make.person(session, level=Level.READER)
        reader.memberships[0].since = make.TODAY - timedelta(days=34)
        for days in (1, 2, 3):
            make.municipal_task(session, deadline=make.TODAY - timedelta(days=days))
        session.flush()
        found = silence.own(_as(work, mette))
        assert found and found.sentence == "I har ikke rørt opgaverne i 34 dage; 3 er røde."
        assert silence.own(_as(work, reader)) is None


@pytest.fixture
def ground(house: Installation) -> Installation:
    """Køge has a primary projektleder and another, Herning a substitute, Aarhus an administrator, Læsø nobody."""
    with house.writing(make.NOW) as work:
        session = work.session
        first, second = make.person(session, "Mette Holm"), make.person(session, "Ali Ahmadi")
        make.holding(session, "projektleder", holder=second, primary=False)
        make.holding(session, "projektleder", holder=first)
        stand_in = make.person(session, "Hans Holst", municipality=make.HERNING)
        make.holding(
            session, "projektleder", holder=stand_in, municipality=make.HERNING, primary=False
        ).kind = "stedfortraeder"
        make.person(session, "Anna Aa", municipality=make.AARHUS, level=Level.ADMINISTRATOR)
        make.person(session, "Karen Krag", email="karen@kombit.example", level=Level.KOMBIT_EDITOR)
    return house


def _editor(work: Work) -> Work:
    return _as(work, work.session.scalars(select(Person).where(Person.email == "karen@kombit.example")).one())


CODES = (make.KOEGE, make.HERNING, make.AARHUS, make.LAESOE)


def test_the_primary_holder_is_written_to_and_vacancies_are_named(ground: Installation) -> None:
    with ground.writing(make.NOW) as work:
        found = {each.place: each for each in writing.letters(_editor(work), CODES, "projektleder", "kp")}
        assert found["Køge"].names == ("Mette Holm",) and not found["Køge"].vacant
        assert found["Herning"].names == ("Hans Holst",)
        assert found["Herning"].recipients[0].reason == "stedfortræder som projektleder"
        assert found["Aarhus"].names == ("Anna Aa",) and found["Aarhus"].vacant
        assert found["Aarhus"].recipients[0].reason == "administrator, fordi ingen har rollen Projektleder"
        assert found["Læsø"].recipients == () and found["Læsø"].vacant
        # For another system the role is vacant in Køge.
        other = writing.letters(_editor(work), [make.KOEGE], "projektleder", "ky")
        assert other[0].recipients == ()


def test_a_letter_is_in_the_ledger_once_and_in_the_audit(ground: Installation) -> None:
    for _press in (1, 2):
        with ground.writing(make.NOW) as work:
            kombit = _editor(work)
            letters = writing.letters(kombit, CODES, "projektleder", "kp")
            writing.send(
                kombit,
                letters,
                wanted.read(work.registry, "projekt=kp&region=Region+Sjælland").criteria,
                role="projektleder",
                subject="Hej",
                text="Linje et\nLinje to",
                key=KEY,
            )
    with ground.reading(make.NOW) as work:
        notices = work.session.scalars(select(Notice).where(Notice.occasion == "skrevet")).all()
        assert sorted(each.municipality_id or 0 for each in notices) == [259, 657, 751]
        assert {each.path for each in notices} == {"/opgaver?projekt=kp&deadline=roed&deadline=gul"}
        assert {each.sentence for each in notices} == {"Linje et\nLinje to"}
        audited = select(func.count()).select_from(AuditEntry).where(AuditEntry.action == "skriv")
        assert work.session.scalar(audited) == 6
        assert silence.signs(work)[make.KOEGE].written_at == make.NOW


@pytest.mark.parametrize(
    ("subject", "text", "field"),
    [
        ("", "Hej", "subject"),
        ("x" * 121, "Hej", "subject"),
        ("Hej", "x" * 2001, "text"),
        ("Hej", "Borger 010180-1234 venter", "text"),
    ],
)
def test_what_cannot_be_sent_is_said(ground: Installation, subject: str, text: str, field: str) -> None:
    with ground.writing(make.NOW) as work:
        kombit = _editor(work)
        letters = writing.letters(kombit, CODES, "projektleder", "kp")
        with pytest.raises(RefusedError) as refused:
            writing.send(
                kombit, letters, Criteria(), role="projektleder", subject=subject, text=text, key=KEY
            )
        assert list(refused.value.problems) == [field]


def test_only_kombit_writes(ground: Installation) -> None:
    with ground.writing(make.NOW) as work:
        person = work.session.scalars(select(Person).where(Person.name == "Mette Holm")).one()
        with pytest.raises(ForbiddenError):
            writing.letters(_as(work, person), CODES, "projektleder", "kp")


def test_the_first_contact_of_the_phase_is_proposed(house: Installation) -> None:
    with house.reading(make.NOW) as work:
        content = work.registry.content

        def role(query: str, system: str | None) -> str:
            return writing.default_role(content, wanted.read(work.registry, query).criteria, system)

        assert role("fase=forberedelse", "kp") == "projektleder" == role("", "kp")
        assert role("fase=forankring", "kp") == "systemansvarlig"
        assert role("fase=forankring", None) == "kombit-programleder"


def test_weeks_and_promises_agree_with_a_count_by_hand(house: Installation) -> None:
    chance = random.Random(12)
    with house.writing(make.NOW) as work:
        session, known = work.session, []
        for _number in range(60):
            done = chance.random() < 0.6
            task = make.municipal_task(
                session,
                deadline=make.TODAY + timedelta(days=chance.randrange(-100, 60)),
                status=Status.COMPLETED if done else chance.choice([Status.NOT_STARTED, Status.NOT_RELEVANT]),
            )
            task.completed_on = make.TODAY - timedelta(days=chance.randrange(0, 120)) if done else None
            known.append(task)
            assert task.task is not None
            task.task.published_at = make.NOW - timedelta(days=200)
        session.flush()
        kombit = _kombit(work)
        drawn = _map(kombit)
        relevant = [task for task in known if task.status != Status.NOT_RELEVANT.value]
        for week in tempo.weeks(kombit, drawn):
            first = week.last_day - timedelta(days=7)
            assert week.completed == sum(
                bool(task.completed_on and first < task.completed_on <= week.last_day) for task in relevant
            )
            assert week.red == sum(
                bool(task.deadline and task.deadline < week.last_day)
                and (task.completed_on is None or task.completed_on > week.last_day)
                for task in relevant
            )
        promise = tempo.promises(kombit, drawn)[make.KOEGE]
        assert promise.forecast is not None
        assert promise.forecast.finished == sum(
            bool(task.completed_on and task.completed_on > make.TODAY - timedelta(weeks=8))
            for task in relevant
        )
        assert promise.forecast.remaining == sum(task.completed_on is None for task in relevant)
        assert promise.words.startswith("klar ")
        assert tempo.promises(kombit, drawn)[make.HERNING].words == "for lidt at regne på"


def test_quartiles_are_interpolated_and_need_five() -> None:
    assert quartiles([10, 20, 30, 40]) is None
    assert quartiles([50, 10, 40, 20, 30]) == Quartiles(20, 30, 40)
    assert quartiles([0, 10, 20, 30, 40, 50]) == Quartiles(13, 25, 38)


def _alike(work: Work, shares: list[int], own: int, wave: str = "b1") -> Work:
    """Køge with ``own`` of ten tasks done, and others of its wave with theirs, in the order of their codes."""
    session = work.session
    codes = session.scalars(
        select(Municipality.id).where(Municipality.id != make.KOEGE).order_by(Municipality.id)
    ).all()[: len(shares)]
    project, group = make.project(session, "ky", system_code="ky"), make.wave(session, wave)
    versions = [make.task(session, in_project=project) for _number in range(10)]
    for code, done in zip((make.KOEGE, *codes), (own, *shares), strict=True):
        make.has_system(session, code, "ky", wave=group)
        for place, version in enumerate(versions):
            make.municipal_task(
                session,
                version,
                municipality=code,
                status=Status.COMPLETED if place < done else Status.NOT_STARTED,
            )
    return _as(work, make.person(session))


class _UndoneError(Exception):
    """Ends a world that is only looked at."""


def _seen(house: Installation, shares: list[int], own: int) -> comparison.Comparison:
    found: dict[str, comparison.Comparison] = {}
    with pytest.raises(_UndoneError), house.writing(make.NOW) as work:
        found.update(comparison.by_project(_alike(work, shares, own)))
        raise _UndoneError
    return found["ky"]


def test_the_comparison_tells_of_others_only_what_is_true_of_a_crowd(house: Installation) -> None:
    shares = [0, 2, 5, 6, 9]
    seen = _seen(house, shares, 3)
    assert seen.group == "B1"
    assert seen.phases == (comparison.Compared("forberedelse", 30, Quartiles(20, 50, 60), 5),)
    # Whatever one does with one's own tasks, the others' numbers stay: there is no difference to take.
    for own in (0, 10):
        assert _seen(house, shares, own).phases[0].others == seen.phases[0].others
    # Which of them has which value makes no difference: nobody can be told from another.
    for _turn in range(3):
        shuffled = random.Random(_turn).sample(shares, len(shares))
        assert _seen(house, shuffled, 3).phases[0].others == seen.phases[0].others


def test_of_four_others_nothing_is_told(house: Installation) -> None:
    seen = _seen(house, [1, 2, 3, 4], 5)
    # The wave is too small and so is what there is of the region.
    assert seen.group == "Region Sjælland" and seen.phases[0].others is None and seen.phases[0].count < 5


def test_local_and_withdrawn_tasks_of_others_count_for_nothing(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        koege = _alike(work, [5] * 5, 5)
        before = comparison.by_project(koege)
        code = work.session.scalars(
            select(Municipality.id).where(Municipality.id != make.KOEGE).order_by(Municipality.id)
        ).all()
        project = make.project(work.session, "ky", system_code="ky")
        for place in code[:5]:
            make.municipal_task(work.session, local=True, municipality=place, in_project=project)
            gone = make.municipal_task(work.session, municipality=place, in_project=project)
            gone.withdrawn_at = make.NOW
        work.session.flush()
        assert comparison.by_project(koege)["ky"].phases[0] == before["ky"].phases[0]
