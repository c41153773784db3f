"""What klik ships is what stands in the tree: the packages, the wheel, the source archive, the locks."""

import configparser
import email
import importlib.metadata
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from klik import paths
from tests.meta.layer_rules import BUILDING_BLOCKS

ROOT = Path(__file__).parents[2]
SHIPPED = ("migrations", "phases", "roles")
VENDOR = ROOT / "klik/static/vendor"
# What the build reads; nothing else of the checkout may be needed.
SOURCES = ("klik", *SHIPPED, "bin", "docs", "requirements", "tests")
SOURCE_FILES = (
    "setup.cfg",
    "pyproject.toml",
    "MANIFEST.in",
    "README.md",
    "LICENSE",
    "NOTICE",
    "package.json",
    "package-lock.json",
)
LEFTOVERS = shutil.ignore_patterns("__pycache__", "*.pyc", ".*", "*.egg-info", "build", "dist")
PIN = re.compile(r"^([\w.-]+)==([\w.+-]+)( ;[^\\]*)? \\$", re.MULTILINE)

# The packages share one build of a few seconds, so they stay on one worker.
pytestmark = pytest.mark.xdist_group("packaging")


@dataclass(frozen=True)
class Built:
    """A wheel and a source archive made from a clean copy of the tree, and what that copy held."""

    copy: Path
    wheel: Path
    archive: Path

    def shipped_files(self) -> dict[str, Path]:
        """Every file that must be in the wheel: its name there, and the file in the tree."""
        files = {
            f"klik/{file.relative_to(self.copy / 'klik')}": file for file in files_in(self.copy / "klik")
        }
        for folder in SHIPPED:
            for file in files_in(self.copy / folder):
                files[f"klik/_shipped/{folder}/{file.relative_to(self.copy / folder)}"] = file
        return files


def files_in(folder: Path) -> list[Path]:
    """All files below a folder."""
    return [file for file in sorted(folder.rglob("*")) if file.is_file()]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """klik as it would be published. The wheel is built from the source archive, so the archive is enough."""
    assert VENDOR.is_dir(), "klik/static/vendor is missing: run bin/klik once"
    copy = tmp_path_factory.mktemp("klik")
    for folder in SOURCES:
        shutil.copytree(ROOT / folder, copy / folder, ignore=LEFTOVERS)
    for name in SOURCE_FILES:
        shutil.copy(ROOT / name, copy / name)
    done = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", copy / "dist", copy],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = (copy / "dist").glob("*.whl")
    (archive,) = (copy / "dist").glob("*.tar.gz")
    return Built(copy, wheel, archive)


def setup_cfg() -> configparser.ConfigParser:
    """setup.cfg as it stands."""
    parser = configparser.ConfigParser(delimiters=("=",))
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def lines(text: str) -> list[str]:
    """The lines that hold something."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def pins(lock: str) -> dict[str, str]:
    """The versions a lock file names, by package."""
    text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    return {f"{name}{marker or ''}": version for name, version, marker in PIN.findall(text)}


def wanted(source: str) -> list[str]:
    """The requirements people wrote, without the lines for pip."""
    text = (ROOT / "requirements" / source).read_text(encoding="utf-8")
    return [line for line in lines(text) if not line.startswith(("-", "#"))]


def normalised(requirement: str) -> str:
    """The name a requirement begins with, as indexes compare it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement)[0]).lower()


def test_setup_cfg_lists_every_package_and_no_other() -> None:
    in_tree = {".".join(file.parent.relative_to(ROOT).parts) for file in (ROOT / "klik").rglob("__init__.py")}
    in_tree |= {f"klik._shipped.{folder}" for folder in SHIPPED}
    listed = lines(setup_cfg()["options"]["packages"])
    assert len(in_tree) > 9
    missing, gone = sorted(in_tree - set(listed)), sorted(set(listed) - in_tree)
    assert not missing, "add to [options] packages in setup.cfg:\n    " + "\n    ".join(missing)
    assert not gone, "take out of [options] packages in setup.cfg: " + ", ".join(gone)
    assert len(listed) == len(set(listed))


def test_every_folder_with_python_in_it_is_a_package() -> None:
    modules = [file for file in (ROOT / "klik").rglob("*.py") if "migrations" not in file.parts]
    assert len(modules) > 7
    lost = {file.parent for file in modules if not (file.parent / "__init__.py").exists()}
    assert not lost, f"no __init__.py in {lost}: the wheel would not hold them"


def test_every_plugin_of_ours_has_an_entry_point_and_every_entry_point_a_module() -> None:
    groups = setup_cfg()["options.entry_points"]
    targets = {}
    for group in groups:
        for line in lines(groups[group]):
            name, target = (part.strip() for part in line.split("="))
            targets[group, name] = target.split(":")[0]
    plugins = {folder.parent.name for folder in (ROOT / "klik/plugins").glob("*/__init__.py")}
    named = {name: target for (group, name), target in targets.items() if group == "klik.plugins"}
    blocks = {block.rpartition(".")[2] for block in BUILDING_BLOCKS}
    assert named == {name: f"klik.plugins.{name}" for name in plugins - blocks}
    assert targets["console_scripts", "klik"] == "klik.cli"
    for (group, name), target in targets.items():
        file = ROOT / target.replace(".", "/")
        assert file.with_suffix(".py").exists() or (file / "__init__.py").exists(), (
            f"{group} {name}: no {target}"
        )
    if (ROOT / "klik/testing.py").exists():
        assert targets["pytest11", "klik"] == "klik.testing", "plug-in authors get its fixtures"


def test_the_wheel_holds_the_tree_byte_for_byte(built: Built) -> None:
    expected = built.shipped_files()
    for part in ("klik/municipalities.csv", "klik/static/vendor/htmx/htmx.min.js", "klik/cli.py"):
        assert part in expected
    for folder in SHIPPED:
        assert any(name.startswith(f"klik/_shipped/{folder}/") for name in expected)
    with zipfile.ZipFile(built.wheel) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
        assert not (missing := sorted(set(expected) - names)), missing
        assert not (stray := sorted(names - set(expected))), stray
        for name, file in expected.items():
            assert wheel.read(name) == file.read_bytes(), name


def test_the_source_archive_holds_all_that_is_needed_to_build_and_test(built: Built) -> None:
    expected = {str(file.relative_to(built.copy)) for part in SOURCES for file in files_in(built.copy / part)}
    expected |= set(SOURCE_FILES)
    assert "bin/prepare.sh" in expected
    with tarfile.open(built.archive) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
        # As in a checkout, what people run must be runnable.
        assert all(
            archive.getmember(f"{built.archive.name[:-7]}/bin/{name}").mode & 0o100
            for name in ("klik", "test")
        )
    assert not (missing := sorted(expected - names)), missing


def test_the_wheel_asks_for_what_main_in_names(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as wheel:
        (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = email.message_from_bytes(wheel.read(name))
        names = wheel.namelist()
    asked = [requirement.replace(" ", "") for requirement in metadata.get_all("Requires-Dist", [])]
    # Compared as sets of conditions: the order within one line is the builder's.
    assert {frozenset(re.split("[,<>]", line)) for line in asked} == {
        frozenset(re.split("[,<>]", line)) for line in wanted("main.in")
    }
    assert {"LICENSE", "NOTICE"} <= {name.rpartition("/")[2] for name in names if ".dist-info/" in name}


def test_shipped_folders_are_found_in_a_checkout_and_in_an_installed_wheel(
    built: Built, tmp_path: Path
) -> None:
    for folder in SHIPPED:
        assert paths.shipped(folder) == ROOT / folder
    with zipfile.ZipFile(built.wheel) as wheel:
        wheel.extractall(tmp_path)
    ask = (
        "import sys; sys.path.insert(0, sys.argv[1]); from klik import paths; print(paths.shipped('phases'))"
    )
    command = [sys.executable, "-c", ask, str(tmp_path)]
    told = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert told.stdout.strip() == str(tmp_path / "klik/_shipped/phases")
    assert (tmp_path / "klik/_shipped/phases").is_dir()


def test_the_locks_agree_and_every_pin_has_a_hash() -> None:
    main, build, test = pins("main.txt"), pins("build.txt"), pins("test.txt")
    assert len(main) > 40
    assert main | build == {name: test[name] for name in main | build}, "lock test.in again, after main.in"
    for lock in ("main", "build", "node", "test"):
        text = (ROOT / f"requirements/{lock}.txt").read_text(encoding="utf-8")
        blocks = re.split(r"\n(?=\S)", text.strip())
        assert len(blocks) == len(pins(f"{lock}.txt"))
        assert all("--hash=sha256:" in block for block in blocks)
        locked = {normalised(name) for name in pins(f"{lock}.txt")}
        unlocked = {normalised(line) for line in wanted(f"{lock}.in")} - locked
        assert not unlocked, f"lock {lock}.in again: {unlocked}"


@pytest.mark.parametrize("file", ["main.txt", "build.txt", "node.txt", "test.txt", "../package-lock.json"])
def test_a_lock_names_no_place_so_that_the_reader_s_own_index_is_used(file: str) -> None:
    text = (ROOT / "requirements" / file).read_text(encoding="utf-8")
    assert "://" not in text
    assert "resolved" not in text
    assert "index-url" not in text


def test_the_environment_is_the_locked_one() -> None:
    test = {normalised(name): version for name, version in pins("test.txt").items() if ";" not in name}
    assert len(test) > 60
    installed = {name: importlib.metadata.version(name) for name in test}
    assert installed == test
