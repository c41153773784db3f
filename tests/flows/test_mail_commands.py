"""The commands around mail, as somebody with a shell uses them."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner, Result

from klik import cli, jobs
from klik.domain.deadlines import danish_today
from klik.installation import Installation
from klik.settings import Settings
from tests import make
from tests.sink import Sink, running_sink


@pytest.fixture
def settings(house_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("KLIK_DATA", str(house_settings.data))
    monkeypatch.setenv("KLIK_DATABASE_URL", house_settings.database_url)
    monkeypatch.setenv("KLIK_SECRET_KEY", house_settings.secret_key)
    monkeypatch.setenv("KLIK_MAIL_FROM", house_settings.mail_from)
    monkeypatch.delenv("KLIK_SMTP_URL", raising=False)
    house = Installation(house_settings)
    with house.database.writing() as session:
        mette = make.person(session, email="mette@koege.example")
        yesterday = danish_today(jobs.wall_clock()) - timedelta(days=1)
        make.municipal_task(session, deadline=yesterday, responsible=mette)
    house.close()
    return house_settings


def klik(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(cli.klik, arguments)
    assert result.exit_code == code, result.output
    return result


def rows() -> list[dict[str, object]]:
    return json.loads(klik("outbox", "list", "--json").output)


def reach(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KLIK_SMTP_URL", sink.url)


def test_from_the_scan_to_the_account(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert klik("run-job", "scan-deadlines").output == "1 nyt varsel er skrevet ind.\n"
    (row,) = rows()
    assert list(row) == ["id", "dedupe_key", "state", "recipient", "occasion", "created", "sent"]
    assert (row["state"], row["recipient"], row["occasion"]) == (
        "pending",
        "mette@koege.example",
        "core.roed",
    )
    klik("run-job", "deliver", code=1)
    with running_sink() as sink:
        reach(sink, monkeypatch)
        assert klik("run-job", "deliver").output == "1 mail er afleveret.\n"
        klik("run-job", "deliver")
        assert len(sink.received) == 1
    assert rows()[0]["state"] == "sent"
    assert rows()[0]["sent"]
    assert klik("run-job", "control").output == "1 skulle, 1 afsendt, 0 mangler.\n"


def test_control_finds_and_heals_what_no_scan_entered(settings: Settings) -> None:
    answer = json.loads(klik("run-job", "control", "--json", code=1).output)
    assert answer == {
        "job": "control",
        "sentence": "1 skulle, 0 afsendt, 1 mangler. 1 er nu skrevet ind og bliver sendt.",
        "ok": False,
    }
    assert klik("run-job", "scan-deadlines").output == "0 nye varsler er skrevet ind.\n"


def test_sending_again_is_marked(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    klik("run-job", "scan-deadlines")
    number = str(rows()[0]["id"])
    klik("outbox", "resend", number, code=1)
    with running_sink() as sink:
        reach(sink, monkeypatch)
        klik("run-job", "deliver")
        assert klik("outbox", "resend", number).output == "Mailen til mette@koege.example sendes igen.\n"
        klik("outbox", "resend", number, code=1)
        klik("run-job", "deliver")
        assert [message["X-KLIK-Gensendt"] for message in sink.messages()] == [None, "1"]


@pytest.mark.parametrize("name", [*sorted(jobs.JOBS), "kp.ophoer"])
def test_every_job_says_one_sentence(settings: Settings, name: str) -> None:
    result = CliRunner().invoke(cli.klik, ["run-job", name])
    assert result.exit_code in (0, 1)
    assert result.output.count("\n") == 1
    assert result.output.endswith(".\n")


def test_wrong_use_is_two(settings: Settings) -> None:
    klik("run-job", "findes-ikke", code=2)
    klik("outbox", "resend", "0", code=2)
    klik("outbox", "list", "--state", "findes-ikke", code=2)
