"""The filter language against a second implementation in plain Python, on both databases."""

from __future__ import annotations

import random
import types
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from sqlalchemy import select

from klik.installation import Installation
from klik.models import MunicipalTask, SavedFilter
from klik.plugins import Choice, Filter, hookimpl
from klik.plugins.manager import Loaded, PluginInfo
from klik.services import counting, filtering, listing
from klik.services.criteria import GROUPINGS, MOST_VALUES, SORTS, Criteria, QueryTooLongError, Sort, parse
from klik.services.filtering import Selection
from klik.services.work import Work
from klik.settings import Settings
from tests import make
from tests.services.filter_oracle import World, all_values, expected, make_world, random_filters

FILTERS = 120  # for each of the three who look, on each database
KEYS = ("deadline", "status", "q", "startdato", "fuldfoerte", "kommune")


def _plugin(name: str, *filters: Filter) -> Loaded:
    module = types.ModuleType(name)

    def klik_filters() -> tuple[Filter, ...]:
        return filters

    vars(module).update(KLIK_API=(1, 0), klik_filters=hookimpl(klik_filters))
    return Loaded(name, module, PluginInfo(name, name, "1", ("klik_filters",), "i drift"))


def _broken(_values: object, _question: object) -> object:
    raise RuntimeError("broken on purpose")


BLOCKS = Filter(
    key="prov.blokerer",
    label="Blokerer",
    where=lambda values, question: question.columns.field("prov.blokerer").in_(values),
    describe=str,
    choices=(Choice(value="udbetaling", label="Udbetaling"), Choice(value="andet", label="Andet")),
)
FAULTY = Filter(key="prov.fejl", label="Fejler", where=_broken, describe=_broken)  # type: ignore[arg-type]
FOREIGN = Filter(
    key="prov.fremmed",
    label="Fremmed",
    where=lambda _values, _question: SavedFilter.shared == "selv",
    describe=str,
)


@pytest.fixture
def house_with_plugin(house_settings: Settings) -> Iterator[Installation]:
    installation = Installation(house_settings, plugins=[_plugin("prov", BLOCKS, FAULTY, FOREIGN)])
    yield installation
    installation.close()


def _asked(work: Work, query: str) -> Selection:
    return filtering.select_tasks(work, filtering.read(work.registry, query))


def _ids(work: Work, selection: Selection) -> list[int]:
    return [row.id for row in listing.every_row(work, selection)]


def test_sql_agrees_with_plain_python_for_hundreds_of_filters(house_with_plugin: Installation) -> None:
    house = house_with_plugin
    chance = random.Random(4)
    with house.writing(make.NOW) as work:
        world = make_world(work.session, house.registry.content, 60)
        lookers = [(person, make.actor(work.session, person)) for person in _lookers(world)]
    hits = 0
    for person, actor in lookers:
        with house.reading(make.NOW, actor) as work:
            singles = all_values(house.registry.content, world).items()
            for asked in (
                *({key: [value]} for key, values in singles for value in values),
                *(random_filters(chance, house.registry.content, world) for _round in range(FILTERS)),
            ):
                if actor.municipality_id is None:
                    # They may not name a municipality's people, and have no wave or read marks of their own.
                    asked = {
                        key: values for key, values in asked.items() if key not in ("ansvarlig", "udfoerer")
                    }
                elif "kommune" in asked:
                    asked["kommune"] = [str(make.KOEGE)]
                query = urlencode([(key, value) for key, values in asked.items() for value in values])
                selection = _asked(work, query)
                found = set(work.session.scalars(select(MunicipalTask.id).where(selection.where())))
                assert not selection.remarks, (query, selection.remarks)
                assert found == expected(world, asked, actor.level, person), query
                hits += bool(found)
    assert hits > FILTERS, "the filters must mostly find something, or this proves nothing"


def _lookers(world: World) -> tuple[object, ...]:
    return world.me, world.kombit, world.supplier


def test_pages_counts_choices_and_neighbours_agree_with_all_rows(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        world = make_world(work.session, house.registry.content, 40)
        actor = make.actor(work.session, world.me)
    chance = random.Random(9)
    with house.reading(make.NOW, actor) as work:
        for sort in (*SORTS, *(f"-{word}" for word in SORTS)):
            asked = random_filters(chance, house.registry.content, world) if chance.random() < 0.5 else {}
            asked = {key: values for key, values in asked.items() if key not in ("prov.blokerer", "kommune")}
            pairs = [(key, value) for key, values in asked.items() for value in values]
            selection = _asked(work, urlencode([*pairs, ("sorter", sort), ("pr_side", "7")]))
            everything = _ids(work, selection)
            total = listing.count(work, selection).total
            assert total == len(everything) == len(set(everything))
            pages: list[int] = []
            for number in range(1, -(-total // 7) + 1):
                page = listing.page(work, _on_page(selection, number), total)
                assert page.number == number
                pages += [row.id for row in page.rows]
            assert pages == everything, sort
            _check_choices(work, world, asked)
            if total > 2:
                beside = listing.neighbours(work, selection.criteria, everything[1])
                assert beside == listing.Neighbours(everything[0], everything[2], 2, total)


def _on_page(selection: Selection, number: int) -> Selection:
    return Selection(
        selection.criteria.on_page(number),
        selection.visible,
        selection.conditions,
        selection.remarks,
        selection.words,
    )


def _check_choices(work: Work, world: World, asked: dict[str, list[str]]) -> None:
    query = urlencode([(key, value) for key, values in asked.items() for value in values])
    counts = counting.choices(work, _asked(work, query))
    actor = work.actor
    assert actor is not None
    for key in ("projekt", "fase", "deadline", "status", "infrastruktur", "ansvarlig"):
        for value, count in counts[key].items():
            alone = {**asked, key: [value]}
            assert count == len(expected(world, alone, actor.level, world.me)), (query, key, value)


def test_a_page_beyond_the_end_is_the_last_one(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        for _number in range(5):
            make.municipal_task(work.session)
        actor = make.actor(work.session, make.person(work.session))
    with house.reading(make.NOW, actor) as work:
        selection = _asked(work, "pr_side=2&side=999999999999999999999")
        page = listing.page(work, selection, listing.count(work, selection).total)
        assert (page.number, page.pages, len(page.rows)) == (3, 3, 1)


def test_nothing_comes_last_in_both_directions(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        late = make.municipal_task(work.session, deadline=make.TODAY).id
        never = make.municipal_task(work.session, deadline=None).id
        early = make.municipal_task(work.session, deadline=make.TODAY.replace(day=1)).id
        actor = make.actor(work.session, make.person(work.session))
    with house.reading(make.NOW, actor) as work:
        assert _ids(work, _asked(work, "")) == [early, late, never]
        assert _ids(work, _asked(work, "sorter=-deadline")) == [late, early, never]


def test_other_peoples_names_and_municipalities_are_unknown(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        stranger = make.person(work.session, "Fremmed Herningsen", municipality=make.HERNING)
        make.municipal_task(work.session, municipality=make.HERNING, responsible=stranger)
        actor = make.actor(work.session, make.person(work.session))
    with house.reading(make.NOW, actor) as work:
        for query in (f"ansvarlig={stranger.id}", "kommune=657", "ansvarlig=999999"):
            selection = _asked(work, query)
            assert len(selection.remarks) == 1 and "findes ikke" in selection.remarks[0]
            assert "Herning" not in selection.remarks[0]
            assert _ids(work, selection) == []


def test_a_failing_plugin_filter_is_named_and_the_rest_applies(house_with_plugin: Installation) -> None:
    house = house_with_plugin
    with house.writing(make.NOW) as work:
        red = make.municipal_task(work.session, deadline=make.TODAY.replace(day=1)).id
        make.municipal_task(work.session)
        actor = make.actor(work.session, make.person(work.session))
    with house.reading(make.NOW, actor) as work:
        for query in ("prov.fejl=x&deadline=roed", "prov.fremmed=x&deadline=roed"):
            selection = _asked(work, query)
            assert _ids(work, selection) == [red]
            assert len(selection.remarks) == 1 and "Udvidelsen PROV svarede ikke" in selection.remarks[0]


@pytest.mark.parametrize(
    ("query", "remark"),
    [
        ("statuss=i-gang", "Filteret “statuss” findes ikke og er ikke brugt. Mente du “status”?"),
        ("status=i-gagn", "Status: “i-gagn” findes ikke og er ikke brugt. Mente du “i-gang”?"),
        ("deadline=rød", "Deadline: “rød” findes ikke og er ikke brugt."),
        ("deadline=<", "Deadline: “<” findes ikke og er ikke brugt."),
        ("startdato=31-02-2027", "februar 2027 har 28 dage"),
        ("startdato=2026-12-01..2026-11-01", "før den begynder"),
        ("startdato=idag%2B99999999", "kan ikke læses som en dato"),
        ("slutdato=..", "mangler både en første og en sidste dag"),
        ("sorter=__class__", "Sorteringen “__class__” findes ikke"),
        ("side=-1", "side skal være et helt tal fra 1"),
        ("side=٣", "side skal være et helt tal fra 1"),
        ("pr_side=100000", "højst vises 200 opgaver pr. side"),
        ("q=%00", "tegn, der ikke kan"),
        ("q=" + "x" * 201, "må højst fylde 200 tegn"),
        ("q=" + "+".join(f"o{number}" for number in range(13)), "højst 12 ord"),
        ("q=%CC%81", "kun usynlige tegn"),
        ("ansvarlig=rolle:konge", "Ansvarlig: “rolle:konge” findes ikke"),
        ("ansvarlig=" + "9" * 190, "Ansvarlig: “99999"),
        ("fase=opstart&fase=opstat", "Fase: “opstat” findes ikke og er ikke brugt. Mente du “opstart”?"),
        ("kommune=1e3", "Kommune: “1e3” findes ikke"),
        ("fuldfoerte=maaske", "Vis fuldførte: “maaske” findes ikke"),
        ("infrastruktur=ja&infrastruktur=yes", "STS/Infrastruktur: “yes” findes ikke"),
        ("nummer=%25", "er ikke et opgavenummer"),
        ("&".join(f"fase=x{number}" for number in range(500)), f"Kun de første {MOST_VALUES} er brugt"),
        ("q[]=a", "Filteret “q[]” findes ikke"),
        ("q=%ff", ""),
        ("status=;drop table people", "findes ikke"),
    ],
)
def test_bad_input_is_named_in_danish_and_the_rest_applies(
    house: Installation, query: str, remark: str
) -> None:
    with house.writing(make.NOW) as work:
        make.municipal_task(work.session)
        actor = make.actor(work.session, make.person(work.session))
    with house.reading(make.NOW, actor) as work:
        selection = _asked(work, query)
        assert any(remark in each for each in selection.remarks) or not remark, selection.remarks
        listing.page(work, selection, listing.count(work, selection).total)
        repaired = _asked(work, selection.criteria.query())
        assert repaired.remarks == () and repaired.criteria == selection.criteria


def test_more_than_eight_kilobytes_are_not_read() -> None:
    with pytest.raises(QueryTooLongError):
        parse("q=" + "x" * 8_192, KEYS)


def test_reading_what_was_written_gives_the_same() -> None:
    chance = random.Random(3)
    letters = "abcæøå&=;+%# ?/..-_\"'<>å漢😀"
    for _round in range(300):
        filters = {
            key: tuple(
                dict.fromkeys(
                    "x" + "".join(chance.choice(letters) for _ in range(chance.randint(1, 20))).strip()
                    for _ in range(chance.randint(1, 3))
                )
            )
            for key in chance.sample([key for key in KEYS if key != "fuldfoerte"], chance.randint(0, 4))
        }
        criteria = Criteria(
            sorts=tuple(
                Sort(word, chance.random() < 0.5) for word in chance.sample(list(SORTS), chance.randint(1, 3))
            ),
            grouped_by=chance.choice([None, "", *GROUPINGS]),
            page=chance.randint(1, 9),
            size=chance.choice([None, 25, 50, 200]),
        )
        for key, values in filters.items():
            criteria = criteria.with_values(key, values).on_page(criteria.page)
        again = parse(criteria.query(), KEYS)
        assert again.remarks == ()
        assert again == criteria and again.query() == criteria.query()


def test_two_date_fields_of_the_form_are_one_period() -> None:
    assert parse("startdato_fra=1-11-2026&startdato_til=", KEYS).values("startdato") == ("1-11-2026..",)
    both = parse("startdato_fra=2026-11-01&startdato_til=idag%2B7", KEYS)
    assert both.values("startdato") == ("2026-11-01..idag+7",)
