"""From the last day to the tombstone: archived, read again, erased, swept; on both databases."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from klik import jobs
from klik.domain.deadlines import danish_today, end_of_day
from klik.installation import Installation
from klik.models import (
    AuditEntry,
    Comment,
    Deletion,
    DeletionItem,
    ExportProof,
    Heartbeat,
    MunicipalTask,
    MunicipalTaskFile,
    Notice,
    StoredFile,
)
from klik.services import access, auditing, filtering, invariants, listing
from klik.services.deleting import archiving, erasing, sanity
from klik.services.filestore import MissingFileError
from klik.services.rendering import Renderer
from tests import make
from tests.make import HERNING, NOW
from tests.services import deletion_world
from tests.services.deletion_world import DUE, LAST_DAY, announced, full_task, told_that_it_ends

WORD = "kanarieord"


def run(house: Installation, now: datetime = DUE) -> erasing.Erased:
    """What the job does, by a clock that was right all the time until now."""
    with house.writing(now) as work:
        sanity.confirm(work, danish_today(now))
    return erasing.delete_due(house, jobs._going_on(now), 60)


@pytest.fixture(autouse=True)
def _one_renderer(house: Installation, renderer: Renderer) -> Iterator[None]:
    house.__dict__["renderer"] = renderer
    yield
    del house.__dict__["renderer"]


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    """The children that draw PDFs, started once for all houses here."""
    shared = Renderer()
    yield shared
    shared.close()


def items(house: Installation) -> list[DeletionItem]:
    with house.database.reading() as session:
        rows = list(session.scalars(select(DeletionItem).order_by(DeletionItem.id)))
        session.expunge_all()
        return rows


def prepared(house: Installation, **how: object) -> tuple[int, int]:
    """One full task that is announced; its id and the deletion's."""
    with house.database.writing() as session:
        task = full_task(house, session, WORD)
        return task.id, announced(session, [task.id], **how)  # type: ignore[arg-type]


def test_a_due_task_is_archived_read_again_and_erased(house: Installation) -> None:
    task_id, deletion_id = prepared(house)
    assert run(house) == erasing.Erased(erased=1)
    (item,) = items(house)
    assert (item.state, item.problem) == ("slettet", None)
    assert item.verified_at and item.erased_at and item.archived_at
    assert timedelta(0) <= item.erased_at - item.verified_at <= timedelta(minutes=1)
    assert item.archive_kept_until == danish_today(DUE) + timedelta(days=90)
    with zipfile.ZipFile(house.archive.path(item.archive_sha256 or "")) as package:
        names = package.namelist()
        data = json.loads(package.read(next(name for name in names if name.endswith("opgave.json"))))
    assert WORD in data["title"]
    assert any(name.endswith(f"fil {WORD}.txt") for name in names)
    with house.database.reading() as session:
        task = session.get_one(MunicipalTask, task_id)
        assert (task.title, task.local_text, task.search_key) == ("Slettet opgave", "", "")
        assert (task.responsible_id, task.deadline, task.not_relevant_reason) == (None, None, None)
        assert session.scalar(select(func.count(Comment.id))) == 0
        assert session.get_one(Deletion, deletion_id).state == "afsluttet"
        assert not list(invariants.faults(session, house.files))
        acts = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert acts[-3:] == ["deletion-archived", "deletion-erased", "deletion-done"]
    assert run(house) == erasing.Erased()


def test_nothing_goes_before_its_last_danish_second_is_over(house: Installation) -> None:
    task_id, _deletion = prepared(house)
    end = end_of_day(LAST_DAY)
    assert run(house, end - timedelta(seconds=90)).erased == 0
    assert run(house, end).erased == 1
    assert task_id


def test_what_nobody_was_told_of_and_what_is_kept_stays(house: Installation) -> None:
    _task_id, deletion_id = prepared(house, told=False)
    assert run(house) == erasing.Erased(untold=1)
    with house.database.writing() as session:
        session.execute(
            update(DeletionItem).values(notified_at=NOW, hold_reason="Klagesag", hold_granted=None)
        )
    assert run(house) == erasing.Erased()
    kept = danish_today(DUE) + timedelta(days=3)
    with house.database.writing() as session:
        session.execute(update(DeletionItem).values(hold_granted=True, hold_until=kept))
    assert run(house, end_of_day(kept) - timedelta(minutes=2)) == erasing.Erased()
    assert run(house, end_of_day(kept)) == erasing.Erased(), "nobody was told that it ends"
    told = end_of_day(kept) - timedelta(days=13)
    with house.database.writing() as session:
        told_that_it_ends(session, deletion_id, kept, told)
    assert run(house, told + timedelta(days=13, hours=23)) == erasing.Erased()
    assert run(house, told + timedelta(days=14)).erased == 1


def test_a_stuck_task_stops_no_other_and_says_why(house: Installation) -> None:
    with house.database.writing() as session:
        stuck = full_task(house, session, WORD)
        other = full_task(house, session, "et andet", municipality=HERNING)
        announced(session, [stuck.id, other.id])
        sha256 = session.scalars(
            select(MunicipalTaskFile.sha256).where(MunicipalTaskFile.municipal_task_id == stuck.id)
        ).one()
    path = house.files.path(sha256)
    content = path.read_bytes()
    path.write_bytes(b"damaged")
    done = run(house)
    assert (done.erased, done.waiting) == (1, 1)
    first, second = items(house)
    assert (first.state, second.state) == ("varslet", "slettet")
    assert first.problem == f"Filen »fil {WORD}.txt« mangler på serveren og er ikke med." == done.problem
    path.write_bytes(content)
    assert run(house).erased == 1
    assert items(house)[0].problem is None


def test_a_damaged_archive_file_is_made_again_and_nothing_is_erased_on_it(house: Installation) -> None:
    task_id, _deletion = prepared(house)
    clock = jobs._going_on(DUE)
    (item,) = items(house)
    archiving.archive(house, clock, item.id)
    sha256 = items(house)[0].archive_sha256 or ""
    house.archive.path(sha256).write_bytes(b"no archive")
    with pytest.raises(archiving.WaitingError):
        archiving.verify(house, clock, item.id)
    assert items(house)[0].state == "arkiveret"
    assert run(house).erased == 1
    assert house.archive.digest(house.archive.path(sha256)) == sha256
    assert task_id


def test_a_task_changed_after_it_was_archived_is_archived_once_more(house: Installation) -> None:
    task_id, _deletion = prepared(house)
    clock = jobs._going_on(DUE)
    (item,) = items(house)
    archiving.archive(house, clock, item.id)
    first = items(house)[0].archive_sha256
    with house.database.writing() as session:
        task = session.get_one(MunicipalTask, task_id)
        author = session.scalars(select(Comment.author_id)).first()
        session.add(
            Comment(
                municipality_id=task.municipality_id,
                municipal_task_id=task.id,
                author_id=author,
                at=DUE,
                text="skrevet i sidste øjeblik",
            )
        )
    proven = archiving.verify(house, clock, item.id)
    assert erasing.erase(house, clock, item.id, proven) is False
    assert run(house, DUE + timedelta(hours=1)).erased == 1
    after = items(house)[0]
    assert after.archive_sha256 != first
    with house.reading(DUE) as work:
        folder = archiving.folder_of(work, house.archive, after)
    assert any("skrevet i sidste øjeblik".encode() in member.content for member in folder.members)


def test_the_folder_comes_back_until_the_kept_days_are_over(house: Installation) -> None:
    prepared(house)
    run(house)
    (item,) = items(house)
    with house.reading(DUE) as work:
        folder = archiving.folder_of(work, house.archive, item)
    assert {member.path.rpartition(".")[2] for member in folder.members} == {"pdf", "json", "txt"}
    last = DUE + timedelta(days=90)
    sweep_at(house, last)
    assert house.archive.path(item.archive_sha256 or "").exists()
    sweep_at(house, last + timedelta(days=1))
    assert not house.archive.path(item.archive_sha256 or "").exists()
    (item,) = items(house)
    assert item.archive_removed_at
    with pytest.raises(MissingFileError), house.reading(DUE) as work:
        archiving.folder_of(work, house.archive, item)
    with house.database.reading() as session:
        assert not list(invariants.faults(session, house.files))


def sweep_at(house: Installation, now: datetime) -> jobs.Outcome:
    with house.writing(now) as work:
        sanity.confirm(work, danish_today(now))
    return jobs.sweep(house, now)


def test_files_go_after_the_commit_when_nothing_else_refers_to_them(house: Installation) -> None:
    with house.database.writing() as session:
        task = full_task(house, session, WORD)
        other = make.municipal_task(session, local=True)
        shared = deletion_world.file_on(house, session, task, "delt.txt", b"shared")
        deletion_world.file_on(house, session, other, "delt.txt", b"shared")
        own = session.scalars(
            select(MunicipalTaskFile.sha256).where(MunicipalTaskFile.name.contains(WORD))
        ).one()
        announced(session, [task.id])
    run(house)
    assert house.files.path(shared).exists()
    assert not house.files.path(own).exists()
    with house.database.reading() as session:
        assert session.scalars(select(StoredFile.sha256)).all() == [shared]
        drawn = session.scalars(select(ExportProof.sha256)).all()
    assert drawn
    assert not any(house.archive.path(sha256).exists() for sha256 in drawn)


def test_an_erased_task_is_in_no_list_and_its_notices_are_not_told_anew(house: Installation) -> None:
    task_id, _deletion = prepared(house)
    with house.database.writing() as session:
        person = make.person(session)
        actor = make.actor(session, person)
    with house.reading(DUE, actor) as work:
        assert access.municipal_task(work, task_id)
    run(house)
    with house.database.reading() as session:
        count = session.scalar(select(func.count(Notice.id)))
    for name in ("scan-deadlines", "control", "scan-deadlines"):
        jobs.JOBS[name].run(house, DUE + timedelta(hours=8))
    with house.database.reading() as session:
        fresh = session.scalars(select(Notice).order_by(Notice.id).offset(count)).all()
        assert [notice for notice in fresh if notice.municipal_task_id] == []
    with house.reading(DUE, actor) as work:
        selection = filtering.select_tasks(work, filtering.read(work.registry, "fuldfoerte=ja"))
        assert listing.count(work, selection).total == 0


def test_a_clock_ten_years_ahead_deletes_nothing_however_often(house: Installation) -> None:
    task_id, _deletion = prepared(house)
    right = NOW + timedelta(days=1)
    jobs.run(house, "tell-plugins", right, "right")
    ahead = NOW.replace(year=2036)
    for round_number in range(3):
        for name in ("tell-plugins", "scan-deadlines", "sweep", "delete-due"):
            moment = ahead + timedelta(hours=round_number)
            outcome = jobs.run(house, name, moment, f"{round_number}")
        assert outcome is not None
        assert not outcome.well
        assert outcome.sentence.startswith("Uret ser forkert ud: det viser 21. november 2036")
    with house.database.reading() as session:
        assert WORD in session.get_one(MunicipalTask, task_id).title
        assert session.get_one(Heartbeat, sanity.MARK).at == right
    for day in range(2, 32):
        jobs.run(house, "tell-plugins", NOW + timedelta(days=day), f"day {day}")
    outcome = jobs.run(house, "delete-due", NOW + timedelta(days=32), "back")
    assert outcome == jobs.Outcome("1 opgave er arkiveret og slettet.")


def test_a_long_stop_is_confirmed_by_a_person_and_the_clock_set_back_waits(house: Installation) -> None:
    prepared(house)
    jobs.run(house, "tell-plugins", DUE - timedelta(days=7), "before the stop")
    for moment in (DUE, DUE - timedelta(days=8)):
        outcome = jobs.run(house, "delete-due", moment, f"{moment}")
        assert outcome is not None
        assert not outcome.well
        assert "Uret ser forkert ud" in outcome.sentence
    with pytest.raises(Exception, match="Uret siger"), house.writing(DUE) as work:
        sanity.confirm(work, LAST_DAY)
    with house.writing(DUE) as work:
        sanity.confirm(work, danish_today(DUE))
    outcome = jobs.run(house, "delete-due", DUE, "confirmed")
    assert outcome == jobs.Outcome("1 opgave er arkiveret og slettet.")
    with house.database.reading() as session:
        assert session.scalar(select(AuditEntry.facts).where(AuditEntry.action == "clock-confirmed")) == "{}"


def test_a_clock_wrong_from_the_first_run_on_is_not_believed(house: Installation) -> None:
    with house.writing(NOW) as work:
        auditing.record(work, "act", "thing/1")
    prepared(house)
    for number in range(3):
        outcome = jobs.run(house, "delete-due", NOW + timedelta(days=365 + number), f"{number}")
        assert outcome is not None
        assert not outcome.well
