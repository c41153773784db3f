"""What a plug-in is handed when klik calls it: its context, and klik's own answers within what the actor may see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import func, select

from klik.domain.rights import Right
from klik.domain.status import OPEN_STATUSES
from klik.models import Membership, Municipality, MunicipalTask, Person, PluginAnnouncement
from klik.plugins.context import PluginContext, PluginStore
from klik.plugins.manager import plugin_of
from klik.plugins.views import HolderView, MunicipalityView, MunicipalTaskView, ProgressView
from klik.services import holders, views
from klik.services.access.people import memberships
from klik.services.access.tasks import visible
from klik.services.overview import count_of
from klik.services.work import Work

LONGEST_HEADING, LONGEST_SENTENCE, LONGEST_KEY, LONGEST_PATH = 200, 2_000, 120, 300


class TellingError(Exception):
    """A plug-in tells of a topic that is not its own, or in words that are too long."""


def context(work: Work, plugin: str, *, tables: bool = True) -> PluginContext:
    """What a plug-in is handed; ``tables`` false where no transaction may be open (channels)."""
    prefix = f"KLIK_{plugin.upper()}_"
    store = PluginStore(work.session, f"{plugin}_") if tables else None
    actor = work.actor
    return PluginContext(
        plugin=plugin,
        now=work.now,
        today=work.today,
        municipality=actor.municipality_id if actor else None,
        person_id=actor.person_id if actor else None,
        person_name=actor.name if actor else "",
        place=actor.place if actor else "klik",
        systems=actor.systems if actor else frozenset(),
        rights=frozenset(right for right in Right if actor is None or actor.has(right)),
        kombit=actor is None or actor.kombit,
        store=store,
        klik=_Klik(work, plugin, store) if store is not None else None,
        settings={
            name: value for name, value in work.registry.plugin_settings.items() if name.startswith(prefix)
        },
    )


def looked_up(context: PluginContext) -> Sequence[tuple[int, int]]:
    """Whose role galleries the plug-in was told of in this call: municipality and how many names."""
    return context.klik.looked_up if isinstance(context.klik, _Klik) else ()


class _Klik:
    """klik.plugins.context.Klik for one call; it ends with the call's store."""

    def __init__(self, work: Work, plugin: str, store: PluginStore) -> None:
        self._work, self._plugin, self._store = work, plugin, store
        self.looked_up: list[tuple[int, int]] = []

    def municipalities(self, system: str | None = None) -> tuple[MunicipalityView, ...]:
        """All of them, by name."""
        with self._store.held():
            codes = self._work.session.scalars(select(Municipality.id)).all()
            found = views.municipality_views(self._work, codes, system)
        return tuple(sorted(found, key=lambda each: each.name))

    def tasks(self, system: str, municipality: int | None = None) -> tuple[MunicipalTaskView, ...]:
        """The municipality's tasks of the system; the door decides which of them the actor sees."""
        place = self._place(municipality)
        if place is None:
            return ()
        with self._store.held():
            rows = self._work.session.scalars(
                select(MunicipalTask)
                .where(
                    visible(self._work),
                    MunicipalTask.municipality_id == place,
                    MunicipalTask.system_code == system,
                    MunicipalTask.withdrawn_at.is_(None),
                )
                .order_by(MunicipalTask.task_number, MunicipalTask.id)
            ).all()
            found = views.municipal_task_views(self._work, rows)
        phases = [phase.slug for phase in self._work.registry.content.phases]
        return tuple(sorted(found, key=lambda task: phases.index(task.phase)))

    def holders(self, system: str, municipality: int | None = None) -> tuple[HolderView, ...]:
        """Who holds the roles today, vacant ones without a name."""
        place = self._place(municipality)
        if place is None or not self._may(Right.READ_ROLES):
            return ()
        roles = [role for role in self._work.registry.content.roles if not role.is_retired]
        fitting = [role for role in roles if not role.systems or system in role.systems]
        with self._store.held():
            held = holders.of_roles(self._work, {place}, {role.slug for role in fitting})
        found = tuple(
            HolderView(
                role=role.slug,
                role_name=role.name,
                system=holder.system if holder else None,
                name=holder.name if holder else None,
                primary=bool(holder and holder.primary),
                person=holder.person_id if holder else None,
            )
            for role in fitting
            for holder in (holders.fitting(held.get((place, role.slug), ()), system) or [None])
        )
        self.looked_up.append((place, sum(each.name is not None for each in found)))
        return found

    def progress(self, system: str, phases: Iterable[str]) -> Mapping[int, ProgressView]:
        """What KOMBIT published, counted as the door lets the actor see it; one statement."""
        task = MunicipalTask
        closed = task.status.not_in([status.value for status in OPEN_STATUSES])
        with self._store.held():
            rows = self._work.session.execute(
                select(task.municipality_id, func.count(), count_of(closed))
                .where(
                    visible(self._work),
                    task.task_id.is_not(None),
                    task.withdrawn_at.is_(None),
                    task.system_code == system,
                    task.phase.in_(sorted(set(phases))),
                )
                .group_by(task.municipality_id)
            ).all()
        return {code: ProgressView(tasks=tasks, closed=done) for code, tasks, done in rows}

    def filled(self, system: str, role: str) -> frozenset[int]:
        """Where a person at work or a mailbox stands behind the role; a substitute alone does not fill it."""
        if not self._may(Right.READ_ROLES):
            return frozenset()
        actor = self._work.actor
        places = select(Municipality.id)
        if actor is not None and not actor.kombit:
            places = places.where(Municipality.id == actor.municipality_id)
        with self._store.held():
            held = holders.primary_of(self._work, self._work.session.scalars(places).all(), system, [role])
        return frozenset(code for code, _role in held.held if not held.lacks(code, role))

    def names(self, people: Iterable[int]) -> Mapping[int, str]:
        """Who they are, as long as they belong to the actor's place."""
        with self._store.held():
            rows = self._work.session.execute(
                select(Person.id, Person.name)
                .join(Membership, Membership.person_id == Person.id)
                .where(Person.id.in_(sorted(set(people))), memberships(self._work))
            )
            return {row.id: row.name for row in rows}

    def tell(self, topic: str, key: str, heading: str, sentence: str, path: str) -> None:
        """Write it down once; who subscribes is told of it when this is stored (klik.services.topics)."""
        if plugin_of(topic) != self._plugin or topic not in self._work.registry.topics:
            raise TellingError(f"{topic} is no topic of {self._plugin}")
        limits = {key: LONGEST_KEY, heading: LONGEST_HEADING, sentence: LONGEST_SENTENCE, path: LONGEST_PATH}
        if any(not text or len(text) > limit for text, limit in limits.items()):
            raise TellingError(f"{topic}: a text is missing or too long")
        with self._store.held(writes=True):
            session = self._work.session
            known = select(PluginAnnouncement.id).where(
                PluginAnnouncement.topic == topic, PluginAnnouncement.dedupe_key == key
            )
            if session.scalar(known) is None:
                session.add(
                    PluginAnnouncement(
                        topic=topic,
                        dedupe_key=key,
                        heading=heading,
                        sentence=sentence,
                        path=path,
                        created_at=self._work.now,
                        told_at=None,
                    )
                )
                session.flush()

    def _place(self, municipality: int | None) -> int | None:
        actor = self._work.actor
        if actor is not None and not actor.kombit:
            return actor.municipality_id
        return municipality

    def _may(self, right: Right) -> bool:
        actor = self._work.actor
        return actor is None or actor.has(right)
