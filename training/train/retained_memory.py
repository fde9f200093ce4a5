"""Memories to train and to measure behind: invented repositories that stream through the model and are evicted as in the product."""

from __future__ import annotations

from torch import Tensor

from model.language_model import LanguageModel
from model.memory_stream import MemoryStream
from model.retaining_heads import RetainingHeads
from rows.recall.rows import RecallRowBuilder, Row

CHUNK, LOCAL = 256, 16
# What decides what a memory keeps: the given retaining heads, untrained ones (each keeps many copies of a few kinds of token, as trained
# ones do in the end, but of other kinds), chance, age.
KEEPERS = ["given"] * 4 + ["untrained"] * 4 + ["random", "recent"]
BUDGETS = [64] * 6 + [32, 128, 128, 256]
FIRST_CHUNKS = [1, 2, 3, 4, 6, 8, 12, 24]


class RetainedMemory:
    """A world that streams through the model, and its retained cache: keys (rotated) and values [layer][h_kv, units, d]."""

    def __init__(self, builder: RecallRowBuilder, model: LanguageModel, heads: RetainingHeads, keeper: str, budget: int):
        self.builder, self.world = builder, builder.world()
        self.texts = self.world.texts()
        self.tokens: list[int] = []
        if keeper == "untrained":
            heads = RetainingHeads(model.config).to(model.device)
        policy = "locret" if keeper in ("given", "untrained") else keeper
        self.stream = MemoryStream(model, policy, heads, budget, CHUNK, budget // 4, seed=builder.rng.randrange(1 << 30))
        self.keys: list[Tensor] = []
        self.values: list[Tensor] = []

    def advance(self, chunks: int) -> None:
        """Reads on, then holds what a reading that ended here would have retained."""
        wanted = chunks * CHUNK + LOCAL
        while len(self.tokens) < wanted:
            self.tokens += self.builder.ids(next(self.texts))
        for chunk in range(chunks):
            self.stream.append(self.tokens[chunk * CHUNK : (chunk + 1) * CHUNK])
            if chunk < chunks - 1:
                self.stream.evict(last=False)
        end = self.stream.copy()
        end.evict(last=True)
        end.append(self.tokens[chunks * CHUNK : wanted])
        self.keys = [end.rotated(k, 0) for k in end.keys]
        self.values = end.values
        self.stream.evict(last=False)
        del self.tokens[: chunks * CHUNK]

    @property
    def units(self) -> int:
        return self.keys[0].shape[1]


class Pool:
    """Memories that read on while a model is trained."""

    def __init__(self, builder: RecallRowBuilder, model: LanguageModel, heads: RetainingHeads, size: int):
        self.builder, self.model, self.heads = builder, model, heads
        self.memories = [self.fresh() for _ in range(size)]

    def fresh(self) -> RetainedMemory:
        rng = self.builder.rng
        memory = RetainedMemory(self.builder, self.model, self.heads, rng.choice(KEEPERS), rng.choice(BUDGETS))
        memory.advance(rng.choice(FIRST_CHUNKS))
        return memory

    def read_on(self, chunks: int) -> None:
        """One memory reads on; now and then it is a new repository instead."""
        chosen = self.builder.rng.randrange(len(self.memories))
        if self.builder.rng.random() < 0.06:
            self.memories[chosen] = self.fresh()
        else:
            self.memories[chosen].advance(chunks)

    def rows(self, count: int, length: int, bare: bool) -> list[tuple[Row, RetainedMemory | None]]:
        """Rows of at most `length` tokens, each behind one of the memories, or behind nothing."""
        made: list[tuple[Row, RetainedMemory | None]] = []
        while len(made) < count:
            memory = self.builder.rng.choice(self.memories)
            row = self.builder.row(memory.world, length)
            if row is not None:
                made.append((row, None if bare else memory))
        return made
