"""Workarounds end when the release comes that they hold until (seed 002: "anbefalinger ang. ophør i brug af")."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select, update

from klik.plugins import PluginContext, long_date
from klik.plugins.driftsside.entries import Tables
from klik.plugins.driftsside.nouns import ERROR, RELEASE


def end_workarounds(
    context: PluginContext, tables: Tables, topic: str, address: Callable[[int], str]
) -> tuple[int, ...]:
    """Mark what has ended by today, and tell the topic's subscribers of each once; the ids of the known errors.

    Late or done twice it comes out the same: an error is marked with its release's own day, and told of by error and
    release.
    """
    assert context.store is not None
    assert context.klik is not None
    errors, releases = tables[ERROR.slug], tables[RELEASE.slug]
    due = context.store.execute(
        select(errors.c.id, errors.c.title, releases.c.id, releases.c.title, releases.c.released_on)
        .join_from(errors, releases, releases.c.id == errors.c.until_release)
        .where(
            releases.c.released_on <= context.today, errors.c.ended_on.is_(None), errors.c.workaround != ""
        )
        .order_by(errors.c.id)
    ).all()
    for error_id, title, release_id, release, day in due:
        context.store.execute(update(errors).where(errors.c.id == error_id).values(ended_on=day))
        context.klik.tell(
            topic,
            f"ophoer/{error_id}/{release_id}",
            f"Workaround ophører: {title}"[:200],
            f"Release {release} kom den {long_date(day)}. Brug ikke længere den workaround, der er anvist til fejlen.",
            address(error_id),
        )
    return tuple(row[0] for row in due)
