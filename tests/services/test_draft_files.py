"""A task as a TOML file: whatever is written out reads in again as the same."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from klik.services.publishing import Draft
from klik.services.publishing.audience import RecipientChoice
from klik.services.publishing.file import read_draft, write_draft

AWKWARD = (
    '"""',
    "'''",
    '"',
    "\\",
    '\\"""',
    "\r\n",
    "\r",
    "\n",
    "\t",
    "æøå ÆØÅ",
    "👩‍💻",
    "\u2028",
    "# ikke en bemærkning",
    "[felter]",
    "= 1",
    "\x7f",
    "e\u0301",
)
PROSE = st.lists(st.one_of(st.sampled_from(AWKWARD), st.text(max_size=8)), max_size=8).map("".join)
LINE = st.text(min_size=1, max_size=30)
ROLE = st.none() | LINE
DEADLINES = st.one_of(
    st.dates(min_value=date(1970, 1, 1)).map(lambda day: ("core.date", day.isoformat())),
    st.integers(0, 9999).map(lambda count: ("core.days-after-publication", str(count))),
    st.integers(0, 999).map(lambda count: ("core.months-after-publication", str(count))),
    st.tuples(
        st.sampled_from(["core.date", "core.days-after-publication", "ky.foer-idriftsaettelse"]), PROSE
    ),
)
PARTS = ("purpose", "description", "prerequisites", "how_to", "result", "material", "contact")
CHOICES = (None, *map(RecipientChoice.parse, ("all", "alle", "101,147", "bølge:ky/b1", "undtagen:101")))


@st.composite
def drafts(draw: st.DrawFn) -> Draft:
    rule, parameter = draw(DEADLINES)
    return Draft(
        project=draw(LINE),
        title=draw(PROSE),
        phase=draw(LINE),
        theme=draw(LINE),
        number=draw(ROLE),
        responsible_role=draw(ROLE),
        executor_role=draw(ROLE),
        appoints_role=draw(ROLE),
        priority=draw(st.sampled_from(["hoej", "normal", "lav"])),
        working_day=draw(st.sampled_from(["uaendret", "foer", "efter"])),
        infrastructure=draw(st.booleans()),
        start=draw(st.none() | st.dates()),
        deadline_rule=rule,
        deadline_parameter=parameter,
        fields=draw(st.dictionaries(LINE, PROSE, max_size=3)),
        template=draw(ROLE),
        needs=tuple(draw(st.lists(LINE, max_size=50))),
        **{part: draw(PROSE) for part in PARTS},
    )


@given(drafts(), st.sampled_from(CHOICES))
@example(
    Draft(
        project="kp", title='"""\\', phase="f", theme="t", description='\\\n \r\n\'\'\'""""', needs=("MI 01",)
    ),
    RecipientChoice.parse("all"),
)
@example(
    Draft(
        project="kp",
        title="t",
        phase="f",
        theme="t",
        fields={"ksd.felt": "a\r\nb"},
        deadline_rule="ky.regel",
        deadline_parameter="a\r\nb",
    ),
    None,
)
def test_what_is_written_reads_in_as_the_same(draft: Draft, choice: RecipientChoice | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "opgave.toml"
        path.write_bytes(write_draft(draft, choice).encode())
        found = read_draft(path)
    assert found.problems == ()
    assert found.draft == draft
    assert found.recipients == (choice or RecipientChoice.parse("all"))


def test_a_long_text_stands_on_lines_of_its_own() -> None:
    written = write_draft(
        Draft(
            project="kp", title="Udpeg", phase="f", theme="t", how_to="1. Først\n2. Så", working_day="efter"
        )
    )
    assert '"""\n1. Først\n2. Så"""' in written
    assert 'arbejdsdag = "efter"' in written
    assert "resultat" not in written and "ansvarlig_rolle" not in written
    assert "maaneder = 1" in written
