"""The loader tells every problem of every file, in Danish, with file and key."""

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from klik.content.loading import ContentErrors, load

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folders(tmp_path):
    """A copy of the shipped content to spoil."""
    for name in ("phases", "roles"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


def problems(folders: Path) -> list[str]:
    """What the loader says, one line a problem."""
    try:
        load(folders / "phases", folders / "roles")
    except ContentErrors as error:
        assert str(error).splitlines() == [str(problem) for problem in error.problems]
        return str(error).splitlines()
    return []


def change(path: Path, old: str, new: str) -> None:
    """Replace once in a file, and fail when there is nothing to replace."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_copy_loads(folders):
    assert problems(folders) == []


ROLE = "roles/projektleder.toml"
PHASE = "phases/2-forberedelse.toml"
THEMES = "phases/themes.toml"
TOO_DEEP = (
    "lister, citater og fremhævninger ligger mere end 20 niveauer inde i hinanden (en liste tæller for to)."
)


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        (ROLE, "navn =", "navnn =", ["navnn: nøglen kendes ikke. Mente du “navn”?", "navn: nøglen mangler."]),
        (
            ROLE,
            "version = 1",
            'version = "1"',
            ["version: skal være et helt tal uden anførselstegn; der står en tekst."],
        ),
        (
            ROLE,
            "version = 1",
            "version = true",
            ["version: skal være et helt tal uden anførselstegn; der står ja/nej."],
        ),
        (ROLE, "version = 1", "version = 0", ["version: tallet skal ligge fra 1 til 999; der står 0."]),
        (
            ROLE,
            "version = 1",
            "version = 2026-11-21",
            ["version: skal være et helt tal uden anførselstegn; der står en dato."],
        ),
        (
            ROLE,
            "plusbruger = true",
            'plusbruger = "ja"',
            ["plusbruger: skal være true (ja) eller false (nej); der står en tekst."],
        ),
        (
            ROLE,
            '"en-primaer"',
            '"én"',
            ["primaer: “én” kendes ikke; skriv “praecis-en” eller “en-primaer” eller “flere”."],
        ),
        (ROLE, '"Projektleder"', '""', ["navn: teksten skal udfyldes."]),
        (
            ROLE,
            '"Projektleder"',
            '"' + "x" * 61 + '"',
            ["navn: teksten må højst fylde 60 tegn; du har skrevet 61."],
        ),
        (
            ROLE,
            '"Projektleder"',
            '"Pro\\u202Ejektleder"',
            ["navn: teksten indeholder et tegn, der ikke kan gemmes (tegn nr. 4). Slet tegnet."],
        ),
        (
            "roles/traener.toml",
            '"Træner"',
            '"Projektleder"',
            ["navn: “Projektleder” bruges også i roles/projektleder.toml."],
        ),
        (
            ROLE,
            'slug = "projektleder"',
            'slug = "Projekt leder"',
            ["slug: “Projekt leder” må kun bestå af a-z, 0-9 og enkelte bindestreger (højst 80 tegn)."],
        ),
        (
            ROLE,
            'slug = "projektleder"',
            'slug = "projektejer"',
            ["slug: “projektejer” bruges også i roles/projektejer.toml."],
        ),
        (
            ROLE,
            'faser = ["opstart"',
            'faser = ["opstrat"',
            [
                "spoc_faser: “opstart” skal også stå under faser.",
                "faser: fasen “opstrat” findes ikke. Mente du “opstart”?",
            ],
        ),
        (
            ROLE,
            'faser = ["opstart"',
            'faser = ["ibrugtagning", "opstart"',
            ["faser: punkt 4: “ibrugtagning” står der to gange."],
        ),
        (
            ROLE,
            "faser = [",
            "faser = [1, ",
            ["faser: punkt 1: skal være en tekst i anførselstegn; der står et helt tal."],
        ),
        (
            ROLE,
            "opgaver = [",
            "opgaver = [" + "".join(f'"{n}", ' for n in range(36)),
            ["opgaver: listen har 41 punkter, højst 40."],
        ),
        (
            ROLE,
            "Projektlederen om",
            "> " * 30 + "Projektlederen om",
            [f"beskrivelse: teksten: {TOO_DEEP}"],
        ),
        (
            ROLE,
            "Projektlederen om",
            "x" * 3000,
            ["beskrivelse: teksten: et ord fylder 3.006 tegn, højst 2.000."],
        ),
        (
            ROLE,
            'navn = "Projektleder"',
            'navn = "Projektleder',
            ["linje 2, tegn 21: der står et tegn, som ikke må stå her (måske mangler et anførselstegn)."],
        ),
        (
            ROLE,
            "version = 1",
            "version = 1\nversion = 2",
            ["linje 9, tegn 12: samme nøgle står der to gange."],
        ),
        (ROLE, "version = 1", "version 1", ["linje 8, tegn 9: der mangler et lighedstegn efter nøglen."]),
        (
            ROLE,
            "version = 1",
            "version = én",
            ["linje 8, tegn 11: værdien kan ikke læses; tekster skal stå i anførselstegn."],
        ),
        (
            ROLE,
            "version = 1",
            "ændring = 1",
            ["linje 8, tegn 1: linjen begynder ikke med en nøgle (a-z, tal, understreg, bindestreg)."],
        ),
        (
            ROLE,
            "version = 1",
            "version = " + "[" * 5000,
            ["lister eller afsnit ligger for dybt inde i hinanden."],
        ),
        (
            "roles/klik-administrator.toml",
            'omfang = "kommune"',
            'omfang = "kommune"\nsystemer = ["ksd"]',
            ["systemer: kan kun bruges, når omfang er “system”."],
        ),
        (PHASE, "nummer = 2", "nummer = 1", ["nummer: “1” bruges også i phases/1-opstart.toml."]),
        (PHASE, 'slug = "forberedelse"\n', "", ["slug: nøglen mangler."]),
        (
            THEMES,
            'praefiks = "GV"',
            'praefiks = "MI"',
            [f"tema nr. 6: praefiks: “MI” bruges også i {THEMES}, tema nr. 2."],
        ),
        (
            THEMES,
            'praefiks = "GV"',
            'praefiks = "gv"',
            ["tema nr. 2: praefiks: “gv” skal være to til fire store bogstaver, fx “MI”."],
        ),
        (THEMES, "[[tema]]", "navn = 1\n[[tema]]", ["navn: nøglen kendes ikke. Der kan stå: tema."]),
    ],
)
def test_each_problem_is_told(folders, file, old, new, told):
    change(folders / file, old, new)
    assert problems(folders) == [f"{file}: {sentence}" for sentence in told]


def test_all_problems_of_all_files_at_once(folders):
    change(folders / ROLE, "version = 1", "version = 0")
    change(folders / ROLE, "plusbruger = true", "plus = 1")
    change(folders / PHASE, "nummer = 2", "nummer = 1")
    (folders / "roles" / "tom.toml").write_text("# kun en bemærkning\n", encoding="utf-8")
    found = problems(folders)
    assert len(found) == 5
    assert {line.split(": ")[0] for line in found} == {ROLE, PHASE, "roles/tom.toml"}


def test_a_broken_phase_file_does_not_blame_the_roles(folders):
    (folders / PHASE).write_text("slug", encoding="utf-8")
    assert problems(folders) == [f"{PHASE}: sidst i filen: der mangler et lighedstegn efter nøglen."]


def test_windows_editors_are_welcome(folders):
    path = folders / ROLE
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert problems(folders) == []
    role = load(folders / "phases", folders / "roles").role("projektleder")
    assert "\r" not in role.description


def test_another_encoding_is_told_with_its_line(folders):
    path = folders / ROLE
    path.write_bytes(path.read_text(encoding="utf-8").encode("cp1252"))
    assert problems(folders) == [
        f"{ROLE}: linje 9: filen er ikke gemt som UTF-8; gem den igen med kodningen UTF-8."
    ]


@pytest.mark.parametrize("content", [b"", b"\n\n", "# bemærkning".encode(), b"\xef\xbb\xbf"])
def test_an_empty_file(folders, content):
    (folders / "roles" / "ny.toml").write_bytes(content)
    assert problems(folders) == ["roles/ny.toml: filen er tom."]


def test_a_huge_file_is_not_read(folders):
    (folders / "roles" / "ny.toml").write_bytes(b"#" * 5_200_000)
    assert problems(folders) == ["roles/ny.toml: filen fylder 5,2 MB, højst 1 MB."]


def test_shortcuts(folders):
    outside = folders / "hemmelig.toml"
    outside.write_text('slug = "x"', encoding="utf-8")
    (folders / "roles" / "ud.toml").symlink_to(outside)
    (folders / "roles" / "intet.toml").symlink_to(folders / "roles" / "findes-ikke.toml")
    (folders / "roles" / "ring.toml").symlink_to(folders / "roles" / "ring.toml")
    (folders / "roles" / "mappe.toml").mkdir()
    found = problems(folders)
    assert found[:2] == ["roles/intet.toml: det er ikke en fil.", "roles/mappe.toml: det er ikke en fil."]
    assert found[2].startswith("roles/ring.toml: ")
    assert found[3] == "roles/ud.toml: filen er en genvej ud af mappen; læg selve filen i mappen."


def test_a_shortcut_to_the_whole_folder_is_fine(folders):
    (folders / "andet").symlink_to(folders / "roles")
    assert load(folders / "phases", folders / "andet").role("projektleder").name == "Projektleder"


def test_other_files_are_left_alone(folders):
    (folders / "roles" / "LÆSMIG.md").write_text("hej", encoding="utf-8")
    (folders / "roles" / ".#projektleder.toml").write_text("rod", encoding="utf-8")
    (folders / "roles" / "projektleder.toml~").write_text("rod", encoding="utf-8")
    assert problems(folders) == []


def test_missing_and_empty_folders(tmp_path):
    (tmp_path / "roles").mkdir()
    assert problems(tmp_path) == [
        "phases/: mappen findes ikke eller kan ikke læses.",
        "phases/themes.toml: filen mangler.",
        "roles/: mappen har ingen filer, der ender på .toml.",
    ]


@pytest.mark.parametrize(
    "content", ["tema = 1", "tema = []", "[tema]\nslug = 'x'", "tema = [1]", "andet = 1"]
)
def test_themes_must_be_sections(folders, content):
    (folders / THEMES).write_text(content, encoding="utf-8")
    assert any("begynde med en linje med [[tema]]" in line for line in problems(folders))


@given(place=st.integers(0, 2_000), rubbish=st.text(max_size=12), length=st.integers(0, 200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
def test_no_damage_to_a_file_is_more_than_a_danish_sentence(folders, place, rubbish, length):
    original = (ROOT / ROLE).read_text(encoding="utf-8")
    (folders / ROLE).write_text(original[:place] + rubbish + original[place + length :], encoding="utf-8")
    for line in problems(folders):
        assert line.startswith("roles/")
        assert line.endswith((".", "?"))
        assert " at line " not in line
