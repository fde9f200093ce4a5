"""Which definitions of a package a row of the first stage shows: in its memory, and as recalled ones."""

from __future__ import annotations

import math
import random

from corpus.units import Pack, Unit
from rows.pieces import Piece

# Fewer characters hold no definition.
LEAST_MEMORY, LEAST_SHARE, LEAST_ROOM = 100, 90, 40


def cut_line(unit: Unit, limit: float, start: int = 0, end: int | None = None) -> int | None:
    """Last line (exclusive) such that the text from `start` has at most `limit` characters; None if no cut point fits."""
    lines = unit.lines
    end = len(lines) if end is None else end
    if sum(map(len, lines[start:end])) + end - start <= limit:
        return end
    cuts, best, used = set(unit.cuts), None, 0
    for line in range(start, end):
        used += len(lines[line]) + 1
        if used > limit:
            break
        if line + 1 in cuts and line + 1 > start:
            best = line + 1
    return best


def memory_pieces(rng: random.Random, pack: Pack, chars: float) -> list[Piece]:
    """Runs of definitions from some files of the package, about `chars` characters in all."""
    if chars < LEAST_MEMORY:
        return []
    paths = list(pack.files)
    wanted = int(rng.lognormvariate(0, 0.5) * (chars / 400) ** 0.75) + 1
    picked = rng.sample(paths, max(1, min(len(paths), 30, wanted)))
    if rng.random() < 0.5:
        picked.sort()
    pieces: list[Piece] = []
    left = chars
    for number, path in enumerate(picked):
        share = left / (len(picked) - number) * rng.uniform(0.6, 1.4)
        if share < LEAST_SHARE:
            break
        taken, used = file_pieces(rng, path, pack.files[path], share)
        pieces += taken
        left -= used if taken else 0
    return pieces


def file_pieces(rng: random.Random, path: str, units: list[Unit], share: float) -> tuple[list[Piece], int]:
    """A run of definitions of one file from one with facts on, sometimes behind the file's imports; and the characters they take."""
    with_facts = [i for i, unit in enumerate(units) if any(fact.kind != "import" for fact in unit.facts)] or list(range(len(units)))
    first = rng.choice(with_facts)
    taken: list[Piece] = []
    used = len(path) + 10
    if units[0].kind == "import" and rng.random() < 0.6 and first > 0:
        end = cut_line(units[0], min(share * 0.35, 500))
        if end:
            taken.append(Piece(path, units[0], 0, end, 0, 0))
            used += len(taken[-1].text) + 1
    for unit in units[first:]:
        if share - used < LEAST_ROOM:
            break
        end = cut_line(unit, min(share - used, rng.choice([400, 900, 2500])))
        if end:
            taken.append(Piece(path, unit, 0, end, 0, 0))
            used += len(taken[-1].text) + 2
        elif taken:
            break
    return taken, used


def block_pieces(rng: random.Random, pack: Pack, memory: list[Piece], count: int, chars: float) -> list[Piece]:
    """Definitions to recall: some that stand in the memory too, some that do not; whole ones or single methods."""
    pieces: list[Piece] = []
    seen: set[tuple[int, int, int]] = set()
    paths = list(pack.files)
    near = rng.sample(paths, min(len(paths), rng.choice([1, 2, 4, 8])))
    for _ in range(count * 6):
        if len(pieces) == count:
            break
        shown = [piece for piece in memory if piece.unit.name]
        if shown and rng.random() < 0.35:
            chosen = rng.choice(shown)
            path, unit = chosen.path, chosen.unit
        else:
            path = rng.choice(near)
            named = [unit for unit in pack.files[path] if unit.name and unit.facts]
            if not named:
                continue
            unit = rng.choice(named)
        start, stop = 0, None
        if unit.methods and rng.random() < 0.6:
            start, stop, _ = rng.choice(unit.methods)
        if any(known == id(unit) and (begin <= start < end or start <= begin) for known, begin, end in seen):
            continue
        end = cut_line(unit, max(70, chars / count * rng.uniform(0.7, 1.7)), start, stop)
        if not end:
            continue
        seen.add((id(unit), start, end))
        line = int(math.exp(rng.uniform(0, math.log(1500)))) + start
        pieces.append(Piece(path, unit, start, end, 1, line))
    return pieces
