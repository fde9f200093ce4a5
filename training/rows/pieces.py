"""Cuts of definitions, the facts they show, and the invented names and literals that replace the source's own."""

from __future__ import annotations

import random
import re

from corpus.units import Unit
from rows.names import Names, random_literal


class Piece:
    """A cut of a definition: its lines [start, end). block: number of its recall block, from 1; 0 in the memory. line: where it is said to
    begin."""

    __slots__ = ("path", "unit", "start", "end", "text", "block", "line")

    def __init__(self, path: str, unit: Unit, start: int, end: int, block: int, line: int):
        self.path, self.unit, self.start, self.end, self.block, self.line = path, unit, start, end, block, line
        self.text = "\n".join(unit.lines[start:end])


class ShownFact:
    """A fact that the text of a piece shows; `needs`: the line of the unit up to which it must be shown."""

    __slots__ = ("kind", "subject", "value", "unit_kind", "piece", "needs")

    def __init__(self, kind: str, subject: str, value: str | list[str], piece: Piece, needs: int):
        self.kind, self.subject, self.value = kind, subject, value
        self.unit_kind, self.piece, self.needs = piece.unit.kind, piece, needs


def facts_of(pieces: list[Piece]) -> list[ShownFact]:
    """Facts that survived the cuts; a piece in a block wins over the memory's copy."""
    facts: list[ShownFact] = []
    seen: set[tuple] = set()
    for piece in sorted(pieces, key=lambda piece: piece.block == 0):
        for kind, needs, subject, value in piece.unit.facts:
            if not piece.start <= needs < piece.end:
                continue
            if kind == "meth":
                value = [method for method, line in value if line < piece.end]
                if piece.start > 0 or not 1 <= len(value) <= 6:
                    continue
            if (kind, subject, id(piece.unit), needs) not in seen:
                seen.add((kind, subject, id(piece.unit), needs))
                facts.append(ShownFact(kind, subject, value, piece, needs))
    return facts


def replace_literals(rng: random.Random, names: Names, pieces: list[Piece], facts: list[ShownFact]) -> None:
    """Gives constants and returned literals other values, in the texts and in the facts."""
    for fact in facts:
        kind, subject, value = fact.kind, fact.subject, fact.value
        if kind not in ("const", "ret") or rng.random() < 0.4:
            continue
        new = random_literal(rng, names, value)
        pattern = (re.escape(subject) + r"\b[^\n]*?=\s*" if kind == "const" else r"return ") + "(" + re.escape(value) + r")(?=[\s;]|$)"
        copies = [piece for piece in pieces if piece.unit is fact.piece.unit]
        found = [list(re.finditer(pattern, piece.text)) for piece in copies]
        is_shared = kind == "ret" and fact.unit_kind == "class" and len(copies) > 1
        if new == value or is_shared or any(len(matches) > 1 for matches in found):
            continue
        for piece, matches in zip(copies, found, strict=True):
            if matches:
                begin, end = matches[0].span(1)
                piece.text = piece.text[:begin] + new + piece.text[end:]
        fact.value = new


def rename(rng: random.Random, names: Names, pieces: list[Piece], facts: list[ShownFact]) -> None:
    """Gives all, half or none of the identifiers that the facts are about new names, in the texts and in the facts."""
    share = rng.choice([0, 0.5, 1, 1, 1])
    whole = "\n".join(piece.text for piece in pieces)
    defined = {fact.subject for fact in facts if fact.kind in ("where", "import")}
    defined |= {fact.value for fact in facts if fact.kind in ("raise", "base")}
    new_names: dict[str, str] = {}
    for name in sorted(defined):
        if len(name) >= 3 and not name.startswith("__") and re.fullmatch(r"[A-Za-z_$][\w$]*", name) and rng.random() < share:
            new = names.make(rng, name)
            if new not in new_names.values() and not re.search(r"(?<![\w$])" + re.escape(new) + r"(?![\w$])", whole):
                new_names[name] = new
    if new_names:
        substitute(new_names, pieces, facts)


def substitute(new_names: dict[str, str], pieces: list[Piece], facts: list[ShownFact]) -> None:
    """Replaces whole identifiers in the pieces' texts and in the facts."""
    ordered = sorted(new_names, key=len, reverse=True)
    pattern = re.compile(r"(?<![\w$])(?:" + "|".join(map(re.escape, ordered)) + r")(?![\w$])")

    def replaced(text: str) -> str:
        return pattern.sub(lambda match: new_names[match.group(0)], text)

    for piece in pieces:
        piece.text = replaced(piece.text)
    for fact in facts:
        fact.subject = replaced(fact.subject)
        fact.value = [replaced(one) for one in fact.value] if isinstance(fact.value, list) else replaced(fact.value)


def absent_name(rng: random.Random, names: Names, present: list[str]) -> str:
    """A name like those present; a third of the time a near miss: one part of one of them changed."""
    like = rng.choice(present) if present else "foo_bar"
    if present and rng.random() < 0.35 and not re.search(r"[^\w$]", like):
        parts = re.findall(r"_+|[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])|\$", like)
        words = [index for index, part in enumerate(parts) if part[0].isalpha()]
        if len(words) > 1:
            index = rng.choice(words)
            old, new = parts[index], rng.choice(names.all)
            parts[index] = new.upper() if old.isupper() and len(old) > 1 else new.capitalize() if old[0].isupper() else new
            return "".join(parts)
    return names.make(rng, like)


def mixed_name(first: str, second: str) -> str:
    """The beginning of one name with the end of another: the nearest miss there is."""
    heads, tails = (re.findall(r"_*(?:[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])|\$)", name) for name in (first, second))
    return "".join(heads[:-1] or heads) + "".join(tails[1:] or tails)
