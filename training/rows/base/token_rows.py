"""Training rows of the first stage: a small repository, recalled definitions, and questions about it.

    python -m rows.base.token_rows --units units.pkl --tokenizer DIR --length 512     prints one row

A row is `memory | recall blocks | questions`, in the very form the product streams (see the model card).
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

from tokenizers import Tokenizer

from corpus.units import Pack, load_packs
from rows.base.asking import Asked, ask
from rows.base.facts import key_span
from rows.base.repository import Repository, build_repository
from rows.names import Names
from rows.token_kinds import ANSWER, CODE, KEY, PAD, QUESTION

# A repository is not fitted into less room, in tokens.
LEAST_ROOM = 110
LANGUAGES = ("py", "ts")


class TokenRow:
    """Tokens and the kind of each of them."""

    def __init__(self) -> None:
        self.ids: list[int] = []
        self.kinds: list[int] = []

    def append(self, ids: list[int], kind: int) -> None:
        self.append_mixed(ids, [kind] * len(ids))

    def append_mixed(self, ids: list[int], kinds: list[int]) -> None:
        self.ids += ids
        self.kinds += kinds


class RowBuilder:
    def __init__(self, packs: list[Pack], tokenizer: Tokenizer, seed: int):
        self.tokenizer, self.rng = tokenizer, random.Random(seed)
        self.names = Names(packs)
        self.packs = {language: [pack for pack in packs if pack.language == language] for language in LANGUAGES}
        self.weights = {language: [min(len(pack.files), 60) ** 0.5 for pack in some] for language, some in self.packs.items()}

    def ids(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def prompt(self, question: str) -> list[int]:
        return self.ids(f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n")

    def reply(self, asked: Asked) -> tuple[list[int], list[int]]:
        """Tokens of the answer with its end of turn, and whether each of them is ANSWER or KEY."""
        encoded = self.tokenizer.encode(f"{asked.answer}<|im_end|>", add_special_tokens=False)
        begin, end = key_span(asked.answer, asked.kind, asked.fact.value)
        return encoded.ids, [KEY if begin <= first < end else ANSWER for first, _ in encoded.offsets]

    def build(self, memory_tokens: float, block_tokens: float, block_count: int, typescript: float = 0.42) -> Repository | None:
        """A repository of a package that is drawn, `typescript` of the time one in TypeScript; None if nothing fits."""
        language = "ts" if self.rng.random() < typescript and self.packs["ts"] else "py"
        pack = self.rng.choices(self.packs[language], self.weights[language])[0]
        self.names.draw_pool(self.rng)
        return build_repository(self.rng, self.names, pack, memory_tokens, block_tokens, block_count)

    def questions(
        self, repository: Repository, count: int, none_share: float = 0.1, blocks_only: bool = False, last_share: float = 0.55
    ) -> list[Asked]:
        """See `ask`."""
        return ask(self.rng, self.names, repository, count, none_share, blocks_only, last_share)

    def sample(self, length: int, evict: float = 0.0) -> tuple[list[int], list[int]]:
        """One row: (ids, kinds of token), both length + 1 long. Room that a repository leaves is filled with another one.
        evict: share of the repositories whose memory lost tokens, as after eviction."""
        row = TokenRow()
        tries = 0
        while length - len(row.ids) > LEAST_ROOM and tries < 8:
            tries += 1
            part = self.sample_one(length - len(row.ids), evict)
            if part is not None:
                row.append_mixed(part.ids, part.kinds)
        row.append([0] * (length + 1 - len(row.ids)), PAD)
        return row.ids, row.kinds

    def sample_one(self, length: int, evict: float) -> TokenRow | None:
        """One repository with its questions, at most `length` tokens; None if it came out unusable."""
        rng = self.rng
        mode = rng.choices(["recall", "plain", "code"], [0.78, 0.18, 0.04])[0]
        repository = self.build_for(mode, length)
        if repository is None or (mode != "code" and not repository.facts):
            return None
        memory, blocks = self.ids(repository.memory), self.ids(repository.blocks)
        evicted = mode == "recall" and rng.random() < evict
        if evicted:
            keep = 1 - rng.uniform(0.1, 0.7)
            memory = memory[:4] + [token for token in memory[4:] if rng.random() < keep]
        room = length - len(memory) - len(blocks)
        if room < (0 if mode == "code" else 45):
            return None
        asked = [] if mode == "code" else self.questions(repository, max(1, room // 34 + 1), blocks_only=evicted)
        row = TokenRow()
        if asked and rng.random() < 0.05:
            row.append(self.ids(f"<|im_start|>user\n{asked[0].question}<|im_end|>\n"), QUESTION)
        row.append(memory, QUESTION if evicted else CODE)
        row.append(blocks, CODE)
        for one in asked:
            prompt, (reply, kinds) = self.prompt(one.question), self.reply(one)
            if len(row.ids) + len(prompt) + len(reply) > length:
                continue
            row.append(prompt, QUESTION)
            row.append_mixed(reply, kinds)
            row.append(self.ids("\n"), QUESTION)
        return row if mode == "code" or ANSWER in row.kinds else None

    def build_for(self, mode: str, length: int) -> Repository | None:
        """recall: definitions behind a memory or behind nearly nothing; plain: a memory alone; code: one that nothing is asked about."""
        rng = self.rng
        if mode != "recall":
            return self.build(length * (rng.uniform(0.5, 0.75) if mode == "plain" else 0.95), 0, 0)
        share = rng.uniform(0.4, 0.66)
        count = rng.choice([1, 1, 2, 2, 3] if length <= 256 else [1, 1, 2, 2, 3, 3, 4, 5, 6])
        block_tokens = min(length * share, count * rng.uniform(35, 110))
        memory_tokens = max(0, length * share - block_tokens) if rng.random() < 0.75 else rng.uniform(0, 60)
        return self.build(memory_tokens, block_tokens, count)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--length", type=int, default=512)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    tokenizer = Tokenizer.from_file(str(arguments.tokenizer / "tokenizer.json"))
    builder = RowBuilder(load_packs(arguments.units, held_out=False), tokenizer, arguments.seed)
    ids, _ = builder.sample(arguments.length)
    print(tokenizer.decode(ids, skip_special_tokens=False))


if __name__ == "__main__":
    main()
