"""When each notice may go into a mail: at once, or in the recipient's mail of the day."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from klik.domain import mail_hours
from klik.domain.deadlines import danish_today
from klik.models import NoticeSettings
from klik.plugins.manager import Registry
from klik.services import access
from klik.services.notices.occasions import OCCASIONS
from klik.services.work import Work

MOST_NAMED = 1000  # people named in a statement; of more, everybody's settings are read
# What belongs to a day's mail, like the reminders: entered later than that, it has missed it.
OF_A_DAY = frozenset({access.OWN_OCCASION, "sletning-rykker"})


def listed(words: str | None) -> tuple[str, ...] | None:
    """The words of a column with commas between; None where nothing was chosen."""
    return None if words is None else tuple(word for word in words.split(",") if word)


def usually_at_once(registry: Registry, occasion: str) -> bool:
    """Whether the occasion does not wait for the daily mail; one that nobody describes does not."""
    rule = registry.notification_rules.get(occasion)
    if rule is not None:
        return rule.at_once
    topic = registry.topics.get(occasion)
    if topic is not None:
        return topic.at_once
    known = OCCASIONS.get(occasion)
    return known is None or known.at_once or known.fixed


@dataclass(frozen=True, slots=True)
class MailTimes:
    """What some people have chosen; whoever is not among ``chosen`` is mailed as everybody usually is."""

    registry: Registry
    chosen: Mapping[int, NoticeSettings]

    def hour(self, person_id: int | None) -> int:
        """O'clock in Denmark."""
        row = self.chosen.get(person_id or 0)
        return row.hour if row else mail_hours.DEFAULT_HOUR

    def at_once(self, person_id: int | None, occasion: str) -> bool:
        """Whether this occasion reaches this person at once: as they chose, else as usual."""
        known = OCCASIONS.get(occasion)
        if known is not None and known.fixed:
            return True
        row = self.chosen.get(person_id or 0)
        words = listed(row.at_once) if row else None
        return usually_at_once(self.registry, occasion) if words is None else occasion in words

    def due_at(
        self,
        person_id: int | None,
        occasion: str,
        now: datetime,
        *,
        about_day: date | None = None,
        can_be_late: bool = True,
    ) -> datetime:
        """When what is entered now may be mailed.

        A reminder belongs to the mail of ``about_day`` and catches up when it missed it, unless ``can_be_late``
        is false: whoever came to a task after its reminder hears of it in the next mail of the day.
        """
        if self.at_once(person_id, occasion):
            return now
        hour = self.hour(person_id)
        if about_day is None or not can_be_late or not self._of_a_day(occasion):
            return mail_hours.next_mail(now, hour)
        return mail_hours.of_day(about_day, now, hour)

    def meant_for(self, person_id: int | None, occasion: str, entered: datetime) -> date:
        """The Danish day on which what was entered then was to be mailed; on a later one it is late."""
        if self.at_once(person_id, occasion):
            return danish_today(entered)
        return danish_today(mail_hours.next_mail(entered, self.hour(person_id)))

    def again(self, person_id: int | None, occasion: str, entered: datetime, now: datetime) -> datetime:
        """When what was entered then and has not gone may go, as things are now."""
        if self.at_once(person_id, occasion):
            return now
        hour = self.hour(person_id)
        planned = mail_hours.next_mail(entered, hour)
        return planned if planned > now else mail_hours.catching_up(now, hour)

    def _of_a_day(self, occasion: str) -> bool:
        return occasion in OF_A_DAY or occasion in self.registry.notification_rules


def of_people(work: Work, people: Iterable[int | None]) -> MailTimes:
    """What these people have chosen, in one statement however many; none when nobody is asked about."""
    wanted: Collection[int] = {person_id for person_id in people if person_id}
    if not wanted:
        return MailTimes(work.registry, {})
    statement = select(NoticeSettings)
    if len(wanted) <= MOST_NAMED:
        statement = statement.where(NoticeSettings.person_id.in_(wanted))
    rows = work.session.scalars(statement)
    return MailTimes(work.registry, {row.person_id: row for row in rows})
