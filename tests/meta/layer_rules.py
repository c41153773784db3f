"""The layer rules of klik as a function over source text: `problems_in({module name: source})`."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

# The lowest first. A module imports from its own layer, without circles, and from those below.
LAYERS = (
    ("klik", "settings", "paths", "logs"),
    ("domain",),
    ("content", "plugins"),
    ("models", "db"),
    ("services",),
    ("installation", "demo"),
    ("web", "jobs", "dispatcher"),
    ("app", "cli", "commands", "testing", "worker"),
    ("__main__",),
)
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
EDGE = RANK["web"]

RENDERING = "klik.services.rendering_engine"
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "core", "misc"}
CLOCKS = {"now", "utcnow", "today"}

# What a plug-in may import of klik.
OFFERED = frozenset({"klik.plugins", "klik.plugins.forms", "klik.plugins.sheets", "klik.plugins.driftsside"})
# Packages beside the plug-ins that plug-ins are put together of: leaves as they are, but others may name them.
BUILDING_BLOCKS = frozenset({"klik.plugins.driftsside"})


@dataclass(frozen=True, order=True)
class Problem:
    """One broken rule: where, what, and how to mend it."""

    file: str
    line: int
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}. {self.remedy}."


@dataclass(frozen=True)
class Import:
    """One import: `target` is what is named in full, `statement` the module named in the statement."""

    line: int
    target: str
    statement: str
    at_run_time: bool


@dataclass
class Module:
    """A parsed module; `package` is what its relative imports count from."""

    name: str
    package: str
    tree: ast.Module
    imports: list[Import] = field(default_factory=list)

    @property
    def file(self) -> str:
        """Its path from the root of the checkout."""
        return self.name.replace(".", "/") + ("/__init__.py" if self.name == self.package else ".py")

    @property
    def layer(self) -> str:
        """The word after `klik.`, or `klik` for the package itself."""
        return self.name.split(".")[1] if "." in self.name else self.name


def problems_in(sources: Mapping[str, str], packages: Iterable[str] = ()) -> list[Problem]:
    """Every broken rule in these modules, by file and line.

    `sources` maps full module names (`klik.web.tasks.views`) to text; `packages` are the names that are
    folders with an `__init__.py`. A first-party plug-in is a package directly under `klik.plugins`.
    """
    packages = set(packages)
    modules = [_parse(name, text, packages) for name, text in sources.items()]
    names = {module.name for module in modules}
    plugins = {name for name in packages if name.startswith("klik.plugins.") and name.count(".") == 2}
    found: list[Problem] = []
    for module in modules:
        own_plugin = next((plugin for plugin in plugins if _is_in(module.name, plugin)), None)
        found += _name_problems(module)
        found += _foreign_library_problems(module)
        found += _commit_problems(module)
        found += _clock_problems(module)
        found += _plugin_name_problems(module, plugins - {own_plugin} - BUILDING_BLOCKS)
        found += _leaf_problems(module, own_plugin) if own_plugin else _direction_problems(module)
    found += _circle_problems(modules, names)
    return sorted(found)


def _parse(name: str, text: str, packages: set[str]) -> Module:
    package = name if name in packages else name.rpartition(".")[0]
    module = Module(name, package, ast.parse(text, name))
    type_only = {
        id(inner)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for node in ast.walk(module.tree):
        at_run_time = id(node) not in type_only
        if isinstance(node, ast.Import):
            for alias in node.names:
                module.imports.append(Import(node.lineno, alias.name, alias.name, at_run_time))
        elif isinstance(node, ast.ImportFrom):
            start = _statement_module(node, package)
            for alias in node.names:
                module.imports.append(Import(node.lineno, f"{start}.{alias.name}", start, at_run_time))
    return module


def _statement_module(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parents = package.split(".")
    start = parents[: len(parents) - node.level + 1]
    return ".".join([*start, *([node.module] if node.module else [])])


def _is_in(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def _name_problems(module: Module) -> Iterator[Problem]:
    for part in module.name.split(".")[1:]:
        if part in EMPTY_NAMES:
            yield Problem(module.file, 1, f'"{part}" says nothing', "Name the module after what it holds")
    if module.layer not in RANK:
        remedy = "Give it a place in LAYERS of tests/meta/layer_rules.py, or move it into a layer"
        yield Problem(module.file, 1, f'"{module.layer}" belongs to no layer', remedy)


def _direction_problems(module: Module) -> Iterator[Problem]:
    rank = RANK.get(module.layer)
    for used in module.imports:
        parts = used.target.split(".")
        if rank is None or parts[0] != "klik":
            continue
        # `from klik import __version__` names the package itself, `from klik import web` a layer.
        layer = parts[1] if len(parts) > 1 and parts[1] in RANK else "klik"
        if RANK[layer] > rank:
            what = f"{module.layer} imports {used.target} from the layer {layer} above it"
            yield Problem(
                module.file, used.line, what, "Move what is shared down, or hand it in as an argument"
            )


def _leaf_problems(module: Module, plugin: str) -> Iterator[Problem]:
    for used in module.imports:
        inside = used.statement in OFFERED or _is_in(used.target, plugin)
        if _is_in(used.target, "klik") and not inside:
            what = f"a plug-in imports {used.target}"
            yield Problem(module.file, used.line, what, "A plug-in uses only what `klik.plugins` offers")


def _plugin_name_problems(module: Module, plugins: set[str]) -> Iterator[Problem]:
    remedy = "Find plug-ins by their entry point and ask them through a hook"
    for plugin in plugins:
        for used in module.imports:
            if _is_in(used.target, plugin):
                yield Problem(module.file, used.line, f"{used.target} is named outside {plugin}", remedy)
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and plugin in node.value:
                yield Problem(module.file, node.lineno, f"{plugin} is named in a text outside it", remedy)


def _foreign_library_problems(module: Module) -> Iterator[Problem]:
    for used in module.imports:
        library = used.target.split(".")[0]
        if library.startswith("flask") and module.layer not in {"web", "app", "cli", "commands", "plugins"}:
            remedy = "Take what is needed as an argument; only web, app, commands and plug-ins know Flask"
            yield Problem(module.file, used.line, f"{library} below the web", remedy)
        if library == "weasyprint" and module.name != RENDERING:
            remedy = "Call klik.services.rendering, which keeps PDF work in a child process"
            yield Problem(module.file, used.line, f"weasyprint outside {RENDERING}", remedy)
        if library in {"sqlalchemy", "alembic"} and module.layer == "domain":
            remedy = "The domain knows no database: put the query into services"
            yield Problem(module.file, used.line, f"{library} in the domain", remedy)


def _commit_problems(module: Module) -> Iterator[Problem]:
    if module.name == "klik.db":
        return
    for node in ast.walk(module.tree):
        # A savepoint ends no transaction; the name is all that source text tells of it.
        if (
            isinstance(node, ast.Attribute)
            and node.attr == "commit"
            and not ast.unparse(node.value).endswith("savepoint")
        ):
            remedy = "Only klik/db.py commits: open the transaction at the edge with its functions"
            yield Problem(module.file, node.lineno, ".commit outside klik/db.py", remedy)


def _clock_problems(module: Module) -> Iterator[Problem]:
    if RANK.get(module.layer, EDGE) >= EDGE:
        return
    # The class under any name it was imported by: `from datetime import datetime as clock`.
    clocks = {"datetime", "date"}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.module == "datetime":
            clocks |= {alias.asname for alias in node.names if alias.name in clocks and alias.asname}
    for node in ast.walk(module.tree):
        # Not only calls: `default=datetime.now` reads the clock too.
        if isinstance(node, ast.Attribute) and node.attr in CLOCKS:
            owner = ast.unparse(node.value).split(".")[-1]
            if owner in clocks:
                remedy = "Take the time as an argument or from work.now"
                yield Problem(module.file, node.lineno, f"{owner}.{node.attr} below the edge", remedy)


def _circle_problems(modules: list[Module], names: set[str]) -> Iterator[Problem]:
    uses: dict[str, dict[str, int]] = {}
    for module in modules:
        edges = uses.setdefault(module.name, {})
        for used in module.imports:
            # Imports for type checkers only do not exist when the program runs, so they make no circle.
            target = used.target if used.target in names else used.statement
            if used.at_run_time and target in names and target != module.name:
                edges.setdefault(target, used.line)
    files = {module.name: module.file for module in modules}
    for circle in _circles(uses):
        first = min(circle)
        onward = next(target for target in sorted(uses[first]) if target in circle)
        remedy = "Move what both need into a third module"
        what = f"a circle of imports: {', '.join(sorted(circle))}"
        yield Problem(files[first], uses[first][onward], what, remedy)


def _circles(uses: Mapping[str, Mapping[str, int]]) -> list[set[str]]:
    """The groups of modules in which each reaches each other."""
    reach = {name: _reachable(name, uses) for name in uses}
    groups = {
        frozenset(other for other in reach[name] if name in reach[other])
        for name in uses
        if name in reach[name]
    }
    return [set(group) for group in groups]


def _reachable(start: str, uses: Mapping[str, Mapping[str, int]]) -> set[str]:
    seen: set[str] = set()
    waiting = list(uses[start])
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += uses[name]
    return seen
