"""A driftsside: what KOMBIT writes, what a file does, workarounds that end with a release, and who is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import select

from klik import jobs
from klik.domain.calendar import long_date
from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import Notice, PluginAnnouncement
from klik.plugins import ImportReport, PluginContext
from klik.plugins.driftsside import entries
from klik.plugins.driftsside.entries import Wanted
from klik.plugins.driftsside.nouns import ERROR, MESSAGE, NEWS, RELEASE
from klik.plugins.kp.drift import SIDE
from klik.services import for_plugins, importing, topics
from klik.services.errors import RefusedError
from tests import make
from tests.client import Browser

# Seed 000, the page of the support course.
MESSAGES = """Driftsmeddelelser;Forventet løst;Komponent;Oprettet;Senest opdateret;Status
Driftsmeddelelse 1;29-09-2021 00:00;;27-09-2021 09:12;27-09-2021 09:12;I gang
Driftsmeddelelse 2;30-09-2021 00:00;;27-09-2021 09:12;27-09-2021 09:12;I gang
Driftsmeddelelse 3;29-09-2021 00:00;Driftsiden;27-09-2021 09:11;27-09-2021 09:11;I gang
Test-driftsmeddelelse;06-08-2021 00:00;;06-08-2021 09:01;06-08-2021 09:01;I gang
""".encode()
WRITING = "/p/kp/drift/ret"
ERRORS = """Fejlbeskeder;Forventet løst;Komponent;Oprettet;Senest opdateret;Status
Formue kan ikke ændres;02-11-2021 00:00;Opgaver;29-07-2021 15:25;29-07-2021 15:31;I gang
Bevillingsbrev for helbredstillæg flettes forkert;10-10-2021 00:00;Breve;06-08-2021 09:20;06-08-2021 09:20;I gang
""".encode()
NEWSLETTER = [
    {"titel": "Nyhed", "oprettet": "28-09-2021 17:48"},
    {"titel": "Kombit-nyhed", "oprettet": "11-08-2021 09:14"},
    {"titel": "Release 1.0 udgivet", "oprettet": "06-08-2021 09:17"},
]


@contextmanager
def context(house: Installation, days: int = 0) -> Iterator[PluginContext]:
    with house.writing(make.NOW + timedelta(days=days)) as work:
        yield for_plugins.context(work, "kp")


def read_in(house: Installation, key: str, content: bytes, name: str = "fil.csv") -> ImportReport:
    with house.writing(make.NOW) as work:
        return importing.run(work, f"kp.{key}", content, name, keep=True)


def told(house: Installation) -> list[str]:
    with house.reading(make.NOW) as work:
        return list(work.session.scalars(select(PluginAnnouncement.heading).order_by(PluginAnnouncement.id)))


def typed(**values: str) -> list[dict[str, str]]:
    return [values]


def filled(house: Installation) -> None:
    """A release in ten days, a known error with a workaround until it, and one without."""
    with context(house) as given:
        SIDE.fill(
            given,
            {
                "releases": typed(titel="KP 24.3", dato="10"),
                "fejl": [
                    {
                        "titel": "Formue kan ikke ændres",
                        "komponent": "Opgaver",
                        "workaround": "Gå et trin tilbage.",
                        "release": "kp 24.3",
                        "forventet": "-1",
                        "kritikalitet": "C",
                    },
                    {"titel": "Bevillingsbrev flettes forkert", "komponent": "Breve", "tilstand": "loest"},
                ],
            },
        )


def end(house: Installation, days: int) -> None:
    run = jobs.run_of_plugin(
        house, "kp.ophoer", make.NOW + timedelta(days=days), f"try {days} {len(told(house))}"
    )
    assert run is not None and run.well


def test_the_seeds_lists_are_read_row_by_row_and_again_without_a_change(house: Installation) -> None:
    for key, content, count in (("driftsmeddelelser", MESSAGES, 4), ("fejl", ERRORS, 2)):
        assert read_in(house, key, content).count("ny") == count
        again = read_in(house, key, content)
        assert (again.count("uændret"), len(again.rows)) == (count, count)
    news = json.dumps(NEWSLETTER).encode()
    assert read_in(house, "nyheder", news, "nyheder.json").count("ny") == 3
    assert read_in(house, "nyheder", news, "nyheder.json").count("uændret") == 3
    with context(house) as given:
        assert given.store is not None
        messages = entries.read(given.store, SIDE.tables, MESSAGE)
        assert [each.title for each in messages] == [
            "Driftsmeddelelse 2",
            "Driftsmeddelelse 1",
            "Driftsmeddelelse 3",
            "Test-driftsmeddelelse",
        ]
        assert messages[2].component == "Driftsiden"
        assert f"{messages[0].created_at:%Y-%m-%dT%H:%M%z}" == "2021-09-27T07:12+0000"
        error = entries.read(given.store, SIDE.tables, ERROR, Wanted(words="formue"))[0]
        assert (str(error.solve_on), error.component, error.state_label) == (
            "2021-11-02",
            "Opgaver",
            "I gang",
        )
        assert f"{error.changed_at:%H:%M}" == "13:31"
        assert [each.title for each in entries.read(given.store, SIDE.tables, NEWS)] == [
            each["titel"] for each in NEWSLETTER
        ]
    assert told(house) == ["4 nye driftsmeddelelser", "2 nye kendte fejl", "3 nye nyheder"]


def test_a_later_list_changes_what_it_says_and_leaves_the_rest(house: Installation) -> None:
    read_in(house, "fejl", ERRORS)
    report = read_in(house, "fejl", "Titel;Status\nFormue kan ikke ændres;Løst\nNy fejl;\n".encode("cp1252"))
    assert [(row.outcome, row.text) for row in report.rows] == [
        ("ændret", "Formue kan ikke ændres"),
        ("ny", "Ny fejl"),
    ]
    with context(house) as given:
        assert given.store is not None
        assert len(entries.read(given.store, SIDE.tables, ERROR)) == 3
        solved = entries.read(given.store, SIDE.tables, ERROR, Wanted(state="loest"))
    assert [(each.title, each.component) for each in solved] == [("Formue kan ikke ændres", "Opgaver")]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("Titel;Status\nA;Måske\n", "Status: “Måske”"),
        ("Titel;Forventet løst\nA;31-02-2027\n", "Forventet løst: "),
        ("Titel;Release\nA;KP 99\n", "“KP 99” står ikke i releaseplanen"),
        ("Titel;Komponent\n;Breve\n", "Titel"),
        ("Titel\nA\na\n", "den samme som række 2"),
        ("Titel\nFejl for 010190-1234\n", "CPR-nummer"),
        ("Titel;Oprettet\nA;i går\n", "Oprettet"),
    ],
)
def test_a_wrong_row_is_named_and_nothing_is_stored(house: Installation, content: str, words: str) -> None:
    report = read_in(house, "fejl", content.encode())
    assert report.count("forkert") == 1
    assert any(words in row.text for row in report.rows)
    assert "010190" not in str(report)
    assert told(house) == []
    with context(house) as given:
        assert given.store is not None
        assert entries.read(given.store, SIDE.tables, ERROR) == ()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"Navn;Alder\nA;1\n", "overskrifter for kendte fejl"),
        (b"{", "JSON"),
        (b'["a"]', "liste med kendte fejl"),
        (f"Titel;Workaround\nA;{'x' * 600}\n".encode(), "som JSON"),
    ],
)
def test_another_file_is_refused(house: Installation, content: bytes, words: str) -> None:
    with pytest.raises(RefusedError, match=words):
        read_in(house, "fejl", content)


def test_a_workaround_ends_with_its_release_and_is_told_once(house: Installation) -> None:
    filled(house)
    end(house, 9)
    assert told(house) == []
    end(house, 10)
    assert len(told(house)) == 1
    for days in (10, 11, 40):
        end(house, days)
    assert told(house) == ["Workaround ophører: Formue kan ikke ændres"]
    with context(house, 40) as given:
        assert given.store is not None
        error = entries.read(given.store, SIDE.tables, ERROR, Wanted(words="formue"))[0]
        assert error.ended_on == make.TODAY + timedelta(days=10)
        assert (error.release, error.release_on) == ("KP 24.3", make.TODAY + timedelta(days=10))
        assert SIDE.search(given.store, "formue")[0].workaround == ""


def test_who_subscribes_gets_one_notice_however_often_the_job_runs(house: Installation) -> None:
    filled(house)
    with house.writing(make.NOW) as work:
        make.has_system(work.session, make.KOEGE, "kp")
        subscriber = make.actor(work.session, make.person(work.session))
        make.person(work.session)
    with house.writing(make.NOW, subscriber) as work:
        topics.choose(work, ["kp.kendte-fejl"])
    for days in (10, 10, 12):
        end(house, days)
        jobs.tell_subscribers(house, make.NOW + timedelta(days=days))
    with house.reading(make.NOW) as work:
        notices = work.session.execute(select(Notice.person_id, Notice.heading)).all()
    assert [tuple(each) for each in notices] == [
        (subscriber.person_id, "Workaround ophører: Formue kan ikke ændres")
    ]


def test_a_job_that_comes_late_marks_the_releases_own_day(house: Installation) -> None:
    filled(house)
    end(house, 60)
    with context(house, 60) as given:
        assert given.store is not None
        error = entries.read(given.store, SIDE.tables, ERROR, Wanted(words="formue"))[0]
    assert error.ended_on == make.TODAY + timedelta(days=10)
    assert told(house) == ["Workaround ophører: Formue kan ikke ændres"]


def test_a_postponed_release_keeps_the_workaround(house: Installation) -> None:
    filled(house)
    with context(house) as given:
        assert given.store is not None
        release = entries.read(given.store, SIDE.tables, RELEASE)[0]
        values = {"title": "KP 24.3", "text": "", "released_on": make.TODAY + timedelta(days=30)}
        SIDE.change(given, RELEASE, release, release.version, values)
    end(house, 29)
    assert told(house) == []
    end(house, 30)
    assert len(told(house)) == 1


def test_known_errors_are_found_filtered_and_searched(house: Installation) -> None:
    filled(house)
    with context(house) as given:
        assert given.store is not None

        def titles(**wanted: object) -> list[str]:
            assert given.store is not None
            return [each.title for each in entries.read(given.store, SIDE.tables, ERROR, Wanted(**wanted))]  # type: ignore[arg-type]

        assert titles() == ["Formue kan ikke ændres", "Bevillingsbrev flettes forkert"]
        assert titles(state="loest") == titles(component="Breve") == ["Bevillingsbrev flettes forkert"]
        assert titles(words="TRIN formue") == titles(overdue_on=given.today) == ["Formue kan ikke ændres"]
        assert titles(words="100%") == titles(words="formue breve") == []
        found = SIDE.search(given.store, "Brevet er flettet forkert, formue")
        assert [each.title for each in found] == ["Bevillingsbrev flettes forkert", "Formue kan ikke ændres"]
        assert [each.solved for each in found] == [True, False]
        assert found[1].address == f"/p/kp/drift?vis=fejl&nr={found[1].id}"
        assert SIDE.search(given.store, "er en at") == ()
        assert len(SIDE.search(given.store, "forkert formue", solved=False)) == 1


def test_kombit_writes_and_a_municipality_reads(house: Installation, browser: Callable[..., Browser]) -> None:
    with house.writing(make.NOW) as work:
        editor = make.person(work.session, level=Level.KOMBIT_EDITOR, municipality=None).email
        reader = make.person(work.session, level=Level.READER).email
    kombit, municipality = browser().sign_in(editor), browser().sign_in(reader)
    assert kombit.get("/systemer/kp").select_one('a[href="/p/kp/drift"]')
    page = kombit.get("/p/kp/drift/ret?vis=releases")
    kombit.submit(page, WRITING, titel="KP 24.3", dato="24-12-2026")
    page = kombit.get("/p/kp/drift/ret?vis=fejl")
    wrong = kombit.submit(page, WRITING, titel="", forventet="31-02-2027", workaround="Ring.", expect=422)
    assert "Ring." in str(wrong) and "31-02-2027" in str(wrong)
    refused = kombit.submit(page, WRITING, titel="Fejl for 010190-1234", expect=422)
    assert "CPR-nummer" in refused.get_text(" ")
    shown = kombit.submit(
        page,
        WRITING,
        titel="Formue kan ikke ændres",
        komponent="Opgaver",
        kritikalitet="C",
        forventet="01-01-2020",
        workaround="Gå et trin tilbage.",
        release="KP 24.3",
    )
    assert "C · Medium" in shown.get_text(" ")
    assert "til release KP 24.3 kommer den 24. december 2026" in shown.get_text(" ")
    again = kombit.submit(page, WRITING, titel="Formue kan ikke ændres")
    assert "Gå et trin tilbage" in again.get_text(" ")  # the same button once more makes no second one
    assert told(house) == ["KP 24.3", "Formue kan ikke ændres"]
    for address in ("", "?vis=fejl", "?vis=fejl&dato=overskredet&q=formue&komponent=Opgaver&tilstand=i-gang"):
        page = municipality.get(f"/p/kp/drift{address}")
        assert page.find("a", string="Formue kan ikke ændres"), address
        assert "Overskredet" in page.get_text(" ")
        assert not page.select('a[href*="/ret"]')
    assert "Intet passer" in municipality.get("/p/kp/drift?vis=fejl&tilstand=loest").get_text(" ")
    assert "Formue kan ikke ændres" in municipality.get("/systemer/kp").get_text(" ")
    municipality.get("/p/kp/drift/ret?vis=fejl", expect=403)
    for address in ("?vis=findes-ikke", "?vis=fejl&nr=99", "?vis=fejl&nr=x", "?vis=fejl&nr=%00"):
        municipality.get(f"/p/kp/drift{address}", expect=404)


def test_who_saves_second_sees_both_and_keeps_what_was_typed(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    filled(house)
    with house.writing(make.NOW) as work:
        editor = make.person(work.session, level=Level.KOMBIT_EDITOR, municipality=None).email
    kombit = browser().sign_in(editor)
    address = "/p/kp/drift/ret?vis=fejl&nr=1"
    first = kombit.get(address)
    kombit.submit(first, WRITING, titel="Formue kan ændres igen", act="gem")
    clash = kombit.submit(first, WRITING, titel="Formue er låst", act="gem", expect=409)
    assert "Formue kan ændres igen" in clash.get_text(" ") and "Formue er låst" in str(clash)
    kombit.submit(clash, WRITING, titel="Formue er låst", act="gem")
    second = kombit.get(address)
    other = {"workaround": "Ring til os.", "kritikalitet": "A", "forventet": "", "release": ""}
    kombit.submit(second, WRITING, act="gem", **other)
    clash = kombit.submit(second, WRITING, komponent="Sager", act="gem", expect=409)
    assert {
        tuple(cell.get_text().strip() for cell in row.select("th, td"))
        for row in clash.select("main tbody tr")
    } == {
        ("Komponent", "Opgaver", "Sager"),
        ("Kritikalitet", "A · Kritisk", "C · Medium"),
        ("Forventet løst", "Intet", long_date(make.NOW.date() - timedelta(days=1))),
        ("Workaround", "Ring til os.", "Gå et trin tilbage."),
        ("Workaround gælder til release", "Intet", "KP 24.3"),
    }
    kombit.submit(clash, WRITING, release="KP 24.3", act="gem")
    with context(house) as given:
        assert given.store is not None
        release = entries.read(given.store, SIDE.tables, RELEASE)[0]
    error_form = {"act": "fjern", "vis": "fejl", "nr": "1"}
    release_form = {"act": "fjern", "vis": "releases", "nr": str(release.id)}
    refused = kombit.post(WRITING, release_form | {"version": "1"}, expect=422)
    assert "workaround, der gælder til KP 24.3" in refused.get_text(" ")
    assert refused.select_one("#titel")["value"] == "KP 24.3"
    late = kombit.post(WRITING, error_form | {"version": "1"}, expect=409)
    assert late.select_one("#titel")["value"] == "Formue er låst"
    kombit.post(WRITING, error_form | {"version": "5"})
    kombit.post(WRITING, release_form | {"version": "1"})
    kombit.get(address, expect=404)


def test_suppliers_of_other_systems_are_strangers(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    with house.writing(make.NOW) as work:
        suppliers = [
            make.person(work.session, level=Level.SUPPLIER, municipality=None, systems=(system,)).email
            for system in ("kp", "ky")
        ]
    own, other = (browser().sign_in(email) for email in suppliers)
    assert "Driftsside" in own.get("/p/kp/drift").get_text(" ")
    other.get("/p/kp/drift", expect=404)


def test_the_year_wheel_is_a_page_and_a_file(house: Installation, browser: Callable[..., Browser]) -> None:
    with context(house) as given:
        SIDE.fill(given, {"aarshjul": [{"maaned": "november", "titel": "Forbered nye satser"}]})
    with house.writing(make.NOW) as work:
        email = make.person(work.session).email
    page = browser().sign_in(email)
    shown = page.get("/p/kp/drift?vis=aarshjul")
    assert shown.select(".drift-wheel h2")[0].get_text() == "Januar"
    assert len(shown.select(".drift-wheel > li")) == 12
    assert "Forbered nye satser" in shown.get_text(" ")
    link = shown.find("a", string="Hent årshjul (PDF)")
    assert page.download(link["href"]).startswith(b"%PDF")


def test_a_new_workaround_after_the_end_holds_until_its_own_release(house: Installation) -> None:
    filled(house)
    end(house, 10)
    with context(house, 11) as given:
        assert given.store is not None
        SIDE.fill(given, {"releases": typed(titel="KP 25.1", dato="20")})
        error = entries.read(given.store, SIDE.tables, ERROR, Wanted(words="formue"))[0]
        names = entries.releases(given.store, SIDE.tables)
        values = {part.column: getattr(error, part.column) for part in ERROR.parts}
        SIDE.change(given, ERROR, error, error.version, values | {"until_release": names["KP 25.1"]})
        assert SIDE.search(given.store, "formue")[0].workaround == "Gå et trin tilbage."
    end(house, 30)
    assert len(told(house)) == 1
    end(house, 31)
    assert len(told(house)) == 2


def test_a_guide_leads_to_its_document(house: Installation, browser: Callable[..., Browser]) -> None:
    with house.writing(make.NOW) as work:
        editor = make.person(work.session, level=Level.KOMBIT_EDITOR, municipality=None).email
    kombit = browser().sign_in(editor)
    page = kombit.get("/p/kp/drift/ret?vis=vejledninger")
    where = "https://dok.kombit.example/brevskrivning.pdf"
    wrong = kombit.submit(page, WRITING, titel="Breve i KP", adresse="javascript:alert(1)", expect=422)
    assert "Adresse" in wrong.get_text(" ")
    shown = kombit.submit(page, WRITING, titel="Breve i KP", formaal="Sådan skrives breve", adresse=where)
    listed = kombit.get("/p/kp/drift?vis=vejledninger")
    opened = kombit.get(listed.find("a", string="Breve i KP")["href"])
    assert opened.select_one(f'a[href="{where}"]') and "Breve i KP" in shown.get_text(" ")
