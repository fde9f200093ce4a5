"""Invented repositories: a package under other paths, its text as it is streamed, and pieces of it as they are recalled."""

from __future__ import annotations

import random
from collections.abc import Iterator

from corpus.units import Pack, Unit
from rows.names import Names
from rows.paths import invented_line, invented_paths
from rows.pieces import Piece

CHARS_PER_TOKEN = 3.0
CUT = "\n…"
FILE_LINES = 60


def cut(lines: list[str], start: int, end: int, chars: float) -> int:
    """Line behind the longest run of whole lines from `start` that has at most `chars` characters."""
    for line in range(start, end):
        chars -= len(lines[line]) + 1
        if chars < 0:
            return line
    return end


def is_overlapping(one: Piece, other: Piece) -> bool:
    return one.unit is other.unit and one.start < other.end and other.start < one.end


class World:
    """One invented repository."""

    def __init__(self, pack: Pack, names: Names, rng: random.Random):
        self.pack, self.rng = pack, rng
        names.draw_pool(rng)
        self.words = names.words
        if rng.random() < 0.7:
            names.words = names.all
        self.paths = invented_paths(rng, names, list(pack.files), pack.language)
        self.name = pack.name.split("/")[-1]
        if rng.random() < 0.6:
            self.name = rng.choice(names.words) + rng.choice(["", "-" + rng.choice(names.words)])

    def texts(self) -> Iterator[str]:
        """The repository as it is streamed, file by file, over and over; of some worlds only the beginnings of files, so that soon many
        headers have passed."""
        yield f"<|repo_name|>{self.name}\n"
        most = self.rng.choice([300, 900, 3000, 100_000])
        order = list(self.pack.files)
        while True:
            if self.rng.random() < 0.5:
                order.sort(key=self.paths.__getitem__)
            else:
                self.rng.shuffle(order)
            begin = self.rng.randrange(len(order))
            for path in order[begin:] + order[:begin]:
                gap = "\n\n" if self.pack.language == "py" else "\n"
                content = gap.join("\n".join(unit.lines) for unit in self.pack.files[path])[:most].replace("<|", "< |")
                yield f"<|file_sep|>{self.paths[path]}\n{content}\n"

    def definition(self, path: str, number: int, chars: float) -> Piece | None:
        """A definition of the file, or a method of it, cut at a line's end to `chars`, as the product recalls it. None if its name does
        not fit."""
        rng = self.rng
        units = [
            unit
            for unit in self.pack.files[path]
            if unit.kind != "import" and (unit.methods or any(fact.kind == "where" for fact in unit.facts))
        ]
        if not units:
            return None
        unit = rng.choice(units)
        start, end = 0, len(unit.lines)
        if unit.methods and (not unit.name or rng.random() < 0.5):
            start, end, _ = rng.choice(unit.methods)
        name_line = min((fact.line for fact in unit.facts if fact.kind == "where" and start <= fact.line < end), default=None)
        if name_line is None:
            return None
        stop = cut(unit.lines, start, end, chars)
        if stop <= name_line:
            start, stop = name_line, cut(unit.lines, name_line, end, chars)
        return self.piece(path, unit, start, stop, number, stop < end) if stop > start else None

    def selection(self, path: str, number: int, chars: float) -> Piece | None:
        """Lines inside a definition, without its beginning."""
        units = [unit for unit in self.pack.files[path] if unit.kind in ("func", "class") and len(unit.lines) > 8]
        if not units:
            return None
        unit = self.rng.choice(units)
        start = self.rng.randint(3, len(unit.lines) - 3)
        stop = cut(unit.lines, start, min(len(unit.lines), start + self.rng.randint(1, 14)), chars)
        while start < stop and not unit.lines[start].strip():
            start += 1
        if stop <= start or any(fact.kind == "where" and start <= fact.line < stop for fact in unit.facts):
            return None
        return self.piece(path, unit, start, stop, number, False)

    def piece(self, path: str, unit: Unit, start: int, stop: int, number: int, is_cut: bool) -> Piece:
        piece = Piece(path, unit, start, stop, number, invented_line(self.rng))
        piece.text = piece.text.rstrip().replace("<|", "< |") + (CUT if is_cut else "")
        return piece

    def pieces(self) -> list[Piece]:
        """In the order of the prompt: the best one last. As in the product a definition takes at most half of the room that is left while
        others follow."""
        rng = self.rng
        left = rng.choice([48, 64, 96, 128, 128, 128, 192, 256, 320]) * CHARS_PER_TOKEN
        count = rng.choices([1, 2, 3, 4, 5], [0.46, 0.22, 0.2, 0.08, 0.04])[0]
        paths = list(self.pack.files)
        if rng.random() < 0.5:
            paths = rng.sample(paths, min(len(paths), rng.choice([2, 4, 8])))
        best_first: list[Piece] = []
        is_selection = rng.random() < 0.1
        for _ in range(3 * count):
            if len(best_first) == count:
                break
            path = rng.choice(paths)
            share = 1.0 if len(best_first) == count - 1 else 0.5 if rng.random() < 0.8 else 0.8
            chars = left * share - len(self.paths[path]) - 12
            choose = self.selection if is_selection and not best_first else self.definition
            piece = choose(path, 0, chars)
            if piece is None or any(is_overlapping(piece, other) for other in best_first):
                continue
            best_first.append(piece)
            left -= len(piece.text) + len(self.paths[path]) + 12
        pieces = best_first[::-1]
        for number, piece in enumerate(pieces, 1):
            piece.block = number
        return pieces

    def file_piece(self) -> tuple[Piece, list[str]] | None:
        """The beginning of a file, and the names it defines there."""
        rng = self.rng
        path = rng.choice(list(self.pack.files))
        units = self.pack.files[path]
        lines: list[str] = []
        for unit in units:
            lines += [*unit.lines, ""]
        stop = cut(lines, 0, min(len(lines), FILE_LINES), rng.choice([96, 128, 192, 256]) * CHARS_PER_TOKEN)
        names, line = [], 0
        for unit in units:
            where = next((fact for fact in unit.facts if fact.kind == "where" and fact.subject == unit.name), None)
            if where and line + where.line < stop:
                names.append(unit.name)
            line += len(unit.lines) + 1
        if not 1 <= len(names) <= 6 or len(set(names)) < len(names):
            return None
        piece = Piece(path, units[0], 0, 0, 1, 1)
        piece.text = "\n".join(lines[:stop]).rstrip().replace("<|", "< |") + (CUT if stop < len(lines) else "")
        return piece, names
