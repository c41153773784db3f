"""Where nobody holds a role that a task needs: a task "Udpeg …" for exactly those municipalities."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select

from klik.content.roles import RoleDescription
from klik.domain.status import OPEN_STATUSES
from klik.models import MunicipalTask, Project, Task
from klik.plugins.contributions import TaskTemplate
from klik.services.holders import primary_of
from klik.services.notices.recipients import PROGRAMME_LEADER
from klik.services.publishing.audience import LISTED, RecipientChoice
from klik.services.publishing.drafts import draft_of
from klik.services.publishing.publication import Published, publish
from klik.services.publishing.text import Draft, check
from klik.services.work import Work

THEME = "projektstyring-og-ledelse"
PARTS = {"responsible_role": "ansvarlige", "executor_role": "udførende"}


@dataclass(frozen=True, slots=True)
class MissingRole:
    """A role of a task that municipalities lack: ``part`` is "ansvarlige" or "udførende", or both.

    ``lacking`` and ``standing`` are names by code; in the latter an open task "Udpeg …" stands already.
    """

    role: str
    name: str
    part: str
    title: str
    lacking: Mapping[int, str]
    standing: Mapping[int, str]

    @property
    def offered(self) -> tuple[int, ...]:
        """The codes that a task "Udpeg …" can be made for."""
        return tuple(code for code in self.lacking if code not in self.standing)


def missing_roles(
    work: Work, draft: Draft, project: Project, names: Mapping[int, str]
) -> tuple[MissingRole, ...]:
    """The draft's roles that nobody holds in some of these municipalities; two statements however many."""
    parts: dict[str, list[str]] = {}
    for field, part in PARTS.items():
        if role := getattr(draft, field):
            parts.setdefault(role, []).append(part)
    if not parts:
        return ()
    holders = primary_of(work, names, project.system_code, parts)
    lacking = {
        role: {code: name for code, name in names.items() if holders.lacks(code, role)} for role in parts
    }
    wanted = [role for role, there in lacking.items() if there]
    standing = _standing(work, project, wanted, {code for role in wanted for code in lacking[role]})
    return tuple(
        MissingRole(
            role=role,
            name=work.registry.content.role(role).name,
            part=" og ".join(parts[role]),
            title=appointment(work, project, role, draft.phase).title,
            lacking=lacking[role],
            standing={code: name for code, name in lacking[role].items() if (code, role) in standing},
        )
        for role in wanted
    )


def _standing(
    work: Work, project: Project, roles: Sequence[str], codes: Collection[int]
) -> set[tuple[int, str]]:
    """Where an open task that appoints the role stands already, for this system, by municipality and role."""
    if not roles:
        return set()
    titles = {appointment(work, project, role, "").title: role for role in roles}
    rows = work.session.execute(
        select(MunicipalTask.municipality_id, Task.appoints_role, MunicipalTask.title)
        .join(Task, Task.id == MunicipalTask.task_id)
        .where(
            MunicipalTask.project_id == project.id,
            MunicipalTask.municipality_id.in_(codes),
            MunicipalTask.status.in_(sorted(OPEN_STATUSES)),
            MunicipalTask.withdrawn_at.is_(None),
            MunicipalTask.erased_at.is_(None),
            or_(Task.appoints_role.in_(roles), MunicipalTask.title.in_(list(titles))),
        )
    )
    found = ((code, role or titles.get(title)) for code, role, title in rows)
    return {(code, role) for code, role in found if role in roles}


def appoint(
    work: Work, published: Published, codes: Sequence[int], roles: Collection[str]
) -> Mapping[str, int]:
    """Publish, with a task just published to these municipalities, a task "Udpeg …" to those who lack a role.

    In the same transaction, so all or nothing, and nothing at a second press. Gives the count of municipalities
    by title. Raises RefusedError.
    """
    made: dict[str, int] = {}
    if published.repeated or not roles:
        return made
    task = work.session.get_one(Task, published.task_id)
    draft = draft_of(work, task.id)
    for missing in missing_roles(work, draft, task.project, dict.fromkeys(codes, "")):
        if missing.role in roles and missing.offered:
            wanted = appointment(work, task.project, missing.role, draft.phase)
            second = publish(work, wanted, missing.offered)
            listed = RecipientChoice(LISTED, tuple(f"{code:03d}" for code in missing.offered))
            work.session.get_one(Task, second.task_id).recipients = listed.words()
            made[wanted.title] = second.municipalities
    work.session.flush()
    return made


def appointment(work: Work, project: Project, role: str, phase: str) -> Draft:
    """The task "Udpeg …" for a role: the plug-in's own where it has one, else made of the role's text."""
    described = work.registry.content.role(role)
    template = _template(work, project, described)
    if template is not None:
        draft = Draft.from_template(template, project.slug)
        if not check(work, draft):
            return draft
    lines = "\n".join(f"- {line}" for line in described.tasks)
    return Draft(
        project=project.slug,
        title=f"Udpeg {_in_sentence(described.name)}",
        phase=phase,
        theme=THEME,
        purpose=described.summary,
        description=described.description + (f"\n\nRollen omfatter:\n\n{lines}" if lines else ""),
        how_to="Find den rette, aftal rollen, og skriv vedkommende på under Roller her i klik.",
        result=f"Rollen {described.name} er besat og står i rollegalleriet.",
        responsible_role=PROGRAMME_LEADER if role != PROGRAMME_LEADER else None,
        appoints_role=role,
    )


def _template(work: Work, project: Project, role: RoleDescription) -> TaskTemplate | None:
    fitting = [
        template
        for template in work.registry.task_types.values()
        if template.system in (project.system_code, None) and template.appoints_role == role.slug
    ]
    return next(iter(sorted(fitting, key=lambda template: template.system is None)), None)


def _in_sentence(name: str) -> str:
    return name if name[:2].isupper() else name[:1].lower() + name[1:]
