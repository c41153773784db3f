"""What every application works out anew from the same text, worked out once in a test process.

Only work of other people's libraries that is a plain function of its text is remembered; nothing of klik is.
"""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Callable
from types import CodeType
from typing import Any

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule


class Templates(BytecodeCache):
    """Compiled templates by file, source and all of the environment that the compiler looks at."""

    def __init__(self) -> None:
        self._compiled: dict[tuple[Any, ...], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill the bucket when this template was compiled before."""
        bucket.code = self._compiled.get(self._known_by(bucket))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        assert bucket.code is not None
        self._compiled[self._known_by(bucket)] = bucket.code

    def _known_by(self, bucket: Bucket) -> tuple[Any, ...]:
        place = bucket.environment
        names = frozenset(place.filters), frozenset(place.tests), frozenset(place.extensions)
        ways = place.undefined, place.trim_blocks, place.lstrip_blocks, place.optimized, place.finalize
        # The method is each application's own; what it does is not.
        escaped = getattr(place.autoescape, "__func__", place.autoescape)
        return bucket.key, bucket.checksum, escaped, *ways, *names


def _table_of(read: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    tables: dict[str, dict[str, Any]] = {}

    def loads(text: str, /, **options: Any) -> dict[str, Any]:
        if options:
            return read(text, **options)
        if text not in tables:
            tables[text] = read(text)
        return copy.deepcopy(tables[text])

    return loads


def _builder_of(build: Callable[..., Any]) -> Callable[..., Any]:
    builders: dict[tuple[Any, ...], Any] = {}

    def compile_builder(rule: Rule, append_unknown: bool = True) -> Any:
        if rule.defaults:
            return build(rule, append_unknown)
        key = (tuple(rule._trace), append_unknown)
        if key not in builders:
            builders[key] = build(rule, append_unknown)
        return builders[key]

    return compile_builder


def remember() -> None:
    """From now on, for this whole process."""
    Flask.jinja_options = Flask.jinja_options | {"bytecode_cache": Templates()}
    tomllib.loads = _table_of(tomllib.loads)
    Rule._compile_builder = _builder_of(Rule._compile_builder)  # type: ignore[method-assign]
