"""A world of 98 municipalities in which every text says whose it is: ``KANARIE-<code>-<table>-<id>-<column>``.

Køge and Herning have everything there is; the other 96 enough to be seen where they should not. Code 000 marks
what everybody signed in may read, 001 what only KOMBIT may. No two municipalities have the same numbers.
"""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import Column, LargeBinary, MetaData, String, Table, insert, select, text, update
from sqlalchemy.orm import Session

from klik.domain.rights import Level
from klik.domain.status import Status
from klik.installation import Installation
from klik.models import (
    Base,
    BouncedAddress,
    BulkChange,
    BulkChangeItem,
    CalendarFeed,
    ChannelRoute,
    ChecklistItem,
    Comment,
    Deletion,
    DeletionItem,
    Deviation,
    Export,
    ExportProof,
    FilterUse,
    LoginSession,
    Mail,
    Membership,
    Municipality,
    MunicipalTask,
    MunicipalTaskFile,
    Newsletter,
    NewsletterAddress,
    NewsletterRecipient,
    Notice,
    Person,
    PluginAnnouncement,
    PluginEvent,
    Question,
    ReadMark,
    RoleHolding,
    SavedFilter,
    SecretToken,
    StoredFile,
    TaskChange,
    TaskFile,
    TaskLink,
    TopicSubscription,
    guards,
)
from klik.services import auditing, exports
from klik.services.access import MENTION, OWN_OCCASION, SECRET_OCCASION
from klik.services.filestore import FileStore
from klik.services.newsletters.audience import Audience
from klik.services.people import new_passwords, sessions
from klik.services.work import Work
from tests import make
from tests.access import gallery_rows
from tests.make import HERNING, KOEGE, NOW, TODAY

EVERYBODY, KOMBIT = 0, 1
PLACES = (KOEGE, HERNING)
ASSIGNED = "core.assigned"
SECRET = "the-link-mailed-to-the-guest"
# Addresses of nobody in particular, for the links in newsletters.
STAYING, LEFT = "bliver@klik.example", "gaaet@klik.example"
CALENDAR_SECRET = "the-address-of-a-calendar"
LATER = NOW + timedelta(days=300)

OUT = ("anonymous", "signed-out", "disabled")
MUNICIPAL = ("laeser", "bruger", "ansvarlig", "plusbruger", "administrator")
CENTRAL = ("leverandoer", "kombit-redaktoer", "kombit-administrator")
KINDS = (*OUT, *MUNICIPAL, *CENTRAL)
LEVELS = {
    "laeser": Level.READER,
    "bruger": Level.USER,
    "ansvarlig": Level.USER,
    "plusbruger": Level.PLUS_USER,
    "administrator": Level.ADMINISTRATOR,
    "leverandoer": Level.SUPPLIER,
    "kombit-redaktoer": Level.KOMBIT_EDITOR,
    "kombit-administrator": Level.KOMBIT_ADMINISTRATOR,
}

CANARY = re.compile(r"KANARIE-(\d{3})-([a-z_]+)-(\d+)-[a-z]", re.IGNORECASE)
ADDRESSES = frozenset({"email", "email_key", "mailbox", "address"})
# Text that steers klik: words of a vocabulary, hashes, references. It names nobody's content.
STEERING = {
    "audit_entries": "action subject facts previous hash",  # append-only, and ids only by its own test
    "bounced_addresses": "address_key state",
    "bounces": "digest kind",
    "bulk_change_items": "before after",
    "bulk_changes": "field",
    "calendar_feeds": "query hash",
    "channel_routes": "channel system_code occasions",
    "comments": "",
    "control_reports": "details",
    "deletion_items": "state archive_sha256",
    "deletions": "state",
    "discarded_files": "store sha256",
    "export_proofs": "kind code content_key sha256 task_number project exported_by",
    "exports": "kind query state sha256 task_ids",
    "heartbeats": "process detail",
    "job_runs": "job period outcome",
    "ksd_open_tasks": "month title_key title blocks",
    "ky_published": "project number",
    "login_attempts": "subject",
    "login_sessions": "id",
    "mails": "channel message_id state",
    "membership_systems": "system_code",
    "memberships": "level",
    "municipal_systems": "system_code",
    "municipal_task_fields": "field",
    "municipal_task_files": "sha256",
    "municipal_tasks": "system_code task_number phase theme priority status responsible_role executor_role",
    "municipalities": "name name_key region",
    "newsletter_addresses": "address_key",
    "newsletter_recipients": "skipped",
    "newsletters": "audience state",
    "notice_settings": "at_once days_before",
    "notices": "dedupe_key occasion channel path",
    "people": "password_hash",
    "plugin_announcements": "topic dedupe_key path",
    "plugin_events": "event plugin payload",
    "projects": "slug name system_code description",
    "questions": "answer close_reason",  # open ones have neither
    "request_keys": "key action result",
    "role_holdings": "role system_code kind",
    "saved_filters": "query shared",
    "filter_uses": "subscription",
    "filter_defaults": "level",
    "secret_tokens": "purpose hash",
    "stored_files": "sha256 media_type",
    "systems": "code name supplier",
    "topic_subscriptions": "topic",
    "task_changes": "field via",
    "task_files": "sha256",
    "task_version_fields": "field value",
    "task_versions": "phase theme priority responsible_role executor_role deadline_rule deadline_parameter"
    " working_day",
    "tasks": "task_number state template recipients appoints_role vacant_roles",
    "task_steps": "act state note",  # append-only
    "deviations": "field central_old central_new local answer",
    "waves": "system_code slug name",
    **gallery_rows.STEERING,
}


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who asks: what kind, from which municipality (None: central), and the cookie sent along."""

    kind: str
    place: int | None
    person_id: int | None
    cookie: str | None

    @property
    def name(self) -> str:
        """As the report names it."""
        return f"{self.kind} {self.place}" if self.place else self.kind

    @property
    def out(self) -> bool:
        """Whether nobody is signed in."""
        return self.kind in OUT


@dataclass(slots=True)
class World:
    """What was made, by name and municipality, and the answer to who may read which canary."""

    visitors: list[Visitor] = field(default_factory=list)
    ids: dict[tuple[str, int | str | None], int] = field(default_factory=dict)
    people: dict[tuple[str, int | None], int] = field(default_factory=dict)
    place_of_person: dict[int, int | None] = field(default_factory=dict)
    at_home: set[tuple[str, int]] = field(default_factory=set)
    personal: dict[tuple[str, int], int] = field(default_factory=dict)
    of_supplier: set[tuple[str, int]] = field(default_factory=set)
    secret: set[tuple[str, int]] = field(default_factory=set)
    behind_the_link: set[tuple[str, int]] = field(default_factory=set)
    theirs: set[tuple[str, int]] = field(default_factory=set)
    of_municipalities: set[tuple[str, int]] = field(default_factory=set)
    task_counts: dict[int, int] = field(default_factory=dict)
    case_counts: dict[int, int] = field(default_factory=dict)

    def may_read(self, visitor: Visitor, code: int, table: str, row: int) -> bool:
        """The oracle: whether this visitor may meet a canary of this row. It knows nothing of klik's own rules."""
        if (table, row) in self.behind_the_link:
            return True
        if (table, row) in self.secret:
            return False
        if visitor.out:
            return False
        if code == EVERYBODY:
            return True
        level = LEVELS[visitor.kind]
        if (table, row) in self.of_municipalities:
            return level is not Level.SUPPLIER
        owner = self.personal.get((table, row))
        if (table, row) in self.theirs:
            return visitor.person_id == owner
        if owner is not None:
            if table in ("notices", "mails"):  # the account of what was sent, for those who may read it
                ledger = visitor.kind in ("plusbruger", "administrator") and visitor.place == code
                kombit = level.scope == "kombit" and (table, row) not in self.at_home
                return ledger or visitor.person_id == owner or kombit
            return visitor.person_id == owner
        if code == KOMBIT:
            return level.scope == "kombit"
        if level.scope == "municipality":
            return visitor.place == code
        if level is Level.SUPPLIER:
            return (table, row) in self.of_supplier
        return (table, row) not in self.at_home


def build(house: Installation) -> World:
    """Fill an empty installation with the world."""
    with house.database.writing() as session:
        return _Builder(session, house).world()


class _Builder:
    def __init__(self, session: Session, house: Installation) -> None:
        self.session, self.house, self.made = session, house, World()
        self.files: FileStore = house.files

    def world(self) -> World:
        self._central()
        for place in PLACES:
            self._municipality(place)
        self._others()
        self._comments_of_kombit()
        self._guest()
        self._visitors()
        self._plugins()
        self.session.flush()
        self._without("municipal_tasks_stay_erased", "municipal_tasks")
        self._without("export_proofs_stay", "export_proofs")
        self._mark()
        self._come_back()
        guards.install(self.session.connection())
        return self.made

    def _without(self, guard: str, table: str) -> None:
        """Take a guard away until the world is made; it guards the way to a row, not one that is made so."""
        on = "" if self.house.database.sqlite else f" on {table}"
        self.session.execute(text(f"drop trigger if exists {guard}{on}"))

    def _come_back(self) -> None:
        """A mail to everybody came back once, a soft mark that changes nobody's notices and can be taken away."""
        addresses = {
            *self.session.scalars(select(Person.email)),
            *self.session.scalars(select(RoleHolding.mailbox)),
        }
        self.session.execute(
            insert(BouncedAddress),
            [
                {
                    "address_key": key,
                    "state": "blod",
                    "count": 1,
                    "first_at": NOW,
                    "last_at": NOW,
                    "reply": "x",
                }
                for key in sorted({address.strip().casefold() for address in addresses if address})
            ],
        )

    def _add(self, row: Any) -> Any:
        self.session.add(row)
        self.session.flush()
        return row

    def _person(self, kind: str, place: int | None, **more: Any) -> Person:
        row = make.person(self.session, kind, level=LEVELS[kind], municipality=place, **more)
        self.made.people[kind, place] = row.id
        self.made.place_of_person[row.id] = place
        member = self.session.scalar(select(Membership.id).where(Membership.person_id == row.id))
        self.made.ids["membership", f"{kind} {place}"] = member or 0
        return row

    def _central(self) -> None:
        self.projects = {code: make.project(self.session, code, system_code=code) for code in ("kp", "ky")}
        self._person("leverandoer", None, systems=("kp",))
        self.editor = self._person("kombit-redaktoer", None)
        self._person("kombit-administrator", None)
        self.versions = [
            make.task(self.session, in_project=self.projects["kp"]),
            make.task(self.session, in_project=self.projects["kp"]),
            make.task(self.session, in_project=self.projects["ky"]),
        ]
        self.erased = make.task(self.session, in_project=self.projects["kp"])
        self.withdrawn = make.task(self.session, in_project=self.projects["kp"])
        self.of_role = make.task(self.session, in_project=self.projects["kp"])
        draft = make.task(self.session, in_project=self.projects["kp"], state="kladde")
        self.made.ids |= {("task", "draft"): draft.task_id, ("task", "published"): self.versions[0].task_id}
        self.draft = draft
        draft.task.recipients = "259,657"
        self.codes = {draft.task_id: KOMBIT}  # of tasks that are not published
        self._ahead()
        # What is needed by a draft, and by a task of a system that is not the supplier's.
        for needs in (draft, self.versions[2]):
            self._add(TaskLink(task_id=needs.task_id, needs_task_id=self.versions[0].task_id))
        self.made.of_municipalities.add(("task_versions", self.versions[2].id))
        everybodys = self._stored(b"KANARIE-000-task_files-1-content")
        kombits = self._stored(b"KANARIE-001-task_files-3-content")
        for name, version, sha256 in (
            ("kombit_file", self.versions[0], everybodys),
            ("kombit_file-third", self.versions[2], everybodys),
            ("kombit_file-draft", draft, kombits),
        ):
            row = self._add(
                TaskFile(
                    task_id=version.task_id, sha256=sha256, name="x", added_by=self.editor.id, added_at=NOW
                )
            )
            self.made.ids[name, None] = row.id
        self._newsletters()
        gallery_rows.central(self.session, NOW)
        route = self._add(
            ChannelRoute(
                channel="kp.teams",
                system_code="kp",
                occasions="udgivet",
                created_by=self.editor.id,
                created_at=NOW,
            )
        )
        self.made.ids["channel", None] = route.id
        for kind in CENTRAL:
            person = self.made.people[kind, None]
            self._personal_rows(kind, None, person, None)

    def _newsletters(self) -> None:
        """A draft, a planned letter and a sent one with a reader; somebody outside who has left."""
        audience = Audience(levels=(Level.ADMINISTRATOR.value,)).words()
        for name, state in ((None, "kladde"), ("planned", "planlagt"), ("sent", "sendt")):
            letter = self._add(
                Newsletter(
                    subject="x",
                    body="x",
                    audience=audience,
                    state=state,
                    send_at=LATER if name == "planned" else None,
                    sent_at=NOW if name == "sent" else None,
                    created_by=self.editor.id,
                    created_at=NOW,
                )
            )
            self.made.ids["newsletter", name] = letter.id
        self._add(NewsletterRecipient(newsletter_id=letter.id, address="x", reason="x"))
        self._add(NewsletterAddress(address_key=LEFT, unsubscribed_at=NOW))

    def _ahead(self) -> None:
        """What is announced to one municipality each, and what is planned and not announced to anybody."""
        for place in PLACES:
            task = make.task(self.session, in_project=self.projects["ky"], state="kommende").task
            task.recipients, task.announced_at = str(place), NOW
            self.codes[task.id] = place
        planned = make.task(self.session, in_project=self.projects["kp"], state="planlagt").task
        planned.recipients, planned.publish_at = "alle", LATER
        self.codes[planned.id] = KOMBIT
        self.session.flush()

    def _stored(self, content: bytes) -> str:
        sha256 = self.files.put(content)
        if self.session.get(StoredFile, sha256) is None:
            self._add(StoredFile(sha256=sha256, size=len(content), media_type="text/plain", created_at=NOW))
        return sha256

    def _municipality(self, place: int) -> None:
        session, ids = self.session, self.made.ids
        staff = {kind: self._person(kind, place) for kind in MUNICIPAL}
        make.has_system(session, place, "kp")
        make.has_system(session, place, "ky")
        ids["wave", None] = make.wave(session, "b1").id
        ids["project", None] = self.projects["kp"].id
        for name, version in zip(("first", "second", "third"), self.versions, strict=True):
            row = make.municipal_task(
                session, version, municipality=place, responsible=staff["ansvarlig"], executor=staff["laeser"]
            )
            ids[name, place] = row.id
            if version.task.project is self.projects["kp"]:
                self.made.of_supplier.add(("municipal_tasks", row.id))
        locals_here = 2 if place == KOEGE else 5
        for number in range(locals_here):
            row = make.municipal_task(
                session,
                municipality=place,
                local=True,
                in_project=self.projects["kp"],
                responsible=staff["ansvarlig"],
                executor=staff["laeser"],
            )
            ids[("local" if number == 0 else f"local-{number}"), place] = row.id
            self.made.at_home.add(("municipal_tasks", row.id))
        self.made.task_counts[place] = 3 + locals_here
        gone = make.municipal_task(session, self.erased, municipality=place, responsible=staff["ansvarlig"])
        # Erased is seen by nobody.
        self._without("municipal_tasks_erased_after_archive", "municipal_tasks")
        gone.erased_at = NOW
        session.flush()
        ids["erased", place] = gone.id
        closed_task = make.municipal_task(
            session,
            self.withdrawn,
            municipality=place,
            responsible=staff["ansvarlig"],
            executor=staff["laeser"],
        )
        closed_task.withdrawn_at = NOW
        ids["withdrawn", place] = closed_task.id
        for kind, person in staff.items():
            ids[f"comment-withdrawn {kind}", place] = make.comment(session, closed_task, person).id
        self.made.of_supplier.add(("municipal_tasks", closed_task.id))
        for name in ("first", "local"):
            self._hang_on(name, place, staff)
        for kind, person in staff.items():
            self._personal_rows(kind, place, person.id, ids["first", place])
        closed = make.person(session, "closed", level=Level.READER, municipality=place, active=False)
        self.made.place_of_person[closed.id] = place
        member = session.scalars(select(Membership).where(Membership.person_id == closed.id)).one()
        member.active, member.ended_on = False, TODAY
        ids["membership", f"closed {place}"] = member.id
        ids["holding", place] = make.holding(session, holder=staff["bruger"], municipality=place).id
        boxed = make.holding(session, "superbruger", mailbox="x", municipality=place, primary=False)
        ids["mailbox", place] = boxed.id
        rows = gallery_rows.of_place(session, place, staff, ids["holding", place], NOW, LATER.date())
        ids |= {(name, place): row for name, row in rows.items()}
        self._task_of_role(place, staff)
        self._finished(place, staff)
        self._deletions(place)

    def _task_of_role(self, place: int, staff: dict[str, Person]) -> None:
        """A task that is the user's through a role; whoever is "ansvarlig" has only nearly the same role."""
        task = make.municipal_task(self.session, self.of_role, municipality=place)
        # Not through the row itself: the forms are sent with version 1.
        by_role = update(MunicipalTask).where(MunicipalTask.id == task.id)
        self.session.execute(by_role.values(responsible_role="systemansvarlig"))
        self.made.ids["of-role", place] = task.id
        self.made.of_supplier.add(("municipal_tasks", task.id))
        # Where a person stands, the role beside it gives its holder nothing.
        beside = update(MunicipalTask).where(MunicipalTask.id == self.made.ids["first", place])
        self.session.execute(beside.values(executor_role="systemansvarlig"))
        nearly = {"holder": staff["ansvarlig"], "municipality": place, "primary": False}
        make.holding(self.session, "superbruger", **nearly)
        make.holding(self.session, system_code="ky", **nearly)
        coming = make.holding(self.session, **nearly)
        coming.valid_from = TODAY + timedelta(days=1)
        self.made.ids["coming", place] = coming.id
        make.holding(self.session, **nearly).valid_to = TODAY - timedelta(days=1)
        self.session.flush()

    def _finished(self, place: int, staff: dict[str, Person]) -> None:
        """A project that only this municipality has, all done: its systemansvarlig may become plusbruger."""
        project = make.project(self.session, f"ksd-{place}", system_code="ksd")
        version = make.task(self.session, in_project=project)
        make.municipal_task(self.session, version, municipality=place, status=Status.COMPLETED)
        make.holding(self.session, system_code="ksd", holder=staff["laeser"], municipality=place)
        self.made.ids["finished", place] = project.id
        self.made.task_counts[place] += 1

    def _hang_on(self, name: str, place: int, staff: dict[str, Person]) -> None:
        task = self.session.get(MunicipalTask, self.made.ids[name, place])
        assert task is not None
        of = {"municipality_id": place, "municipal_task_id": task.id}
        content = f"KANARIE-{place}-municipal_task_files-0-content-{name}".encode()
        file = self._add(
            MunicipalTaskFile(
                **of, sha256=self._stored(content), name="x", added_by=staff["ansvarlig"].id, added_at=NOW
            )
        )
        self.made.ids[f"file-{name}", place] = file.id
        self.made.at_home |= {("municipal_task_files", file.id), ("municipal_task_files", 0)}
        item = self._add(ChecklistItem(**of, position=1, text="x"))
        self.made.ids[f"item-{name}", place] = item.id
        self.made.at_home.add(("checklist_items", item.id))
        if task.task_version_id is not None:
            deviation = self._add(
                Deviation(**of, field="deadline", task_version_id=task.task_version_id, at=NOW)
            )
            self.made.ids[f"deviation-{name}", place] = deviation.id
            self._add(Deviation(**of, field="responsible", task_version_id=task.task_version_id, at=NOW))
        change = self._add(
            TaskChange(**of, at=NOW, person_id=staff["ansvarlig"].id, field="title", old="x", new="x")
        )
        for kind, person in staff.items():
            for private in (False, True):
                comment = make.comment(self.session, task, person, private=private)
                if private or name == "local":
                    self.made.at_home.add(("comments", comment.id))
                if not private:
                    self.made.ids[f"comment-{name} {kind}", place] = comment.id
        if name == "local":
            self.made.at_home.add(("task_changes", change.id))
        if task.task_id is not None:
            for kind, person in staff.items():
                asked = {"task_id": task.task_id, "asked_by": person.id, "asked_at": NOW}
                self.made.ids[f"question {kind}", place] = self._add(Question(**of, **asked, text="x")).id
            answer = {"answer": "Svar", "answered_by": self.editor.id, "answered_at": NOW}
            for named in (False, True):
                answered = self._add(Question(**of, **asked, **answer, text="x", named=named))
                self.made.of_municipalities.add(("questions", answered.id))
            self._add(Question(**of, **asked, text="x", closed_at=NOW, close_reason="Uden for emnet"))

    def _comments_of_kombit(self) -> None:
        for place in PLACES:
            task = self.session.get(MunicipalTask, self.made.ids["first", place])
            assert task is not None
            for kind in ("kombit-redaktoer", "kombit-administrator"):
                author = self.session.get(Person, self.made.people[kind, None])
                assert author is not None
                self.made.ids[f"comment-first {kind}", place] = make.comment(self.session, task, author).id

    def _bulk_change(self, kind: str, place: int, person: int, task: int) -> None:
        """A bulk change of one task that stands as it was left, so that it can be undone."""
        now = self.session.get_one(MunicipalTask, task)
        change = self._add(
            BulkChange(
                municipality_id=place,
                person_id=person,
                at=NOW,
                field="priority",
                words="ord",
                count=1,
                last_change_id=10**9,
            )
        )
        raw = json.dumps({"priority": {"priority": now.priority}})
        self._add(
            BulkChangeItem(
                bulk_change_id=change.id,
                municipal_task_id=task,
                municipality_id=place,
                version_after=now.version,
                before=raw,
                after=raw,
            )
        )
        self.made.ids[f"bulk {kind}", place] = change.id
        self.made.personal["bulk_changes", change.id] = person

    def _personal_rows(self, kind: str, place: int | None, person: int, task: int | None) -> None:
        """What belongs to one person: filters of every sharing, notices, mails, exports, tokens."""
        session, personal = self.session, self.made.personal
        if place and task and kind in MUNICIPAL and kind != "laeser":
            self._bulk_change(kind, place, person, task)
        shares = (
            ["selv"]
            + (["kommune"] if kind == "administrator" else [])
            + (["alle"] if kind == "kombit-redaktoer" else [])
        )
        for shared in shares:
            row = self._add(
                SavedFilter(
                    person_id=person,
                    municipality_id=place,
                    name=shared,
                    name_key=shared,
                    query="deadline=roed",
                    shared=shared,
                    created_at=NOW,
                )
            )
            self.made.ids[f"filter-{shared} {kind}", place] = row.id
            self._add(FilterUse(person_id=person, saved_filter_id=row.id, pinned=True))
            if shared == "selv":
                personal["saved_filters", row.id] = person
            elif shared == "kommune":
                self.made.at_home.add(("saved_filters", row.id))
        mail = self._add(
            Mail(
                message_id=f"<{person}@klik.example>",
                channel="core.mail",
                person_id=person,
                address="x",
                subject="x",
                content=b"x",
                state="sent",
                next_attempt_at=LATER,
                created_at=NOW,
                expires_at=LATER,
            )
        )
        personal["mails", mail.id] = person
        self.made.ids[f"mail {kind}", place] = mail.id
        self.made.ids[f"notice {kind}", place] = self._notice(
            str(person), place, person, task, mail.id, ASSIGNED
        )
        if place is not None:
            local = self.made.ids["local", place]
            at_home = self._notice(f"local/{person}", place, person, local, mail.id, ASSIGNED)
            self.made.at_home.add(("notices", at_home))
            named = self._notice(f"mention/{person}", place, person, task, mail.id, MENTION)
            self.made.at_home.add(("notices", named))
            secret = self._notice(f"secret/{person}", place, person, None, mail.id, SECRET_OCCASION)
            self.made.secret.add(("notices", secret))
        about_a_filter = self._notice(f"filter/{person}", place, person, None, mail.id, OWN_OCCASION)
        self.made.theirs.add(("notices", about_a_filter))
        export = self._add(
            Export(
                municipality_id=place,
                person_id=person,
                kind="zip",
                query="",
                state="faerdig",
                created_at=NOW,
            )
        )
        personal["exports", export.id] = person
        self.made.ids[f"export {kind}", place] = export.id
        folder = exports.folder_in(self.house.settings.data)
        folder.mkdir(exist_ok=True)
        with zipfile.ZipFile(exports.path_of(folder, export.id), "w") as book:
            book.writestr("manifest.json", '{"code": "", "files": [], "missing": [], "tasks": []}')
        feed = self._calendar(person, hashlib.sha256(f"calendar {person}".encode()).hexdigest())
        personal["calendar_feeds", feed] = person
        self.made.ids[f"calendar {kind}", place] = feed
        letter = self.made.ids["newsletter", None]
        row = self._add(NewsletterRecipient(newsletter_id=letter, person_id=person, address=f"x{person}"))
        personal["newsletter_recipients", row.id] = person
        self._add(
            SecretToken(
                purpose="kalender",
                hash=hashlib.sha256(str(person).encode()).hexdigest(),
                person_id=person,
                created_at=NOW,
            )
        )
        if task is not None and place is not None:
            session.add(
                ReadMark(municipality_id=place, person_id=person, municipal_task_id=task, seen_at=NOW)
            )

    def _calendar(self, person: int, digest: str) -> int:
        """A calendar of a filter that no task passes; returns its id."""
        member = self.session.scalar(select(Membership.id).where(Membership.person_id == person))
        row = self._add(
            CalendarFeed(
                person_id=person,
                membership_id=member,
                name="x",
                query="nummer=ZZ+99",
                hash=digest,
                created_at=NOW,
            )
        )
        return int(row.id)

    def _notice(
        self, key: str, place: int | None, person: int, task: int | None, mail: int, occasion: str
    ) -> int:
        """A notice to somebody about a task; returns its id."""
        row = self._add(
            Notice(
                dedupe_key=f"world/{key}",
                occasion=occasion,
                channel="core.mail",
                municipality_id=place,
                municipal_task_id=task,
                person_id=person,
                address="x",
                reason="x",
                heading="x",
                sentence="x",
                path="/",
                created_at=NOW,
                due_at=NOW,
                mail_id=mail,
            )
        )
        self.made.personal["notices", row.id] = person
        return int(row.id)

    def _deletions(self, place: int) -> None:
        """One announcement that concerns both, and one that concerns this municipality alone."""
        for name, owner, task in (("both", None, "second"), ("alone", place, "third")):
            if ("deletion-" + name, owner) not in self.made.ids:
                row = self._add(
                    Deletion(
                        state="varslet",
                        last_day=LATER.date(),
                        heading="x",
                        legal_basis="x",
                        decided_by="x",
                        decided_on=TODAY,
                        announced_by=self.editor.id,
                        announced_at=NOW,
                        note="x",
                    )
                )
                self.made.ids["deletion-" + name, owner] = row.id
            item = self._add(
                DeletionItem(
                    municipality_id=place,
                    deletion_id=self.made.ids["deletion-" + name, owner],
                    municipal_task_id=self.made.ids[task, place],
                    state="hentet" if name == "both" else "varslet",
                    fetched_at=NOW if name == "both" else None,
                    case_number="x",
                    hold_until=LATER.date() + timedelta(days=30),
                )
            )
            self.made.ids["deleted-" + name, place] = item.id
        proof = self._add(
            ExportProof(
                content_key=f"{place:064d}",
                code=f"{place}2-AAAA-BBBB",
                sha256="0" * 64,
                municipality_id=place,
                municipal_task_id=self.made.ids["first", place],
                exported_at=NOW,
            )
        )
        self.made.ids["proof", place] = proof.id

    def _others(self) -> None:
        codes = self.session.scalars(select(Municipality.id).order_by(Municipality.id)).all()
        for number, place in enumerate(code for code in codes if code not in PLACES):
            person = self._person("plusbruger", place)
            for version in self.versions:
                row = make.municipal_task(self.session, version, municipality=place, responsible=person)
                if version is not self.versions[2]:
                    self.made.of_supplier.add(("municipal_tasks", row.id))
            self.made.at_home.add(("comments", make.comment(self.session, row, person, private=True).id))
            many = 1 + number % 3
            for _ in range(many):
                local = make.municipal_task(
                    self.session, municipality=place, local=True, in_project=self.projects["kp"]
                )
                self.made.at_home.add(("municipal_tasks", local.id))
            self.made.task_counts[place] = 3 + many
            make.holding(self.session, holder=person, municipality=place)

    def _guest(self) -> None:
        """Somebody of KOMBIT's who has been mailed a link for a new password."""
        editors = self.made.ids["membership", "kombit-redaktoer None"]
        guest = self._person("kombit-redaktoer", None, email="gaest@klik.example")
        self.made.ids["membership", "kombit-redaktoer None"] = editors
        self.made.people["guest", None], self.made.people["kombit-redaktoer", None] = guest.id, self.editor.id
        open_to_all = self._calendar(guest.id, hashlib.sha256(CALENDAR_SECRET.encode()).hexdigest())
        self.made.behind_the_link.add(("calendar_feeds", open_to_all))
        self.made.behind_the_link.add(("people", guest.id))
        self._add(
            SecretToken(
                purpose=new_passwords.PURPOSE,
                hash=hashlib.sha256(SECRET.encode()).hexdigest(),
                person_id=guest.id,
                created_at=NOW,
                expires_at=LATER,
            )
        )

    def _visitors(self) -> None:
        self.made.visitors.append(Visitor("anonymous", None, None, None))
        here: list[tuple[str, int | None]] = [(kind, place) for place in PLACES for kind in MUNICIPAL]
        here += [(kind, None) for kind in CENTRAL]
        for kind, place in here:
            person = self.made.people[kind, place]
            self.made.visitors.append(Visitor(kind, place, person, self._cookie(person)))
        gone = make.person(self.session, "gone", level=Level.ADMINISTRATOR)
        self.made.place_of_person[gone.id] = KOEGE
        cookie = self._cookie(gone.id)
        self.session.query(LoginSession).filter_by(person_id=gone.id).delete()
        self.made.visitors.append(Visitor("signed-out", None, None, cookie))
        disabled = make.person(self.session, "disabled", level=Level.ADMINISTRATOR, active=False)
        self.made.place_of_person[disabled.id] = KOEGE
        self.made.visitors.append(Visitor("disabled", None, None, self._cookie(disabled.id)))

    def _cookie(self, person: int) -> str:
        cookie = f"cookie-of-{person}-" + "x" * 20
        member = self.session.scalar(select(Membership.id).where(Membership.person_id == person))
        self._add(
            LoginSession(
                id=hashlib.sha256(cookie.encode()).hexdigest(),
                person_id=person,
                membership_id=member,
                epoch=1,
                created_at=NOW,
                seen_at=NOW,
                expires_at=NOW + sessions.ABSOLUTE,
                browser="x",
            )
        )
        return cookie

    def _plugins(self) -> None:
        """Numbers that cannot be anybody else's, in the plug-ins' own tables; and what is told to plug-ins."""
        open_tasks = self._plugin_table("ksd", "ksd_open_tasks")
        reports = self._plugin_table("ksd", "ksd_reports")
        published = self._plugin_table("ky", "ky_published")
        readiness = self._plugin_table("ky", "ky_readiness")
        for number, place in enumerate(sorted(self.made.task_counts)):
            count = 7_000_000 + number * 37
            self.made.case_counts[place] = count
            line = {"month": "", "title_key": "x", "title": "Manglende attest", "blocks": "udbetaling"}
            self.session.execute(insert(open_tasks), [{"municipality": place, "count": count, **line}])
            self.session.execute(insert(reports), [{"municipality": place, "read_at": NOW}])
            self.session.execute(
                insert(published), [{"municipality": place, "project": "ky", "number": f"KY {number}"}]
            )
            self.session.execute(
                insert(readiness),
                [{"task": 100_000 + number, "municipality": place, "closed": number % 2 == 0, "at": NOW}],
            )
        self._add(
            PluginEvent(
                event="core.changed", plugin="ky", payload="{}", created_at=NOW, next_attempt_at=LATER
            )
        )
        told = PluginAnnouncement(
            topic="taken.out", dedupe_key="x", heading="", sentence="", path="/systemer/kp"
        )
        told.created_at, told.told_at = NOW, NOW
        self._add(told)
        person_id = self.made.people["ansvarlig", KOEGE]
        self._add(TopicSubscription(person_id=person_id, topic="taken.out", since=NOW))
        work = Work(self.session, None, NOW, self.house.registry)
        for place in PLACES:
            auditing.record(work, "proev", f"kommune/{place}", municipality_id=place)

    def _plugin_table(self, plugin: str, name: str) -> Table:
        return self.house.registry.tables[plugin].metadata.tables[name]

    def _mark(self) -> None:
        """Write the canaries over every text that is content."""
        for table in all_tables(self.house):
            columns = content_columns(table)
            if not columns:
                continue
            keys = list(table.primary_key.columns)
            shown = [
                *keys,
                *(table.c[name] for name in ("municipality_id", "person_id", "task_id") if name in table.c),
            ]
            for found in self.session.execute(select(*{column.name: column for column in shown}.values())):
                row = found._mapping
                number = row[keys[0].name] if isinstance(row[keys[0].name], int) else 0
                code = self._owner(table.name, row, number)
                values = {column.name: _canary(code, table.name, number, column) for column in columns}
                if table.name == "role_holdings" and row["person_id"]:
                    del values["mailbox"]  # a person or a mailbox holds a role, never both
                where = [column == row[column.name] for column in keys]
                self.session.execute(table.update().where(*where).values(values))

    def _owner(self, table: str, row: Any, number: int) -> int:
        if row.get("municipality_id"):
            return int(row["municipality_id"])
        made = self.made
        if table in ("people", "memberships", "login_sessions", "saved_filters", "mails", "notices"):
            person = number if table == "people" else row.get("person_id")
            place = made.place_of_person.get(person or 0)
            return place if place else EVERYBODY
        if table in ("tasks", "task_versions", "task_files"):
            return self.codes.get(number if table == "tasks" else row["task_id"], EVERYBODY)
        if table == "deletions":
            alone = [place for place in PLACES if made.ids.get(("deletion-alone", place)) == number]
            return alone[0] if alone else EVERYBODY
        if table == "newsletters" and number == made.ids["newsletter", "sent"]:
            return EVERYBODY
        if table in ("newsletters", "newsletter_recipients", "plugin_events", "plugin_announcements"):
            return KOMBIT
        return number if table == "municipalities" else EVERYBODY


def _canary(code: int, table: str, number: int, column: Column[Any]) -> Any:
    word = f"KANARIE-{code:03d}-{table}-{number}-{column.name}"
    if column.name in ADDRESSES:
        word = f"{word}@klik.example".lower()
    if isinstance(column.type, LargeBinary):
        return word.encode()
    return word


def all_tables(house: Installation) -> list[Table]:
    """Every table of klik and its plug-ins."""
    metadatas: Iterable[MetaData] = (Base.metadata, *(own.metadata for own in house.registry.tables.values()))
    return [table for metadata in metadatas for table in metadata.tables.values()]


def content_columns(table: Table) -> list[Column[Any]]:
    """The columns that hold what people wrote."""
    steering = STEERING.get(table.name, "").split()
    return [
        column
        for column in table.columns
        if isinstance(column.type, String | LargeBinary) and column.name not in steering
    ]


def snapshot(session: Session, tables: Iterable[Table]) -> dict[str, dict[Any, Any]]:
    """Every row of every table by its key."""
    taken = {}
    for table in tables:
        keys = [column.name for column in table.primary_key.columns]
        rows = session.execute(text(f"select * from {table.name}")).mappings()
        taken[table.name] = {tuple(row[key] for key in keys): dict(row) for row in rows}
    return taken


__all__ = ["HERNING", "KOEGE", "Comment", "Visitor", "World", "build"]
