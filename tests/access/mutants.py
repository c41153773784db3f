"""Planting bugs: every condition of klik.services.access taken away, one at a time, and rights at the door."""

from __future__ import annotations

import ast
import copy
import inspect
import pkgutil
import re
import types
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module

from klik.services import access


@dataclass(frozen=True, slots=True)
class Mutant:
    """One bug: the function it is in, what was taken away, and the function without it."""

    module: types.ModuleType
    function: str
    taken: str
    source: str

    @property
    def name(self) -> str:
        """As the report names it."""
        return f"{self.function}: without {self.taken}"

    @contextmanager
    def planted(self) -> Iterator[None]:
        """The function does wrong for everybody who holds it, under whatever name and in whatever module."""
        function: types.FunctionType = getattr(self.module, self.function)
        wrong: dict[str, types.FunctionType] = {}
        exec(compile(f"from __future__ import annotations\n{self.source}", "mutant", "exec"), wrong)
        right = function.__code__
        function.__code__ = wrong[self.function].__code__
        try:
            yield
        finally:
            function.__code__ = right


def modules() -> list[types.ModuleType]:
    """The modules of the door."""
    return [import_module(f"{access.__name__}.{each.name}") for each in pkgutil.iter_modules(access.__path__)]


def all_mutants() -> list[Mutant]:
    """Each guard that raises or narrows, and each condition of each statement, dropped in turn."""
    found = []
    for module in modules():
        for function in ast.parse(inspect.getsource(module)).body:
            if isinstance(function, ast.FunctionDef):
                for place, taken in _conditions(function):
                    changed = copy.deepcopy(function)
                    _drop(list(ast.walk(changed))[place[0]], place[1])
                    source = ast.unparse(ast.fix_missing_locations(changed))
                    found.append(Mutant(module, function.name, taken, source))
    return found


def _conditions(function: ast.FunctionDef) -> Iterator[tuple[tuple[int, int], str]]:
    """Where in the function (node of the walk, condition in it) something can be taken away."""
    alternatives = _alternatives(function)
    for place, node in enumerate(ast.walk(function)):
        if isinstance(node, ast.If):
            if any(isinstance(each, ast.Raise) for each in node.body) or _narrows(node):
                yield (place, 0), f"if {ast.unparse(node.test)}"
        elif isinstance(node, ast.Call) and _name(node) in ("where", "and_"):
            for argument, condition in enumerate(node.args):
                if not (isinstance(condition, ast.Call) and _name(condition) == "exists"):
                    yield (place, argument), ast.unparse(condition)
        elif isinstance(node, ast.BoolOp) and node in alternatives:
            for argument, condition in enumerate(node.values):
                if ast.unparse(condition) not in ("actor is None", "work.actor is None"):
                    yield (place, argument), f"or {ast.unparse(condition)}"
        elif isinstance(node, ast.IfExp) and ast.unparse(node.orelse) == "false()":
            yield (place, 0), f"if {ast.unparse(node.test)}"
        elif _is_a_condition(node):
            yield (place, 0), ast.unparse(node.value)  # type: ignore[attr-defined]
        elif isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
            for argument, condition in enumerate(node.values):
                yield (place, argument), ast.unparse(condition)


def _is_a_condition(node: ast.AST) -> bool:
    """A condition that is answered, or kept for later, as it is."""
    if isinstance(node, ast.Assign):
        return isinstance(node.value, ast.Call) and _name(node.value) == "or_"
    return isinstance(node, ast.Return) and isinstance(node.value, ast.Compare)


def _alternatives(function: ast.FunctionDef) -> list[ast.BoolOp]:
    """What refuses for one of several reasons: "if a or b: return False", or raise."""
    refusing = [
        node.test
        for node in ast.walk(function)
        if isinstance(node, ast.If)
        and (
            any(isinstance(each, ast.Raise) for each in node.body)
            or "False" in "".join(ast.unparse(each) for each in node.body)
        )
    ]
    return [test for test in refusing if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or)]


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _narrows(node: ast.If) -> bool:
    """Whether the branch answers "nothing" or "only": taking it away widens what is seen."""
    words = "".join(ast.unparse(each) for each in node.body)
    test = ast.unparse(node.test)
    return (
        "false()" in words or "False" in words or "scope == 'municipality'" in test
    ) and "is None" not in test


def _drop(node: ast.AST, argument: int) -> None:
    everything = ast.parse("__import__('sqlalchemy').true()", mode="eval").body
    if isinstance(node, ast.If):
        node.test = ast.Constant(False)
    elif isinstance(node, ast.BoolOp):
        node.values[argument] = ast.Constant(isinstance(node.op, ast.And))
    elif isinstance(node, ast.IfExp):
        node.test = ast.Constant(True)
    elif isinstance(node, ast.Call):
        node.args[argument] = everything
    elif isinstance(node, ast.Assign):
        node.value = everything
    elif isinstance(node, ast.Return):
        # Of a column it is a condition of a statement, else a plain answer.
        of_column = re.match(r"[A-Z]\w+\.", ast.unparse(node.value or everything))
        node.value = everything if of_column else ast.Constant(True)
