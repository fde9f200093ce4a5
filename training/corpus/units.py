"""What is known about a source file: its top-level definitions, and facts about them that a program has checked."""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

# Package families that are never trained on; of the others 4 % are held out by hash, so that a new package falls on one side for good.
HELD_OUT = {
    "flask", "click", "httpx", "jinja2", "werkzeug", "starlette", "requests", "attrs", "rich", "sqlparse", "markdown",
    "immer", "zod", "commander", "@trpc/server", "@trpc/client",
}  # fmt: skip


class Fact(NamedTuple):
    """`kind`: where, sig, doc, const, ret, raise, base, meth, import. `line` is the last line of the unit (0-based) that the fact needs.
    `value`: a string; for meth the (name, line) of every method."""

    kind: str
    line: int
    subject: str
    value: str | list[tuple[str, int]]


class Method(NamedTuple):
    """Lines [start, end) of a class that hold one method with its decorators or comment."""

    start: int
    end: int
    name: str


@dataclass
class Unit:
    """A top-level definition, or a run of imports. kind: import, func, class, const, interface, type, enum, other. After each of `cuts`
    lines the text may end."""

    kind: str
    name: str | None
    lines: list[str]
    cuts: list[int]
    facts: list[Fact] = field(default_factory=list)
    methods: list[Method] = field(default_factory=list)


@dataclass
class Pack:
    """The usable files of one package: path → units in order."""

    name: str
    version: str
    language: str
    licence: str
    files: dict[str, list[Unit]]
    chars: int

    @property
    def held_out(self) -> bool:
        return self.name in HELD_OUT or hashlib.md5(self.name.encode()).digest()[0] < 10


def load_packs(path: Path, held_out: bool) -> list[Pack]:
    """The packages on one side of the split."""
    with path.open("rb") as file:
        packs: list[Pack] = pickle.load(file)
    return [pack for pack in packs if pack.held_out == held_out]
