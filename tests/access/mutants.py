"""Planting bugs: every condition of klik.services.access taken away, one at a time, and rights at the door."""

from __future__ import annotations

import ast
import copy
import inspect
import types
from collections.abc import Iterator
from dataclasses import dataclass

from klik.services import access


@dataclass(frozen=True, slots=True)
class Mutant:
    """One bug: the function it is in, what was taken away, and the module with the bug in it."""

    function: str
    taken: str
    source: str

    @property
    def name(self) -> str:
        """As the report names it."""
        return f"{self.function}: without {self.taken}"

    def functions(self) -> dict[str, types.FunctionType]:
        """The functions of the door, one of them wrong."""
        module = types.ModuleType("klik.services.access")
        exec(compile(self.source, "mutant", "exec"), module.__dict__)
        return {
            name: each
            for name, each in vars(module).items()
            if isinstance(each, types.FunctionType) and each.__module__ == "klik.services.access"
        }


def all_mutants() -> list[Mutant]:
    """Each guard that raises or narrows, and each condition of each statement, dropped in turn."""
    tree = ast.parse(inspect.getsource(access))
    found = []
    for at, function in enumerate(tree.body):
        if isinstance(function, ast.FunctionDef):
            for place, taken in _conditions(function):
                changed = copy.deepcopy(tree)
                _drop(list(ast.walk(changed.body[at]))[place[0]], place[1])
                found.append(Mutant(function.name, taken, ast.unparse(ast.fix_missing_locations(changed))))
    return found


def _conditions(function: ast.FunctionDef) -> Iterator[tuple[tuple[int, int], str]]:
    """Where in the function (node of the walk, condition in it) something can be taken away."""
    for place, node in enumerate(ast.walk(function)):
        if isinstance(node, ast.If):
            if any(isinstance(each, ast.Raise) for each in node.body) or _narrows(node):
                yield (place, 0), f"if {ast.unparse(node.test)}"
        elif isinstance(node, ast.Call) and _name(node) in ("where", "and_"):
            for argument, condition in enumerate(node.args):
                if not (isinstance(condition, ast.Call) and _name(condition) == "exists"):
                    yield (place, argument), ast.unparse(condition)
        elif isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
            for argument, condition in enumerate(node.values):
                yield (place, argument), ast.unparse(condition)


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
    if isinstance(node, ast.If):
        node.test = ast.Constant(False)
    elif isinstance(node, ast.BoolOp):
        node.values[argument] = ast.Constant(True)
    elif isinstance(node, ast.Call):
        node.args[argument] = ast.parse("true()", mode="eval").body
