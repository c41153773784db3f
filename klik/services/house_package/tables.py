"""Which tables a municipality's package holds, which rows of them, and what is left out, with the reason.

Every column of a table is in unless it stands in ``left_out`` or in ``NEVER``; a test holds each table of klik
against these lists, so that a new one must be decided on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, Select, and_, or_, select

from klik.models import (
    Base,
    ChecklistItem,
    Comment,
    Deletion,
    DeletionItem,
    Deviation,
    EarlierState,
    FilterDefault,
    Membership,
    MembershipSystem,
    Municipality,
    MunicipalSystem,
    MunicipalTask,
    MunicipalTaskField,
    MunicipalTaskFile,
    Person,
    Project,
    Question,
    ReadMark,
    RoleHolding,
    Round,
    SavedFilter,
    StoredFile,
    System,
    Task,
    TaskChange,
    TaskFile,
    TaskLink,
    TaskVersion,
    TaskVersionField,
    Wave,
)

# Never content: numbers of this database, and what every row of a package shares.
NEVER = frozenset({"id", "municipality_id", "version"})
Rows = Callable[[int], Select[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedTable:
    """One table of a package, as ``data/<name>.json`` and ``tabeller/<name>.csv``.

    ``references`` maps a column to the kind of thing it points at; such a column stands under its name without
    ``_id`` and holds a natural key. ``key``: the kind of thing a row is, if others point at it. ``owner``: the
    column whose thing a row hangs on; it is read in with that thing or not at all. ``natural``: what else tells
    two rows apart.
    """

    name: str
    model: type[Base]
    title: str
    rows: Rows
    references: Mapping[str, str] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()
    key: str | None = None
    owner: str | None = None
    natural: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[Column[Any], ...]:
        """The columns that are in, in the order of the table."""
        out = self.left_out | NEVER
        keys = {"id"} if self.key == "municipality" else set()
        return tuple(
            column for column in self.model.__table__.columns if column.name in keys or column.name not in out
        )

    @property
    def pointing(self) -> Mapping[str, str]:
        """Each column that points at something, with the kind of thing; it-systems by their code everywhere."""
        own = {"system_code": "system"} if "system_code" in self.model.__table__.columns else {}
        return own | dict(self.references)

    def label(self, column: str) -> str:
        """What a column is called in the package."""
        return column.removesuffix("_id") if column in self.references else column


def _with_copies(code: int) -> Select[Any]:
    """The KLIK-opgaver the municipality has; an erased copy takes nothing of its task along."""
    return select(MunicipalTask.task_id).where(
        MunicipalTask.municipality_id == code,
        MunicipalTask.task_id.is_not(None),
        MunicipalTask.erased_at.is_(None),
    )


def _projects(code: int) -> Select[Any]:
    return select(MunicipalTask.project_id).where(MunicipalTask.municipality_id == code)


def _systems(code: int) -> Select[Any]:
    return select(System).where(
        or_(
            System.code.in_(
                select(MunicipalSystem.system_code).where(MunicipalSystem.municipality_id == code)
            ),
            System.code.in_(select(MunicipalTask.system_code).where(MunicipalTask.municipality_id == code)),
            System.code.in_(select(Project.system_code).where(Project.id.in_(_projects(code)))),
            System.code.in_(select(RoleHolding.system_code).where(RoleHolding.municipality_id == code)),
            System.code.in_(
                select(MembershipSystem.system_code)
                .join(Membership, Membership.id == MembershipSystem.membership_id)
                .where(Membership.municipality_id == code)
            ),
        )
    )


def _versions(code: int) -> Select[Any]:
    """What is published; a correction that is being written is KOMBIT's own."""
    return (
        select(TaskVersion)
        .join(Task, Task.id == TaskVersion.task_id)
        .where(Task.id.in_(_with_copies(code)), TaskVersion.number <= Task.current_number)
    )


def _version_ids(code: int) -> Select[Any]:
    return _versions(code).with_only_columns(TaskVersion.id)


def _municipal(model: Any) -> Rows:
    return lambda code: select(model).where(model.municipality_id == code)


def _of_living_tasks(model: Any) -> Rows:
    """Rows on tasks that are not erased."""
    return lambda code: (
        select(model)
        .join(MunicipalTask, MunicipalTask.id == model.municipal_task_id)
        .where(model.municipality_id == code, MunicipalTask.erased_at.is_(None))
    )


def _files(code: int) -> Select[Any]:
    own = _of_living_tasks(MunicipalTaskFile)(code).with_only_columns(MunicipalTaskFile.sha256)
    theirs = select(TaskFile.sha256).where(TaskFile.task_id.in_(_with_copies(code)))
    return select(StoredFile).where(or_(StoredFile.sha256.in_(own), StoredFile.sha256.in_(theirs)))


def _erased_items(code: int) -> Select[Any]:
    return select(DeletionItem).where(DeletionItem.municipality_id == code, DeletionItem.state == "slettet")


_TASK, _PEOPLE = (
    {"municipal_task_id": "municipal_task"},
    {"responsible_id": "person", "executor_id": "person"},
)

TABLES: tuple[PackedTable, ...] = (
    PackedTable(
        name="kommune",
        model=Municipality,
        title="Kommunen, som pakken er fra",
        rows=lambda code: select(Municipality).where(Municipality.id == code),
        left_out=frozenset({"name_key", "active"}),
        key="municipality",
    ),
    PackedTable(
        name="systemer",
        model=System,
        title="It-systemer, som kommunens opgaver og roller hører til",
        rows=_systems,
        left_out=frozenset({"installed"}),
        key="system",
    ),
    PackedTable(
        name="boelger",
        model=Wave,
        title="De bølger, som kommunen går i drift i",
        rows=lambda code: select(Wave).where(
            Wave.id.in_(select(MunicipalSystem.wave_id).where(MunicipalSystem.municipality_id == code))
        ),
        key="wave",
    ),
    PackedTable(
        name="kommunens_systemer",
        model=MunicipalSystem,
        title="Hvilke systemer kommunen har, med bølge og dato for ibrugtagning",
        rows=_municipal(MunicipalSystem),
        references={"wave_id": "wave"},
        natural=("system_code",),
    ),
    PackedTable(
        name="projekter",
        model=Project,
        title="Projekter, som kommunens opgaver hører til",
        rows=lambda code: select(Project).where(Project.id.in_(_projects(code))),
        key="project",
    ),
    PackedTable(
        name="runder",
        model=Round,
        title="Runder, der åbner et projekts faser på ny",
        rows=lambda code: select(Round).where(Round.project_id.in_(_projects(code))),
        references={"project_id": "project"},
        left_out=frozenset({"opened_by"}),
        natural=("project_id", "number"),
    ),
    PackedTable(
        name="personer",
        model=Person,
        title="Kommunens medarbejdere, og navnene på andre, der har skrevet på dens opgaver",
        rows=lambda code: select(Person).where(
            Person.id.in_(select(Membership.person_id).where(Membership.municipality_id == code))
        ),
        left_out=frozenset({"name_key", "email_key", "password_hash", "epoch", "seen_at"}),
        key="person",
    ),
    PackedTable(
        name="medlemskaber",
        model=Membership,
        title="Hvad kommunens medarbejdere må, og siden hvornår",
        rows=_municipal(Membership),
        references={"person_id": "person"},
        key="membership",
    ),
    PackedTable(
        name="medlemskabers_systemer",
        model=MembershipSystem,
        title="De systemer, en medarbejder følger",
        rows=lambda code: (
            select(MembershipSystem)
            .join(Membership, Membership.id == MembershipSystem.membership_id)
            .where(Membership.municipality_id == code)
        ),
        references={"membership_id": "membership"},
        owner="membership_id",
    ),
    PackedTable(
        name="filer",
        model=StoredFile,
        title="Vedhæftede filers størrelse og SHA-256; filerne selv ligger i opgavernes mapper",
        rows=_files,
        left_out=frozenset({"created_at"}),
        key="file",
    ),
    PackedTable(
        name="klik_opgaver",
        model=Task,
        title="KOMBITs KLIK-opgaver, som kommunen har",
        rows=lambda code: select(Task).where(Task.id.in_(_with_copies(code))),
        references={"project_id": "project"},
        left_out=frozenset(
            {"template", "recipients", "vacant_roles", "created_by", "announced_at", "publish_at"}
            | {"publish_problem", "published_by", "recipient_count"}
        ),
        key="task",
    ),
    PackedTable(
        name="klik_opgavers_versioner",
        model=TaskVersion,
        title="KLIK-opgavernes tekst i hver udgivet version",
        rows=_versions,
        references={"task_id": "task"},
        left_out=frozenset({"search_key", "created_by"}),
        key="version",
    ),
    PackedTable(
        name="versioners_felter",
        model=TaskVersionField,
        title="Udvidelsernes felter i en version",
        rows=lambda code: select(TaskVersionField).where(
            TaskVersionField.task_version_id.in_(_version_ids(code))
        ),
        references={"task_version_id": "version"},
        owner="task_version_id",
    ),
    PackedTable(
        name="forudsaetninger",
        model=TaskLink,
        title="Hvilke KLIK-opgaver der forudsætter andre af kommunens",
        rows=lambda code: select(TaskLink).where(
            and_(TaskLink.task_id.in_(_with_copies(code)), TaskLink.needs_task_id.in_(_with_copies(code)))
        ),
        references={"task_id": "task", "needs_task_id": "task"},
        natural=("task_id", "needs_task_id"),
    ),
    PackedTable(
        name="kombits_filer",
        model=TaskFile,
        title="Filer, som KOMBIT har vedhæftet",
        rows=lambda code: select(TaskFile).where(TaskFile.task_id.in_(_with_copies(code))),
        references={"task_id": "task", "sha256": "file"},
        left_out=frozenset({"added_by"}),
        owner="task_id",
    ),
    PackedTable(
        name="opgaver",
        model=MunicipalTask,
        title="Kommunens opgaver; af en slettet opgave står kun, at den var der",
        rows=_municipal(MunicipalTask),
        references={"task_id": "task", "task_version_id": "version", "project_id": "project", **_PEOPLE},
        left_out=frozenset({"number_key", "title_key", "search_key"}),
        key="municipal_task",
    ),
    PackedTable(
        name="opgavers_felter",
        model=MunicipalTaskField,
        title="Udvidelsernes felter på kommunens opgaver",
        rows=_of_living_tasks(MunicipalTaskField),
        references=_TASK,
        owner="municipal_task_id",
    ),
    PackedTable(
        name="historik",
        model=TaskChange,
        title="Hver ændring af en opgave: hvornår, hvem, fra hvad og til hvad",
        rows=_of_living_tasks(TaskChange),
        references=_TASK | {"person_id": "person"},
        owner="municipal_task_id",
    ),
    PackedTable(
        name="tidligere_tilstande",
        model=EarlierState,
        title="Hvordan en opgave stod indtil et tidspunkt",
        rows=_of_living_tasks(EarlierState),
        references=_TASK | {"task_version_id": "version"} | _PEOPLE,
        owner="municipal_task_id",
    ),
    PackedTable(
        name="kommentarer",
        model=Comment,
        title="Kommentarer, også dem, der kun er for kommunen",
        rows=_of_living_tasks(Comment),
        references=_TASK | {"author_id": "person"},
        owner="municipal_task_id",
    ),
    PackedTable(
        name="tjeklister",
        model=ChecklistItem,
        title="Linjerne på opgavernes tjeklister",
        rows=_of_living_tasks(ChecklistItem),
        references=_TASK | {"done_by": "person", "changed_by": "person"},
        owner="municipal_task_id",
    ),
    PackedTable(
        name="egne_filer",
        model=MunicipalTaskFile,
        title="Filer, som kommunen har vedhæftet",
        rows=_of_living_tasks(MunicipalTaskFile),
        references=_TASK | {"sha256": "file", "added_by": "person"},
        owner="municipal_task_id",
    ),
    PackedTable(
        name="set",
        model=ReadMark,
        title="Hvem der har set en opgave, og hvornår",
        rows=_of_living_tasks(ReadMark),
        references=_TASK | {"person_id": "person", "task_version_id": "version"},
        owner="municipal_task_id",
    ),
    PackedTable(
        name="spoergsmaal",
        model=Question,
        title="Kommunens egne spørgsmål til KOMBIT, med svar",
        rows=_of_living_tasks(Question),
        references=_TASK | {"task_id": "task", "asked_by": "person", "answered_by": "person"},
        owner="municipal_task_id",
    ),
    PackedTable(
        name="afvigelser",
        model=Deviation,
        title="Hvor en rettelse fra KOMBIT mødte kommunens egen værdi",
        rows=_of_living_tasks(Deviation),
        references=_TASK | {"task_version_id": "version", "settled_by": "person"},
        owner="municipal_task_id",
    ),
    PackedTable(
        name="rolleindehavere",
        model=RoleHolding,
        title="Hvem der har hvilken rolle, fra og til hvornår",
        rows=_municipal(RoleHolding),
        references={"person_id": "person"},
        natural=("role", "system_code", "person_id", "mailbox", "kind", "valid_from"),
    ),
    PackedTable(
        name="gemte_filtre",
        model=SavedFilter,
        title="Filtre, der er delt i kommunen",
        rows=lambda code: select(SavedFilter).where(
            SavedFilter.municipality_id == code, SavedFilter.shared == "kommune"
        ),
        references={"person_id": "person"},
        left_out=frozenset({"name_key"}),
        key="filter",
    ),
    PackedTable(
        name="standardfiltre",
        model=FilterDefault,
        title="Det delte filter, som et niveau åbner listen med",
        rows=lambda code: (
            select(FilterDefault)
            .join(SavedFilter, SavedFilter.id == FilterDefault.saved_filter_id)
            .where(
                FilterDefault.municipality_id == code,
                SavedFilter.municipality_id == code,
                SavedFilter.shared == "kommune",
            )
        ),
        references={"saved_filter_id": "filter"},
        natural=("level",),
    ),
    PackedTable(
        name="sletninger",
        model=Deletion,
        title="Sletninger, der er gennemført: hvem besluttede dem, og på hvilken hjemmel",
        rows=lambda code: select(Deletion).where(
            Deletion.id.in_(_erased_items(code).with_only_columns(DeletionItem.deletion_id))
        ),
        left_out=frozenset({"state", "announced_by", "query", "note", "regretted_at"}),
        key="deletion",
    ),
    PackedTable(
        name="slettede_opgaver",
        model=DeletionItem,
        title="Regnskabet for hver slettet opgave, med arkivfilens SHA-256",
        rows=_erased_items,
        references=_TASK | {"deletion_id": "deletion", "fetched_by": "person", "receipted_by": "person"},
        left_out=frozenset(
            {
                "hold_reason",
                "hold_until",
                "hold_granted",
                "archive_removed_at",
                "problem",
            }
        ),
        owner="municipal_task_id",
    ),
)
