"""Corrections: what each copy gets of KOMBIT's new version, field by field and by how far it has come."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import func, select

from klik.domain.status import Status
from klik.domain.texts import search_key, sort_key
from klik.installation import Installation
from klik.models import (
    AuditEntry,
    Deviation,
    EarlierState,
    Notice,
    TaskChange,
    TaskStep,
    TaskVersion,
)
from klik.services import control, correcting, publishing
from klik.services.correcting import Fate, impact
from klik.services.errors import ConflictError, RefusedError
from klik.services.notices import checking, composing, scanning
from klik.services.notices.mails import Sender
from klik.services.tasks import details, read_marks, unseen
from tests import make
from tests.services.correcting_world import (
    CODES,
    DRAFT,
    FINISHED,
    HOUR,
    NEW_DAY,
    NOT_RELEVANT,
    NOT_STARTED,
    OLD_DAY,
    OPEN,
    OWN_DAY,
    OWN_DEADLINE,
    OWN_PERSON,
    STARTED,
    WITHDRAWN,
    Scene,
    scene,
)

SENDER = Sender("klik@klik.example", "https://klik.example")
CHANGED = {
    "title": "Udpeg og meld systemansvarlig",
    "phase": "ibrugtagning",
    "theme": "brugerstyring",
    "priority": "hoej",
    "infrastructure": True,
    "start": date(2026, 11, 25),
    "deadline_parameter": NEW_DAY.isoformat(),
    "responsible_role": "superbruger",
    "description": "Vælg en systemansvarlig og en stedfortræder.\n\nSkriv navnet i rollegalleriet.",
}


@pytest.fixture
def at_work(house: Installation) -> Scene:
    """Six municipalities that have come differently far, and one whose copy is withdrawn."""
    return scene(house)


def _theme(work: object) -> str:
    return next(t.slug for t in work.registry.content.themes if t.slug != DRAFT.theme)  # type: ignore[attr-defined]


def test_every_field_by_how_far_the_copy_has_come(at_work: Scene) -> None:
    before = at_work.copies()
    with at_work.house.reading(make.NOW) as work:
        theme = _theme(work)
    done = at_work.correct(**(CHANGED | {"theme": theme}))
    assert (done.number, done.following, done.marked, done.unchanged, done.deviations) == (2, 1, 3, 2, 2)
    after = at_work.copies()
    for code in OPEN:
        copy, was = after[code], before[code]
        words = (copy.title, copy.phase, copy.theme, copy.priority, copy.infrastructure, copy.start_date)
        assert words == (CHANGED["title"], "ibrugtagning", theme, "hoej", True, CHANGED["start"]), code
        assert copy.title_key == sort_key(copy.title)
        assert copy.search_key == search_key(f"{copy.task_number} {copy.title}")
        assert (copy.task_number, copy.number_key, copy.status) == (
            was.task_number,
            was.number_key,
            was.status,
        )
        assert copy.task_version_id != was.task_version_id
        assert copy.changed_at > was.changed_at
        own = code == OWN_DEADLINE
        assert copy.deadline == (OWN_DAY if own else NEW_DAY), code
        assert copy.deadline_is_own is own
        assert copy.deadline_version == was.deadline_version + (not own)
        assert copy.yellow_from == max(date(2026, 11, 25), date.fromordinal(copy.deadline.toordinal() - 14))
        if code == OWN_PERSON:
            assert (copy.responsible_id, copy.responsible_role) == (was.responsible_id, None)
        else:
            assert (copy.responsible_id, copy.responsible_role) == (None, "superbruger")
        assert copy.version == was.version + 1
    for code in (FINISHED, NOT_RELEVANT, WITHDRAWN):
        for column in before[code].__table__.columns:
            assert getattr(after[code], column.name) == getattr(before[code], column.name), (
                code,
                column.name,
            )
    with at_work.house.reading(make.NOW) as work:
        rows = work.session.execute(
            select(
                Deviation.municipality_id,
                Deviation.field,
                Deviation.central_old,
                Deviation.central_new,
                Deviation.local,
            ).order_by(Deviation.id)
        ).all()
        assert [tuple(row) for row in rows] == [
            (OWN_DEADLINE, "deadline", OLD_DAY.isoformat(), NEW_DAY.isoformat(), OWN_DAY.isoformat()),
            (
                OWN_PERSON,
                "responsible",
                "systemansvarlig",
                "superbruger",
                f"person/{before[OWN_PERSON].responsible_id}",
            ),
        ]
        step = work.session.scalars(select(TaskStep).order_by(TaskStep.id.desc())).first()
        assert (step.act, step.version_number, step.note) == ("ret", 2, "Fristen er flyttet.")
        version = work.session.scalars(select(TaskVersion).where(TaskVersion.number == 2)).one()
        assert (version.change_note, version.created_by) == ("Fristen er flyttet.", at_work.editor.person_id)
        remembered = work.session.scalar(
            select(func.count()).where(EarlierState.until == make.NOW + 48 * HOUR)
        )
        assert remembered == 4


def test_the_history_of_a_copy_names_what_changed_and_why(at_work: Scene) -> None:
    at_work.correct(
        deadline_parameter=NEW_DAY.isoformat(), priority="hoej", note="Leverandøren er forsinket."
    )
    with at_work.house.reading(make.NOW) as work:
        rows = work.session.execute(
            select(TaskChange.field, TaskChange.old, TaskChange.new, TaskChange.via, TaskChange.person_id)
            .where(TaskChange.municipality_id == NOT_STARTED)
            .order_by(TaskChange.id)
        ).all()
    editor = at_work.editor.person_id
    assert [tuple(row) for row in rows] == [
        ("version", "Version 1", "Version 2: Leverandøren er forsinket.", "rettelse/2", editor),
        ("priority", "Normal", "Høj", "rettelse/2", editor),
        ("deadline", "1. december 2026", "15. december 2026", "rettelse/2", editor),
    ]


def test_words_alone_disturb_no_open_form_and_move_no_deadline(at_work: Scene) -> None:
    before = at_work.copies()
    done = at_work.correct(description="Vælg en systemansvarlig i dag.\n\nSkriv navnet i rollegalleriet.")
    after = at_work.copies()
    assert done.deviations == 0
    for code in OPEN:
        assert after[code].version == before[code].version
        assert after[code].deadline == before[code].deadline
        assert after[code].deadline_version == before[code].deadline_version
        assert after[code].responsible_id == before[code].responsible_id


def test_exactly_the_changed_passage_has_a_bar(at_work: Scene) -> None:
    for code in (STARTED, FINISHED):
        with at_work.house.writing(make.NOW + 24 * HOUR, at_work.leaders[code]) as work:
            read_marks.mark_read(work, at_work.copies()[code].id)
    at_work.correct(
        description="Vælg en systemansvarlig og en stedfortræder.\n\nSkriv navnet i rollegalleriet."
    )
    with at_work.house.reading(make.NOW + 72 * HOUR, at_work.leaders[STARTED]) as work:
        news = unseen.load(work, details.load(work, at_work.copies()[STARTED].id))
        assert list(news.texts) == ["Beskrivelse"]
        kinds = [(each.kind, "rollegalleriet" in each.html) for each in news.texts["Beskrivelse"]]
        assert kinds == [("changed", False), ("unchanged", True)]
        assert news.others == ("KOMBIT har rettet opgaven: Fristen er flyttet.",)
        assert not news.fields
    with at_work.house.reading(make.NOW + 72 * HOUR, at_work.leaders[FINISHED]) as work:
        assert not unseen.load(work, details.load(work, at_work.copies()[FINISHED].id)).any


def test_reopening_is_the_editors_choice(at_work: Scene) -> None:
    finished = at_work.copies()[FINISHED]
    done = at_work.correct(deadline_parameter=NEW_DAY.isoformat(), reopen=None)
    assert (done.following, done.marked, done.unchanged) == (2, 3, 1)
    copy = at_work.copies()[FINISHED]
    assert (copy.status, copy.completed_on, copy.deadline) == ("i-gang", None, NEW_DAY)
    assert copy.task_version_id != finished.task_version_id
    assert at_work.copies()[NOT_RELEVANT].status == "ikke-relevant"
    assert at_work.copies()[WITHDRAWN].task_version_id == finished.task_version_id
    with at_work.house.reading(make.NOW) as work:
        said = work.session.scalars(
            select(TaskChange.new)
            .where(TaskChange.municipality_id == FINISHED, TaskChange.field.in_(("version", "status")))
            .order_by(TaskChange.id.desc())
            .limit(2)
        ).all()
    assert set(said) == {"I gang", "Version 2 (opgaven er genåbnet): Fristen er flyttet."}


def test_only_the_listed_ones_are_reopened(at_work: Scene) -> None:
    at_work.change(STARTED, 7, status=Status.COMPLETED)
    at_work.correct(
        title="Udpeg en", reopen=[at_work.copies()[STARTED].id, at_work.copies()[NOT_RELEVANT].id]
    )
    states = {code: at_work.copies()[code].status for code in (STARTED, FINISHED, NOT_RELEVANT)}
    assert states == {STARTED: "i-gang", FINISHED: "fuldfoert", NOT_RELEVANT: "ikke-relevant"}


def test_a_copy_its_municipality_reopens_catches_up(at_work: Scene) -> None:
    at_work.correct(title="Anden titel", deadline_parameter=NEW_DAY.isoformat())
    at_work.correct(hour=60, note="Rettet igen.", title="Tredje titel")
    assert at_work.copies()[FINISHED].title == DRAFT.title
    changed = at_work.change(FINISHED, 70, status=Status.NOT_STARTED)
    assert (changed.title, changed.deadline) == ("Tredje titel", NEW_DAY)
    copy, open_one = at_work.copies()[FINISHED], at_work.copies()[NOT_STARTED]
    assert copy.task_version_id == open_one.task_version_id
    assert (copy.title, copy.deadline, copy.yellow_from) == (
        open_one.title,
        open_one.deadline,
        open_one.yellow_from,
    )
    with at_work.house.reading(make.NOW + 71 * HOUR, at_work.leaders[FINISHED]) as work:
        assert "Opgaven" not in unseen.load(work, details.load(work, copy.id)).texts


def test_a_later_correction_settles_the_older_deviation(at_work: Scene) -> None:
    at_work.correct(deadline_parameter=NEW_DAY.isoformat())
    at_work.correct(hour=60, deadline_parameter="2026-12-20")
    with at_work.house.reading(make.NOW) as work:
        first, second = work.session.scalars(select(Deviation).order_by(Deviation.id)).all()
        work.session.expunge_all()
    assert (first.answer, first.settled_at is not None, first.version) == (None, True, 2)
    assert (second.central_old, second.central_new, second.settled_at) == (
        NEW_DAY.isoformat(),
        "2026-12-20",
        None,
    )
    at_work.correct(hour=70, deadline_parameter=OWN_DAY.isoformat())
    with at_work.house.reading(make.NOW) as work:
        opened = select(func.count(Deviation.id)).where(Deviation.settled_at.is_(None))
        assert work.session.scalar(opened) == 0


def test_unsent_reminders_of_the_old_deadline_are_taken_back(at_work: Scene) -> None:
    when = make.NOW + 47 * HOUR
    with at_work.house.writing(when) as work:
        scanning.scan_deadlines(work)
        keys = work.session.scalars(select(Notice.dedupe_key).where(Notice.occasion == "core.gul")).all()
    copy = at_work.copies()[NOT_STARTED]
    assert any(f"/mt={copy.id}/v=1/" in key for key in keys)
    at_work.correct(deadline_parameter="2027-02-01")
    assert at_work.copies()[NOT_STARTED].deadline_version == 2
    with at_work.house.writing(make.NOW + 49 * HOUR) as work:
        while composing.compose(work, SENDER).mails:
            pass
        old = work.session.scalars(
            select(Notice).where(Notice.dedupe_key.contains(f"core.gul/mt={copy.id}/"))
        ).one()
        assert (old.withdrawal_reason, old.mail_id) == (checking.DEADLINE_MOVED, None)
        assert control.check(work, heal_too=False).missing == 0


def test_who_is_told_and_of_what(at_work: Scene) -> None:
    done = at_work.correct(deadline_parameter=NEW_DAY.isoformat())
    with at_work.house.reading(make.NOW) as work:
        rows = work.session.execute(
            select(Notice.municipality_id, Notice.occasion, Notice.sentence, Notice.dedupe_key).where(
                Notice.occasion.in_(("rettet", "frist-flyttet"))
            )
        ).all()
    assert len(rows) == done.notices
    by_code = {row.municipality_id: row for row in rows}
    assert set(by_code) == set(OPEN)
    assert len({row.dedupe_key for row in rows}) == len(rows)
    assert "1. december 2026 til 15. december 2026" in by_code[NOT_STARTED].sentence
    assert "Jeres egen, 10. december 2026, er bevaret" in by_code[OWN_DEADLINE].sentence
    assert all("/version=2/" in row.dedupe_key for row in rows)


def test_a_spelling_mistake_is_told_to_nobody(at_work: Scene) -> None:
    assert at_work.correct(title="Udpeg systemansvarlige", quiet=True).notices == 0
    assert at_work.correct(hour=60, deadline_parameter=NEW_DAY.isoformat(), quiet=True).notices > 0


def test_the_impact_is_what_is_done(at_work: Scene) -> None:
    with at_work.house.reading(make.NOW + 48 * HOUR, at_work.editor) as work:
        draft = replace(
            publishing.draft_of(work, at_work.task_id),
            deadline_parameter=NEW_DAY.isoformat(),
            responsible_role="superbruger",
            title="Anden titel",
        )
        ahead = impact.of(work, at_work.task_id, draft, "Hvorfor.", reopen=None)
    with at_work.house.writing(make.NOW + 48 * HOUR, at_work.editor) as work:
        done = correcting.correct(work, at_work.task_id, draft, "Hvorfor.", version=1, reopen=None)
    counted = (ahead.count(Fate.FOLLOWS), ahead.count(Fate.MARKED), ahead.count(Fate.UNCHANGED))
    assert counted == (done.following, done.marked, done.unchanged)
    after = {copy.id: copy for copy in at_work.copies().values()}
    version = at_work.copies()[NOT_STARTED].task_version_id
    for line in ahead.lines:
        copy = after[line.municipal_task_id]
        assert (copy.deadline, copy.status) == (line.deadline_after, line.status_after)
        assert (copy.task_version_id == version) == (line.fate is not Fate.UNCHANGED)
    assert sum(len(line.deviations) for line in ahead.lines) == done.deviations


def test_the_second_press_sees_the_firsts_result(at_work: Scene) -> None:
    key = "0f6e4c1e-7f4e-4d43-9d4e-5a4f0c8f1a10"
    first = at_work.correct(title="Ny titel", key=key)
    again = at_work.correct(title="Ny titel", key=key, version=1)
    assert (again, again.repeated, first.repeated) == (first, True, False)
    with pytest.raises(ConflictError):
        at_work.correct(title="En anden titel", key="0f6e4c1e-7f4e-4d43-9d4e-5a4f0c8f1a11", version=1)
    with at_work.house.reading(make.NOW) as work:
        assert work.session.scalar(select(func.count(TaskVersion.id))) == 2
        assert (
            work.session.scalar(select(func.count(AuditEntry.id)).where(AuditEntry.action == "correct")) == 1
        )


WRONG = (
    ({"title": "Ny"}, "", "note", "Note til kommunerne skal udfyldes."),
    ({"number": "MI 77"}, "Hvorfor.", "number", "en udgivet opgave beholder sit nummer"),
    ({}, "Hvorfor.", "", "Intet er ændret"),
    ({"phase": "opfundet"}, "Hvorfor.", "phase", "kendes ikke"),
)


@pytest.mark.parametrize(
    ("change", "note", "field", "sentence"), WRONG, ids=[each[2] or "same" for each in WRONG]
)
def test_what_is_wrong_is_said(at_work: Scene, change: dict, note: str, field: str, sentence: str) -> None:
    with pytest.raises(RefusedError) as refused:
        at_work.correct(note=note, **change)
    assert sentence in refused.value.problems[field]


def test_a_passed_deadline_is_no_hindrance_while_it_stays(at_work: Scene) -> None:
    months = 24 * 40
    assert at_work.correct(hour=months, title="Anden titel").number == 2
    with pytest.raises(RefusedError):
        at_work.correct(hour=months + 1, deadline_parameter="2026-12-02")


def test_all_copies_are_told_apart() -> None:
    assert len(set(CODES)) == 7
