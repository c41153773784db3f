"""What klik knows about a person, handed out (GDPR article 15), and forgetting the person (article 17)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, or_, select, update

from klik.domain.texts import sort_key
from klik.models import (
    AuditEntry,
    Bounce,
    BouncedAddress,
    BulkChange,
    CalendarFeed,
    Comment,
    Departure,
    EarlierState,
    Export,
    FilterUse,
    ListSettings,
    LoginSession,
    Mail,
    Membership,
    MunicipalTask,
    MunicipalTaskFile,
    NewsletterAddress,
    NewsletterRecipient,
    Notice,
    NoticeSettings,
    Person,
    Question,
    ReadMark,
    RoleAnswer,
    RoleHolding,
    SavedFilter,
    SecretToken,
    TaskChange,
    TopicSubscription,
)
from klik.services import access, auditing
from klik.services.errors import RefusedError
from klik.services.people import sessions, traces
from klik.services.work import Work

NAME = "Tidligere medarbejder"
# Nothing can be mailed there: RFC 2606 keeps the domain out of use.
DOMAIN = "slettet.invalid"


def insight(work: Work, person: Person) -> Mapping[str, Any]:
    """Everything klik holds about the person, by Danish headings; plain values that JSON can carry."""
    person_id = person.id

    def rows(model: Any, condition: Any, *columns: str) -> list[dict[str, Any]]:
        found = work.session.scalars(select(model).where(condition).order_by(*model.__table__.primary_key))
        return [{name: traces.plain(getattr(row, name)) for name in columns} for row in found]

    mine = or_(MunicipalTask.responsible_id == person_id, MunicipalTask.executor_id == person_id)
    mails = or_(Mail.person_id == person_id, Mail.address == person.email)
    return {
        "person": {
            name: traces.plain(getattr(person, name))
            for name in (
                *("id", "name", "email", "phone", "active"),
                *("created_at", "seen_at", "anonymised_at"),
            )
        }
        | {"har_adgangskode": person.password_hash is not None},
        "adgange": [
            {
                "kommune": member.municipality_id,
                "virksomhed": member.organisation,
                "niveau": member.level,
                "systemer": sorted(link.system_code for link in member.systems),
                "aktiv": member.active,
                "fra": traces.plain(member.since),
                "til": traces.plain(member.ended_on),
            }
            for member in work.session.scalars(
                select(Membership).where(Membership.person_id == person_id).order_by(Membership.id)
            )
        ],
        "roller": rows(
            RoleHolding,
            RoleHolding.person_id == person_id,
            *("id", "municipality_id", "role", "system_code", "kind", "is_primary"),
            *("valid_from", "valid_to", "confirmed_at", "note"),
        ),
        "opgaver": [
            {
                "id": task.id,
                "kommune": task.municipality_id,
                "nummer": task.task_number,
                "titel": task.title,
                "ansvarlig": task.responsible_id == person_id,
                "udfoerer": task.executor_id == person_id,
                "status": task.status,
            }
            for task in work.session.scalars(select(MunicipalTask).where(mine).order_by(MunicipalTask.id))
        ],
        "opgaver_foer": rows(
            EarlierState,
            or_(EarlierState.responsible_id == person_id, EarlierState.executor_id == person_id),
            *("municipal_task_id", "until", "responsible_id", "executor_id"),
        ),
        "kommentarer": rows(
            Comment, Comment.author_id == person_id, "id", "municipal_task_id", "at", "text", "private"
        ),
        "spoergsmaal": rows(
            Question,
            or_(Question.asked_by == person_id, Question.answered_by == person_id),
            *("id", "task_id", "asked_at", "text", "named", "answer", "answered_at"),
        ),
        "aendringer": rows(
            TaskChange,
            TaskChange.person_id == person_id,
            "id",
            "municipal_task_id",
            "at",
            "field",
            "old",
            "new",
        ),
        "filer": rows(
            MunicipalTaskFile,
            MunicipalTaskFile.added_by == person_id,
            *("id", "municipal_task_id", "name", "added_at"),
        ),
        "laest": rows(ReadMark, ReadMark.person_id == person_id, "municipal_task_id", "seen_at"),
        "gemte_filtre": rows(SavedFilter, SavedFilter.person_id == person_id, "id", "name"),
        "brug_af_filtre": rows(
            FilterUse,
            FilterUse.person_id == person_id,
            *("saved_filter_id", "pinned", "is_default", "subscription"),
        ),
        "kalendere": rows(
            CalendarFeed,
            CalendarFeed.person_id == person_id,
            *("id", "name", "created_at", "fetched_at", "revoked_at"),
        ),
        "listen": rows(ListSettings, ListSettings.person_id == person_id, "columns", "page_size", "grouping"),
        "varsling": rows(
            NoticeSettings, NoticeSettings.person_id == person_id, "hour", "at_once", "days_before"
        ),
        "varsler": rows(
            Notice,
            # The secret of a password link is a key and not a fact about the person.
            or_(Notice.person_id == person_id, Notice.address == person.email)
            & (Notice.occasion != access.SECRET_OCCASION),
            *("id", "occasion", "address", "heading", "sentence", "created_at", "read_at"),
        ),
        "mails": rows(Mail, mails, "id", "address", "subject", "state", "created_at", "sent_at"),
        "mails_retur": rows(
            Bounce, Bounce.address == person.email, "received_at", "address", "kind", "status", "reply"
        ),
        "nyhedsbreve": rows(
            NewsletterRecipient,
            or_(NewsletterRecipient.person_id == person_id, NewsletterRecipient.address == person.email),
            *("id", "newsletter_id", "address"),
        ),
        "nyhedsbreve_valg": rows(
            NewsletterAddress,
            NewsletterAddress.address_key == person.email_key,
            *("asked_at", "confirmed_at", "unsubscribed_at"),
        ),
        "eksporter": rows(Export, Export.person_id == person_id, "id", "created_at"),
        "sessioner": rows(
            LoginSession,
            LoginSession.person_id == person_id,
            "created_at",
            "seen_at",
            "expires_at",
            "browser",
        ),
        "haendelser": rows(
            AuditEntry,
            or_(AuditEntry.person_id == person_id, AuditEntry.subject == f"person/{person_id}"),
            *("id", "at", "action", "subject"),
        ),
    } | traces.of(work, person)


def readable(facts: Mapping[str, Any]) -> str:
    """The same as text: a heading a group, a line a row."""
    lines: list[str] = []
    for heading, content in facts.items():
        rows: Sequence[Mapping[str, Any]] = content if isinstance(content, list) else [content]
        lines += [f"{heading.capitalize()} ({len(rows)})", *(f"  {_line(row)}" for row in rows), ""]
    return "\n".join(lines).rstrip()


def _line(row: Mapping[str, Any]) -> str:
    return "; ".join(f"{name}: {value}" for name, value in row.items() if value not in (None, "", []))


def anonymise(work: Work, person: Person) -> None:
    """Forget who the person was: no name, address, phone, password or session; what they did stays, by nobody.

    Roles and access end. Comments, history and the audit trail keep the id, which leads to no name any more.
    Notices and mails that carried the address lose it; a mail not yet sent is never sent.
    Raises RefusedError for somebody who is anonymised already.
    """
    if person.anonymised_at is not None:
        raise RefusedError({"person": "Personen er allerede anonymiseret."})
    session, gone = work.session, f"tidligere-{person.id}@{DOMAIN}"
    sessions.sign_out_everywhere(work, person)
    session.execute(delete(SecretToken).where(SecretToken.person_id == person.id))
    session.execute(
        update(CalendarFeed)
        .where(CalendarFeed.person_id == person.id, CalendarFeed.revoked_at.is_(None))
        .values(revoked_at=work.now)
    )
    _end_roles(work, person)
    for member in session.scalars(select(Membership).where(Membership.person_id == person.id)):
        member.active, member.ended_on = False, member.ended_on or work.today
    _forget_mail(work, person, gone)
    session.execute(delete(FilterUse).where(FilterUse.person_id == person.id))
    own = select(SavedFilter.id).where(SavedFilter.person_id == person.id, SavedFilter.shared == "selv")
    # Others may still have a star on what was shared with them once.
    session.execute(delete(FilterUse).where(FilterUse.saved_filter_id.in_(own)))
    session.execute(delete(SavedFilter).where(SavedFilter.id.in_(own)))
    session.execute(delete(ListSettings).where(ListSettings.person_id == person.id))
    session.execute(delete(NoticeSettings).where(NoticeSettings.person_id == person.id))
    session.execute(delete(TopicSubscription).where(TopicSubscription.person_id == person.id))
    session.execute(delete(BouncedAddress).where(BouncedAddress.address_key == person.email.casefold()))
    session.execute(delete(NewsletterAddress).where(NewsletterAddress.address_key == person.email_key))
    session.execute(update(Bounce).where(Bounce.address == person.email).values(address=gone, reply=""))
    _forget_history(work, person)
    _forget_words(work, person)
    person.name, person.name_key = NAME, sort_key(NAME)
    person.email = person.email_key = gone
    person.phone = person.password_hash = person.seen_at = None
    person.active = False
    person.anonymised_at = work.now
    session.flush()
    auditing.record(work, "person-anonymiser", f"person/{person.id}")


def _forget_words(work: Work, person: Person) -> None:
    """Sentences klik itself wrote with the name in them, proposals of the person, and notes on the leaving."""
    session, at_home = (
        work.session,
        select(Membership.municipality_id).where(Membership.person_id == person.id),
    )
    session.execute(
        update(RoleAnswer)
        .where(RoleAnswer.proposed_email == person.email)
        .values(proposed_name=NAME, proposed_email=None, note=None)
    )
    session.execute(update(RoleAnswer).where(RoleAnswer.person_id == person.id).values(note=None))
    session.execute(update(Departure).where(Departure.person_id == person.id).values(note=None))
    session.execute(
        update(RoleHolding)
        .where(RoleHolding.mailbox == person.email)
        .values(mailbox=f"tidligere-{person.id}@{DOMAIN}")
    )
    for words in (Notice.heading, Notice.sentence):
        session.execute(
            update(Notice)
            .where(Notice.municipality_id.in_(at_home), words.contains(person.name, autoescape=True))
            .values({words: func.replace(words, person.name, NAME)})
        )
    session.execute(
        update(BulkChange)
        .where(
            BulkChange.municipality_id.in_(at_home), BulkChange.words.contains(person.name, autoescape=True)
        )
        .values(words=func.replace(BulkChange.words, person.name, NAME))
    )


def _end_roles(work: Work, person: Person) -> None:
    held = select(RoleHolding).where(RoleHolding.person_id == person.id)
    for holding in work.session.scalars(held):
        holding.note = None
        if holding.valid_to is None or holding.valid_to > work.today:
            # One that was to begin later ends on its first day: a period cannot end before it begins.
            holding.valid_to = max(work.today, holding.valid_from)


def _forget_mail(work: Work, person: Person, gone: str) -> None:
    to_them = or_(Notice.person_id == person.id, Notice.address == person.email)
    work.session.execute(
        update(Notice)
        .where(to_them, Notice.mail_id.is_(None), Notice.withdrawn_at.is_(None))
        .values(withdrawn_at=work.now, withdrawal_reason="Personen er anonymiseret")
    )
    work.session.execute(update(Notice).where(to_them).values(address=gone))
    sent_to_them = or_(Mail.person_id == person.id, Mail.address == person.email)
    work.session.execute(
        update(Mail)
        .where(sent_to_them, Mail.state.in_(("pending", "claimed", "in_doubt")))
        .values(state="stale")
    )
    work.session.execute(update(Mail).where(sent_to_them).values(address=gone, content=b"", reply=None))
    work.session.execute(
        update(NewsletterRecipient)
        .where(or_(NewsletterRecipient.person_id == person.id, NewsletterRecipient.address == person.email))
        .values(address=gone)
    )


def _forget_history(work: Work, person: Person) -> None:
    """The history of tasks holds shown words: where somebody was put on a task, the name itself."""
    at_home = select(Membership.municipality_id).where(Membership.person_id == person.id)
    for field in (TaskChange.old, TaskChange.new):
        work.session.execute(
            update(TaskChange)
            .where(
                field == person.name,
                TaskChange.field.in_(("responsible", "executor")),
                TaskChange.municipality_id.in_(at_home),
            )
            .values({field: NAME})
        )
