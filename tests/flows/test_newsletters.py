"""A newsletter through real processes that are killed while they make its mails: everybody gets it, nobody twice."""

from __future__ import annotations

import os
import random
import sys
import time
from collections import Counter
from dataclasses import replace

import pytest
from sqlalchemy import func, insert, select, update

from klik import jobs
from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import Mail, NewsletterAddress, Person
from klik.services.newsletters import account, sending, writing
from klik.services.newsletters.audience import Audience
from klik.services.newsletters.letter import Words
from klik.settings import Settings
from tests import make
from tests.flows.site import environment, run, start
from tests.sink import running_sink, wait_until

pytestmark = pytest.mark.hard
READERS = int(os.environ.get("KLIK_TEST_READERS", "300"))
KILLS = int(os.environ.get("KLIK_TEST_NEWSLETTER_KILLS", "2"))
TO_THE_SINK = 10
TOGETHER = int(os.environ.get("KLIK_TEST_TOGETHER", "1"))


def test_killed_while_the_mails_are_made(
    house_settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    house, dice, now = Installation(house_settings), random.Random(19), jobs.wall_clock()
    addresses = [f"laeser{number}@klik.example" for number in range(READERS)]
    with house.writing(now) as work:
        editor = make.person(work.session, level=Level.KOMBIT_EDITOR)
        rows = [{"address_key": address, "confirmed_at": now} for address in addresses]
        work.session.execute(insert(NewsletterAddress), rows)
        by = replace(work, actor=make.actor(work.session, editor))
        row = writing.begin(by, Words("Nyt fra KP", "Læs [her](https://kombit.dk)."), Audience())
        assert sending.send(by, row.id, row.version) == READERS
        letter = row.id

    def made() -> int:
        with house.reading(now) as work:
            return work.session.scalar(select(func.count()).select_from(Mail)) or 0

    with running_sink() as sink:
        environ = environment(house_settings, sink)
        kills = 0
        for _round in range(KILLS):
            before = made()
            if before == READERS:
                break
            together = [start(environ, "run-job", "send-newsletters") for _ in range(TOGETHER)]
            wait_until(
                lambda before=before, ones=together: (
                    made() > before or all(each.poll() is not None for each in ones)
                ),
                60,
            )
            time.sleep(dice.random() * 0.2)
            for each in together:
                kills += each.poll() is None
                each.kill()
                each.wait()
                each.stdout.close()
        run(environ, "run-job", "send-newsletters")
        assert jobs.send_newsletters(house, now).sentence == "Intet nyhedsbrev skal sendes nu."
        with house.writing(now) as work:
            got = Counter(work.session.scalars(select(Mail.address)))
            # How the outbox delivers is shown elsewhere, mail by mail; a few go all the way here.
            last = select(Mail.id).order_by(Mail.id.desc()).limit(TO_THE_SINK)
            work.session.execute(update(Mail).where(Mail.id.not_in(last)).values(state="sent", sent_at=now))
        run(environ, "run-job", "deliver")
        assert sorted(sink.by_id().values()) == [1] * TO_THE_SINK
        for message in sink.messages():
            assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    with house.reading(now) as work:
        actor = make.actor(work.session, work.session.get_one(Person, editor.id))
        assert (
            account.account(replace(work, actor=actor), letter).sentence
            == f"{READERS} sendt: {READERS} afleveret"
        )
    house.close()
    assert kills
    lost, doubled = set(addresses) - set(got), [each for each, number in got.items() if number > 1]
    with capsys.disabled():
        sys.stdout.write(
            f"\nNewsletters: {READERS} readers, {kills} processes killed while the mails were made: "
            f"{len(lost)} lost, {len(doubled)} doubled\n"
        )
    assert not lost
    assert not doubled
