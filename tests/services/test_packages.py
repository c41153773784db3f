"""Packages of tasks: whole, checkable, complete about what is missing, and counted when they are fetched."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pikepdf
import pypdf
import pytest
from openpyxl import load_workbook
from sqlalchemy import select, update

from klik.domain.deadlines import end_of_day
from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import AuditEntry, DeletionItem, Export, ExportProof, Membership, MunicipalTask, TaskFile
from klik.services import deleting, exports, filtering
from klik.services.deleting import Draft, Selection, erasing, sanity
from klik.services.errors import NotFoundError, RefusedError
from klik.services.exports import kinds
from klik.services.rendering import Renderer
from klik.services.tasks import attachments
from klik.services.work import Actor
from tests import make
from tests.make import HERNING, NOW, TODAY

BUDGET = b"kronerne\n"
GUIDE = b"vejledningen\n"


class Koege:
    """Køge with three tasks of KP, files on the first, and the deletion of all that KOMBIT announced."""

    def __init__(self, house: Installation) -> None:
        self.house = house
        with house.writing(NOW) as work:
            session = work.session
            versions = [make.task(session, f"Opgave {n}", number=f"MI {n:02d}") for n in (1, 2, 3)]
            self.tasks = [make.municipal_task(session, version).id for version in versions]
            self.elsewhere = make.municipal_task(session, versions[0], municipality=HERNING).id
            kombit = make.actor(
                session, make.person(session, "Karen", level=Level.KOMBIT_EDITOR, municipality=None)
            )
            self.me = make.actor(session, make.person(session, "Mette Holm"))
            reader = make.person(session, "Lasse Lund", level=Level.READER)
            self.reader, self.kombit = make.actor(session, reader), kombit
            self.herning = make.actor(session, make.person(session, "Hanne", municipality=HERNING))
            task_id = versions[0].task_id
        with house.writing(NOW, self.me) as work:
            for name, content in (("Budget.csv", BUDGET), ("Vejledning.csv", GUIDE)):
                attachments.add(work, house.files, self.tasks[0], name, content)
            guide = hashlib.sha256(GUIDE).hexdigest()
            work.session.add(
                TaskFile(task_id=task_id, sha256=guide, name="Vejledning.csv", added_at=NOW, added_by=None)
            )
        draft = Draft(
            heading="Projekt KP er slut",
            last_day=TODAY + timedelta(days=40),
            legal_basis="Arkivloven § 8",
            decided_by="KOMBIT",
            decided_on=TODAY,
            selection=Selection(project="kp"),
        )
        with house.writing(NOW, kombit) as work:
            self.deletion = deleting.announce(work, draft, None)

    @property
    def folder(self) -> Path:
        return exports.folder_in(self.house.settings.data)

    def order(self, kind: str = "zip", actor: Actor | None = None, query: str = "", **what: object) -> int:
        with self.house.writing(NOW, actor or self.me) as work:
            criteria = filtering.read(work.registry, query)
            return exports.order(work, kind, criteria, **what).id  # type: ignore[arg-type]

    def made(self, kind: str = "zip", **what: object) -> Path:
        export_id = self.order(kind, **what)  # type: ignore[arg-type]
        assert self.run() == 1
        assert self.row(export_id).state == "faerdig", self.row(export_id).error
        return exports.path_of(self.folder, export_id)

    def run(self) -> int:
        return exports.run_waiting(self.house, self.folder, lambda: NOW, 0)

    def row(self, export_id: int) -> Export:
        with self.house.database.reading() as session:
            found = session.get_one(Export, export_id)
            session.expunge(found)
            return found

    def states(self, municipality: int = make.KOEGE) -> list[tuple[str, str | None]]:
        with self.house.database.reading() as session:
            wanted = select(DeletionItem.state, DeletionItem.fetched_sha256)
            rows = session.execute(
                wanted.where(DeletionItem.municipality_id == municipality).order_by(DeletionItem.id)
            )
            return [(state, sha256) for state, sha256 in rows]


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    """One for all these tests: starting its children costs more than what they draw here."""
    with Renderer(children=1) as shared:
        yield shared


@pytest.fixture
def koege(house: Installation, renderer: Renderer) -> Iterator[Koege]:
    house.__dict__["renderer"] = renderer
    yield Koege(house)
    del house.__dict__["renderer"]


def checked(path: Path) -> dict[str, bytes]:
    """The members of a package, after each is compared with both manifests by nothing but hashlib."""
    with zipfile.ZipFile(path) as package:
        names = package.namelist()
        assert len(names) == len(set(names)) and package.testzip() is None
        members = {name: package.read(name) for name in names}
    manifest = json.loads(members.pop("manifest.json"))
    sums = members.pop("manifest-sha256.txt").decode()
    real = {name: hashlib.sha256(content).hexdigest() for name, content in members.items()}
    assert {line["path"]: line["sha256"] for line in manifest["files"]} == real
    assert {name: sha for sha, name in (line.split("  ", 1) for line in sums.splitlines())} == real
    return members | {"manifest.json": json.dumps(manifest).encode()}


def text_of(content: bytes) -> str:
    return " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages)


def test_hent_alt_holds_everything_and_says_what_it_is(koege: Koege) -> None:
    path = koege.made(deletion_id=koege.deletion)
    members = checked(path)
    folders = sorted({name.partition("/")[0] for name in members if "/" in name})
    assert [folder.rpartition("_")[2] for folder in folders] == [str(each) for each in koege.tasks]
    files = [name for name in members if "/filer/" in name]
    assert sorted(name.rpartition("/")[2] for name in files) == [
        "2 Vejledning.csv",
        "Budget.csv",
        "Vejledning.csv",
    ] or sorted(name.rpartition("/")[2] for name in files) == [
        "3 Vejledning.csv",
        "Budget.csv",
        "Vejledning.csv",
    ]
    everything = json.loads(members["opgaver.json"])
    assert [task["number"] for task in everything["tasks"]] == ["MI 01", "MI 02", "MI 03"]
    index, note = text_of(members["indhold.pdf"]), members["læs-mig.txt"].decode("utf-8-sig")
    code = json.loads(members["manifest.json"])["code"]
    for task in everything["tasks"]:
        assert task["number"] in index and task["title"] in index and task["identifier"] in index
    assert code in index and code in note and "sha256sum -c" in note and "Intet mangler." in note
    with koege.house.database.reading() as session:
        proof = session.scalars(select(ExportProof).where(ExportProof.kind == "pakke")).one()
        assert (proof.code, proof.tasks, proof.municipality_id) == (code, 3, make.KOEGE)
        assert proof.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_deletions_package_lasts_as_long_as_its_archive(koege: Koege) -> None:
    export_id = int(koege.made(deletion_id=koege.deletion).name)
    second = timedelta(seconds=1)
    last = end_of_day(TODAY + timedelta(days=40 + koege.house.settings.archive_days)) - second
    assert koege.row(export_id).expires_at == last
    with koege.house.writing(NOW) as work:
        kept = {"archive_kept_until": TODAY + timedelta(days=300)}
        work.session.execute(update(DeletionItem).where(DeletionItem.id > 0).values(**kept))
    later = int(koege.made(deletion_id=koege.deletion).name)
    assert koege.row(later).expires_at == end_of_day(TODAY + timedelta(days=300)) - second
    usual = int(koege.made(task_ids=koege.tasks).name)
    assert koege.row(usual).expires_at == NOW + exports.KEPT


def test_it_counts_when_it_is_fetched_by_who_may(koege: Koege) -> None:
    theirs = koege.order(actor=koege.reader, deletion_id=koege.deletion)
    mine = koege.order(deletion_id=koege.deletion)
    assert exports.run_waiting(koege.house, koege.folder, lambda: NOW, 60) == 2
    assert {state for state, _sha in koege.states()} == {"varslet"}
    with koege.house.writing(NOW, koege.reader) as work:
        exports.note_fetched(work, koege.folder, theirs)
    assert {state for state, _sha in koege.states()} == {"varslet"}
    with koege.house.writing(NOW, koege.reader) as work, pytest.raises(NotFoundError):
        exports.note_fetched(work, koege.folder, mine)
    with koege.house.writing(NOW, koege.me) as work:
        exports.note_fetched(work, koege.folder, mine)
    members = checked(exports.path_of(koege.folder, mine))
    pdfs = [
        hashlib.sha256(content).hexdigest()
        for name, content in members.items()
        if name.count(".pdf") and "/" in name
    ]
    assert koege.states() == [("hentet", sha256) for sha256 in pdfs]
    assert koege.states(HERNING) == [("varslet", None)]
    assert koege.row(mine).fetched_at == NOW
    with koege.house.database.reading() as session:
        acts = list(session.scalars(select(AuditEntry.subject).where(AuditEntry.action == "hent-udtræk")))
        assert acts == [f"eksport/{theirs}", f"eksport/{mine}"]


def test_what_is_missing_is_named_everywhere_and_stops_nothing(koege: Koege) -> None:
    house = koege.house
    house.files.path(hashlib.sha256(BUDGET).hexdigest()).write_bytes(b"spoiled")
    export_id = koege.order(task_ids=koege.tasks)
    with house.writing(NOW) as work:
        # As if a task went out of sight between the order and the making.
        ids = ",".join(map(str, [*koege.tasks, koege.elsewhere]))
        work.session.execute(update(Export).where(Export.id == export_id).values(task_ids=ids))
    assert koege.run() == 1
    path = exports.path_of(koege.folder, export_id)
    members = checked(path)
    found = exports.inventory(path, "zip")
    assert len(found.missing) == 2 and set(found.taken) == set(koege.tasks)
    for sentence in found.missing:
        assert sentence.split("»")[0] in " ".join(text_of(members["indhold.pdf"]).split())
        assert sentence in members["læs-mig.txt"].decode()
    assert "Budget.csv" in found.missing[0] and "ikke længere adgang" in found.missing[1]
    assert "Herning" not in path.read_bytes().decode("latin-1")


def test_what_is_archived_or_erased_comes_out_of_its_archive(koege: Koege) -> None:
    house, (first, *_rest) = koege.house, koege.tasks
    after = end_of_day(TODAY + timedelta(days=40)) + timedelta(hours=1)
    with house.writing(after) as work:
        sanity.confirm(work, work.today)
        mine = DeletionItem.municipal_task_id == first
        work.session.execute(update(DeletionItem).where(mine).values(notified_at=NOW))
        item_id = work.session.scalars(select(DeletionItem.id).where(mine)).one()
    erasing.delete(house, lambda: after, item_id)
    with house.database.reading() as session:
        archive = session.get_one(DeletionItem, item_id).archive_sha256
        assert session.get_one(MunicipalTask, first).title != "Opgave 1" and archive
    members = checked(koege.made(deletion_id=koege.deletion))
    assert [task["title"] for task in json.loads(members["opgaver.json"])["tasks"]] == [
        "Opgave 1",
        "Opgave 2",
        "Opgave 3",
    ]
    assert sum(name.endswith("/Budget.csv") for name in members) == 1
    house.archive.path(archive).write_bytes(b"spoiled")
    spoiled = koege.made(deletion_id=koege.deletion)
    assert any("Arkivfilen mangler" in sentence for sentence in exports.inventory(spoiled, "zip").missing)
    with house.writing(NOW) as work:
        gone = update(DeletionItem).where(DeletionItem.id == item_id)
        work.session.execute(gone.values(archive_removed_at=after))
    assert set(exports.inventory(koege.made(deletion_id=koege.deletion), "zip").taken) == set(koege.tasks[1:])


def test_one_pdf_of_all_with_bookmarks_and_without_promises(koege: Koege) -> None:
    path = koege.made("pdf", task_ids=koege.tasks[:2])
    with pikepdf.open(path) as document:
        assert not document.open_metadata().pdfa_status
        with document.open_outline() as outline:
            assert [each.title for each in outline.root] == ["Indhold", "MI 01 Opgave 1", "MI 02 Opgave 2"]
    text = text_of(path.read_bytes())
    assert "Opgave 1" in text and "Opgave 2" in text and "Opgave 3" not in text
    assert set(exports.inventory(path, "pdf").taken) == set(koege.tasks[:2])
    with koege.house.database.reading() as session:
        export = session.scalars(select(Export)).one()
        assert "ikke arkivformat" in (export.file_name or "")


def test_ticked_tasks_and_no_others(koege: Koege) -> None:
    path = koege.made("xlsx", task_ids=[koege.tasks[2], koege.elsewhere, koege.tasks[0]])
    rows = list(load_workbook(io.BytesIO(path.read_bytes())).active.iter_rows(values_only=True))
    assert sorted(row[1] for row in rows[1:]) == ["Opgave 1", "Opgave 3"]
    with pytest.raises(RefusedError):
        koege.order(task_ids=[koege.elsewhere])
    with pytest.raises(NotFoundError):
        koege.order("xlsx", deletion_id=koege.deletion)
    with pytest.raises(NotFoundError):
        koege.order(deletion_id=999)
    with pytest.raises(RefusedError, match="ingen opgaver i sletningen"):
        koege.order(actor=koege.kombit, deletion_id=koege.deletion)
    everywhere = koege.order(actor=koege.kombit, task_ids=[koege.elsewhere, koege.tasks[0]])
    assert koege.run() == 1
    assert len(exports.inventory(exports.path_of(koege.folder, everywhere), "zip").taken) == 2
    assert "Budget.csv" not in " ".join(checked(exports.path_of(koege.folder, everywhere)))


def test_the_limits_are_said(koege: Koege, monkeypatch: pytest.MonkeyPatch) -> None:
    few = {**kinds.KINDS, "zip": kinds.Kind("ZIP", "zip", "application/zip", 2, package=True)}
    monkeypatch.setattr("klik.services.exports.ordering.KINDS", few)
    with pytest.raises(RefusedError, match="ZIP kan højst have 2 opgaver ad gangen, og her er 3"):
        koege.order(query="fuldfoerte=ja")
    with pytest.raises(RefusedError, match="ingen opgaver"):
        koege.order(query="q=findesikke")
    with pytest.raises(RefusedError, match=r"højst 5\.000"):
        koege.order(task_ids=range(1, 5_002))


def test_the_right_is_asked_for_at_the_end_too(koege: Koege) -> None:
    export_id = koege.order(task_ids=koege.tasks)
    looked = 0

    def clock() -> object:
        nonlocal looked
        looked += 1
        if looked == 4:
            with koege.house.writing(NOW) as work:
                work.session.execute(
                    update(Membership).where(Membership.id == koege.me.membership_id).values(active=False)
                )
        return NOW

    assert exports.run_waiting(koege.house, koege.folder, clock, 0) == 1  # type: ignore[arg-type]
    export = koege.row(export_id)
    assert (export.state, export.error) == ("fejlet", "Du har ikke længere adgang til at lave udtræk.")
    assert list(koege.folder.iterdir()) == []


def test_a_full_disk_is_said_and_leaves_nothing(koege: Koege, monkeypatch: pytest.MonkeyPatch) -> None:
    export_id = koege.order(task_ids=koege.tasks)
    monkeypatch.setattr("klik.services.exports.running.secrets.token_hex", lambda _length: "full")
    koege.folder.mkdir(parents=True)
    (koege.folder / ".tmp-full-data").symlink_to("/dev/full")
    assert koege.run() == 1
    export = koege.row(export_id)
    assert export.state == "fejlet" and "ikke plads" in (export.error or "")
    assert list(koege.folder.iterdir()) == []


def test_a_stopping_worker_gives_it_back_and_the_next_goes_on(koege: Koege) -> None:
    export_id = koege.order(task_ids=koege.tasks)
    asked = 0

    def stopping() -> bool:
        nonlocal asked
        asked += 1
        return asked > 2

    exports.run_waiting(koege.house, koege.folder, lambda: NOW, 60, stopping)
    assert (koege.row(export_id).state, list(koege.folder.iterdir())) == ("venter", [])
    assert koege.run() == 1
    assert (koege.row(export_id).state, koege.row(export_id).fence) == ("faerdig", 2)


def test_the_same_order_gives_the_same_bytes(koege: Koege) -> None:
    first, second = koege.made(task_ids=koege.tasks), koege.made(task_ids=koege.tasks)
    assert first.read_bytes() == second.read_bytes()
    with koege.house.database.reading() as session:
        assert len(session.scalars(select(ExportProof).where(ExportProof.kind == "pakke")).all()) == 1
