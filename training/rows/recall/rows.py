"""Rows in the form in which the product asks: recalled definitions behind a memory, then a conversation.

    python -m rows.recall.rows --units units.pkl --tokenizer DIR     prints one row

A world is an invented repository: a package under other paths. Its files are streamed into a memory; its rows are up to six recalled
definitions, the best one last, and several conversations, each of which follows the definitions independently of the others.
"""

from __future__ import annotations

import argparse
import random
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

from corpus.units import Pack, load_packs
from rows.names import Names
from rows.pieces import Piece
from rows.recall.conversations import Conversation, ConversationBuilder
from rows.recall.facts import Fact, recalled_facts
from rows.recall.world import World

LANGUAGE_SHARE = {"ts": 0.42, "py": 0.33, "go": 0.1, "rust": 0.1, "java": 0.05}
# Share of the rows without recalled definitions, as behind a question about what is not there; of those about a file.
EMPTY_SHARE, FILE_SHARE = 0.16, 0.05
# Conversations of a row at most, and of one without recalled definitions.
MOST_CONVERSATIONS, MOST_BEHIND_NOTHING = 99, 2


@dataclass
class Row:
    """Tokens of the recalled definitions, and conversations behind them."""

    context: list[int]
    conversations: list[Conversation]

    def __len__(self) -> int:
        return len(self.context) + sum(len(conversation.ids) for conversation in self.conversations)


class RecallRowBuilder:
    def __init__(self, packs: list[Pack], names: Names, tokenizer: Tokenizer, seed: int):
        self.tokenizer, self.rng = tokenizer, random.Random(seed)
        self.names = names
        self.packs = {language: [pack for pack in packs if pack.language == language] for language in LANGUAGE_SHARE}
        self.languages = [language for language in LANGUAGE_SHARE if self.packs[language]]
        self.conversations = ConversationBuilder(self.rng, names, tokenizer)

    def ids(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def world(self) -> World:
        language = self.rng.choices(self.languages, [LANGUAGE_SHARE[one] for one in self.languages])[0]
        packs = self.packs[language]
        pack = self.rng.choices(packs, [min(len(one.files), 60) ** 0.5 for one in packs])[0]
        return World(pack, self.names, self.rng)

    def row(self, world: World, length: int) -> Row | None:
        """At most `length` tokens in all; None if nothing fits."""
        self.names.words = world.words
        recalled = self.recalled(world)
        if recalled is None:
            return None
        pieces, facts = recalled
        text = "".join(f"<|file_sep|>{world.paths[piece.path]}:{piece.line}\n{piece.text}\n" for piece in pieces)
        row = Row(self.ids(text), [])
        most = MOST_CONVERSATIONS if pieces else MOST_BEHIND_NOTHING
        has_selection = any(fact.kind == "lines" for fact in facts)
        for _ in range(24):
            made = self.conversations.conversation(world, facts, text, has_selection)
            if made is None:
                continue
            if len(row) + len(made.ids) > length or len(row.conversations) == most:
                break
            row.conversations.append(made)
        return row if row.conversations else None

    def recalled(self, world: World) -> tuple[list[Piece], list[Fact]] | None:
        """Nothing, the beginning of a file, or definitions, with what they show; None if no definition fits."""
        draw = self.rng.random()
        if draw < EMPTY_SHARE:
            return [], []
        if draw < EMPTY_SHARE + FILE_SHARE and (found := world.file_piece()):
            piece, names = found
            return [piece], [Fact("file", world.paths[piece.path], names, "", "", 1, True)]
        pieces = world.pieces()
        if not pieces:
            return None
        facts = recalled_facts(self.rng, self.names, world, pieces)
        last = pieces[-1]
        if not any(fact.kind == "where" and last.start <= fact.line < last.end for fact in last.unit.facts):
            place = f"{world.paths[last.path]}:{last.line}"
            facts.append(Fact("lines", "", "", "", place, last.block, True))
        return pieces, facts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--length", type=int, default=448)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    tokenizer = Tokenizer.from_file(str(arguments.tokenizer / "tokenizer.json"))
    packs = load_packs(arguments.units, held_out=False)
    builder = RecallRowBuilder(packs, Names(packs), tokenizer, arguments.seed)
    row = builder.row(builder.world(), arguments.length)
    if row is None:
        raise SystemExit("this seed makes no row; take another one")
    print(tokenizer.decode(row.context, skip_special_tokens=False))
    for conversation in row.conversations:
        print("-" * 20)
        print(tokenizer.decode(conversation.ids, skip_special_tokens=False))


if __name__ == "__main__":
    main()
