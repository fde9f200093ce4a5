"""Small repositories of the first stage: definitions of one package with other names, and the facts that hold in them."""

from __future__ import annotations

import random
from dataclasses import dataclass

from corpus.units import Pack
from rows.base.chosen_pieces import block_pieces, memory_pieces
from rows.base.facts import Fact, single_answers
from rows.names import Names
from rows.pieces import Piece, ShownFact, facts_of, rename, replace_literals

CHARS_PER_TOKEN = 3.05


@dataclass
class Repository:
    """A rendered repository: text of the memory, text of the recall blocks, and the facts that hold in them."""

    memory: str
    blocks: str
    facts: list[Fact]


def build_repository(
    rng: random.Random, names: Names, pack: Pack, memory_tokens: float, block_tokens: float, block_count: int
) -> Repository | None:
    """None if nothing of the package fits."""
    language = pack.language
    memory = memory_pieces(rng, pack, memory_tokens * CHARS_PER_TOKEN)
    blocks = block_pieces(rng, pack, memory, block_count, block_tokens * CHARS_PER_TOKEN) if block_count else []
    if not memory and not blocks:
        return None
    pieces = memory + blocks
    for number, piece in enumerate(blocks, 1):
        piece.block = number
    found = facts_of(pieces)
    replace_literals(rng, names, pieces, found)
    rename(rng, names, pieces, found)
    paths = other_paths(rng, names, pieces)
    needles = add_needles(rng, names, memory, found, language) if not blocks else []
    name = pack.name.split("/")[-1]
    if rng.random() < 0.6:
        name = rng.choice(names.words) + rng.choice(["", "-" + rng.choice(names.words)])
    gap = rng.choice(["\n", "\n\n", "\n\n\n"]) if language == "py" else rng.choice(["\n", "\n\n"])
    text = f"<|repo_name|>{name}\n"
    for path in dict.fromkeys(piece.path for piece in memory):
        text += f"<|file_sep|>{paths[path]}\n" + gap.join(piece.text for piece in memory if piece.path == path).rstrip() + "\n"
    recalled = "".join(f"<|file_sep|>{paths[piece.path]}:{piece.line}\n{piece.text.rstrip()}\n" for piece in blocks)
    return Repository(text, recalled, single_answers(found, paths, text + recalled, language) + needles)


def other_paths(rng: random.Random, names: Names, pieces: list[Piece]) -> dict[str, str]:
    """Path of the package → path in the repository: at most four parts of the same one, or an invented one that is no deeper."""
    renamed: dict[str, str] = {}
    folders: dict[str, str] = {}
    replace = rng.random() < 0.65
    depth = rng.choice([0, 1, 1, 2, 2, 3])
    for path in dict.fromkeys(piece.path for piece in pieces):
        parts = path.split("/")
        if replace:
            stem, _, extension = parts[-1].rpartition(".")
            if stem != "__init__" or rng.random() < 0.7:
                like = rng.choice(["a_b", "a_b", "aB"])
                file = names.make(rng, like, rng.choice([1, 1, 2, 2, 3]))
                parts[-1] = (file.replace("_", "-") if extension != "py" and rng.random() < 0.6 else file) + "." + extension
            kept = min(depth, len(parts) - 1)
            parents = [folders.setdefault(folder, rng.choice(names.words)) for folder in parts[:-1]]
            parts = parents[len(parents) - kept :] + parts[-1:]
        elif len(parts) > 4:
            parts = parts[-4:]
        new = "/".join(parts)
        while new in renamed.values():
            new = "/".join([*parts[:-1], rng.choice(names.words) + "_" + parts[-1]])
            parts[-1] = new.rpartition("/")[2]
        renamed[path] = new
    return renamed


def add_needles(rng: random.Random, names: Names, memory: list[Piece], found: list[ShownFact], language: str) -> list[Fact]:
    """Writes up to two comments with an invented secret into the memory."""
    needles: list[Fact] = []
    for _ in range(rng.choice([0, 1, 1, 2])):
        piece = rng.choice(memory)
        word = rng.choice(["passkey", "passkey", "secret code", "token", "magic number"])
        subject = names.make(rng, rng.choice(["foo_bar", "FOO", "FooBar"]))
        digits = rng.randint(2, 5)
        number = str(rng.randint(10**digits, 10 ** (digits + 1)))
        value = number if rng.random() < 0.7 else "-".join(rng.choice(names.words) for _ in range(2))
        if any(subject == needle.subject for needle in needles) or any(subject == fact.subject for fact in found):
            continue
        piece.text += f"\n{'#' if language == 'py' else '//'} The {word} for {subject} is {value}."
        needles.append(Fact("needle", subject, (word, value), word, "", 0))
    return needles
