"""What stood in the filters themselves moves with the migration into each person's use of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text

from klik.installation import Installation
from klik.models import Base
from klik.services import schema
from tests.conftest import make_settings

BEFORE = "0005"
ROWS = (
    # name, municipality, star, default, mail
    ("Stjerne", 259, True, False, "ingen"),
    ("Standard", 259, False, True, "dagligt"),
    ("Andetsteds", 657, False, False, "ugentligt"),
    ("Kun gemt", 259, False, False, "ingen"),
)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Installation:
    url = ""
    if request.param == "postgresql":
        make_database: Callable[[str], str] = request.getfixturevalue("fresh_postgres_database")
        url = make_database("filteruses")
    return Installation(make_settings(tmp_path, url))


def test_star_default_and_mail_are_moved_and_nothing_is_lost(empty: Installation) -> None:
    with empty.database.writing() as session:
        config = schema._config(session.connection(), Base.metadata, schema.core_versions(), None)
        command.upgrade(config, BEFORE)
        for code in (259, 657):
            session.execute(
                text(
                    "insert into municipalities (id, name, name_key, region, version) values (:code, 'x', 'x', 'x', 1)"
                ),
                {"code": code},
            )
        session.execute(
            text(
                "insert into people (id, name, name_key, email, email_key, active, epoch,"
                " created_at, version) values (1, 'x', 'x', 'x', 'x', true, 1, '2026-11-01', 1)"
            )
        )
        session.execute(
            text(
                "insert into memberships (id, person_id, municipality_id, level, active, since, version)"
                " values (7, 1, 259, 'plusbruger', true, '2026-01-01', 1)"
            )
        )
        for number, (name, code, star, default, mail) in enumerate(ROWS, start=1):
            session.execute(
                text(
                    "insert into saved_filters (id, person_id, municipality_id, name, name_key, query, shared,"
                    " pinned, is_default, subscription, created_at, version) values (:number, 1, :code, :name,"
                    " :name_key, 'deadline=roed', 'selv', :star, :default, :mail, '2026-11-05 08:00:00+00:00', 3)"
                ),
                {
                    "number": number,
                    "code": code,
                    "name": name,
                    "name_key": name,
                    "star": star,
                    "default": default,
                    "mail": mail,
                },
            )
    schema.upgrade(empty.database, None)
    with empty.database.reading() as session:
        uses = session.execute(
            text(
                "select saved_filter_id, pinned, is_default, subscription, membership_id from filter_uses"
                " order by saved_filter_id"
            )
        ).all()
        kept = session.execute(text("select name, query, version from saved_filters order by id")).all()
    empty.close()
    # Nobody can be mailed with the rights of a place they do not belong to.
    assert [tuple(row) for row in uses] == [
        (1, True, False, "ingen", 7),
        (2, False, True, "dagligt", 7),
        (3, False, False, "ingen", None),
    ]
    assert [tuple(row) for row in kept] == [(name, "deadline=roed", 3) for name, *_ in ROWS]
