"""Facts that recalled definitions show, with the names that the row gives them."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from rows.names import Names
from rows.pieces import Piece, ShownFact, facts_of, rename, replace_literals, substitute
from rows.recall.world import World

COMMENT = {"py": ('"""', "'''", "#")}
USUAL_COMMENT = ("/*", "//")
# How often another definition is given the name of the best one.
SAME_NAME_SHARE = 0.15


@dataclass
class Fact:
    """Something a recalled definition shows. `place`: its block's header; `block`: its number, from 1; `main`: about the definition
    itself, not about something inside it."""

    kind: str
    subject: str
    value: object
    word: str
    place: str
    block: int
    main: bool


def recalled_facts(rng: random.Random, names: Names, world: World, pieces: list[Piece]) -> list[Fact]:
    """Renames identifiers, replaces literals, and tells what then holds. Of definitions of one name the last one counts."""
    found = facts_of(pieces)
    replace_literals(rng, names, pieces, found)
    rename(rng, names, pieces, found)
    share_a_name(rng, pieces, found)
    by_name: dict[str, list[ShownFact]] = {}
    for fact in found:
        if fact.kind == "where":
            by_name.setdefault(fact.subject, []).append(fact)
    facts: list[Fact] = []
    for subject, places in by_name.items():
        block = max(place.piece.block for place in places)
        last = [place for place in places if place.piece.block == block]
        if len(last) == 1:
            own = [fact for fact in found if fact.subject == subject and fact.piece.block == block]
            facts += facts_about(world, last[0], own)
    return facts


def share_a_name(rng: random.Random, pieces: list[Piece], found: list[ShownFact]) -> None:
    """Sometimes another definition is given the name of the best one."""
    mains = [fact for piece in pieces if (fact := main_fact(piece, found))]
    if len(mains) < 2 or rng.random() > SAME_NAME_SHARE:
        return
    name, other = mains[-1].subject, rng.choice(mains[:-1])
    if not re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", other.piece.text):
        own = [fact for fact in found if fact.piece is other.piece]
        substitute({other.subject: name}, [other.piece], own)


def main_fact(piece: Piece, found: list[ShownFact]) -> ShownFact | None:
    """Where the definition itself stands that a piece shows, not what is inside it."""
    places = [fact for fact in found if fact.kind == "where" and fact.piece is piece]
    return min(places, key=lambda fact: fact.needs) if places else None


def facts_about(world: World, where: ShownFact, own: list[ShownFact]) -> list[Fact]:
    """own: all facts of the subject that its block shows"""
    piece, subject, word = where.piece, where.subject, str(where.value)
    place = f"{world.paths[piece.path]}:{piece.line}"
    main = where.needs == min(fact.line for fact in piece.unit.facts if fact.kind == "where" and piece.start <= fact.line < piece.end)
    values: dict[str, list] = {}
    for fact in own:
        values.setdefault(fact.kind, []).append(fact.value)
    facts = [
        Fact("where", subject, place, word, place, piece.block, main),
        Fact("call", subject, place, word, place, piece.block, main),
    ]
    comment = COMMENT.get(world.pack.language, USUAL_COMMENT)
    if "doc" not in values and not any(mark in piece.text for mark in comment):
        shown = values["sig"][0] if len(values.get("sig", [])) == 1 else subject
        facts.append(Fact("nodoc", subject, shown, word, place, piece.block, main))
    for kind in ("sig", "doc", "const", "ret", "raise", "base", "meth"):
        if len(values.get(kind, [])) != 1:
            continue
        value = values[kind][0]
        if kind in ("const", "base"):
            value = declaration(piece.text, kind, subject, value)
        if value and (kind != "doc" or shows(piece.text, value)):
            facts.append(Fact(kind, subject, value, word, "", piece.block, main))
    return facts


def shows(text: str, sentence: str) -> bool:
    """Whether the text holds the sentence, over several lines of a comment or docstring if need be."""
    return sentence in re.sub(r"\s*\n\s*(?://[/!]?|\*(?!/)|#)?\s*", " ", text)


def declaration(text: str, kind: str, subject: str, value: str) -> str | None:
    """The piece of source that an answer about a constant or a base class quotes."""
    if kind == "const":
        front = r"(?m)^\s*(?:export |pub |public |static |final )*(?:const |let |var |val )?("
        pattern = front + re.escape(subject) + r"(?:\s*:[^\n=]*)?\s*=\s*" + re.escape(value) + r")(?=[\s;,]|$)"
    else:
        front = r"(?m)^(?:export )?(?:default )?(?:declare )?(?:abstract )?((?:class|interface) "
        pattern = front + re.escape(subject) + r"(?:\([^\n()]*\)|(?:<[^\n]*?>)? extends " + re.escape(value) + r"\b))"
    found = set(re.findall(pattern, text))
    return found.pop() if len(found) == 1 else None
