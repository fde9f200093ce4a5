"""Memories of code with questions about what stands in them, to label and to compare with."""

from __future__ import annotations

from dataclasses import dataclass

from rows import RowBuilder


@dataclass
class Question:
    kind: str
    text: str
    answer: str
    prompt: list[int]
    reply: list[int]


@dataclass
class Context:
    """Tokens of the memory and of the recall blocks, and questions about them."""

    memory: list[int]
    blocks: list[int]
    questions: list[Question]


def held_out_contexts(
    builder: RowBuilder, count: int, memory: int, recalled: int, questions: int = 6, last_share: float = 0.55
) -> list[Context]:
    """recalled: number of recall blocks; 0 asks about the memory itself. memory: its tokens, ± 15 %, or none. last_share: how often the
    question is about the last block."""
    contexts: list[Context] = []
    while len(contexts) < count:
        row = builder.build(memory * 1.02, recalled * 80, recalled)
        if row is None or not row.facts:
            continue
        ids = builder.ids(row.memory)
        if memory and not 0.85 * memory <= len(ids) <= 1.15 * memory:
            continue
        asked = [
            Question(
                kind, text, answer,
                builder.ids(f"<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n"),
                builder.ids(f"{answer}<|im_end|>"),
            )  # fmt: skip
            for text, answer, kind, _ in builder.questions(row, questions, 0.12, recalled > 0, last_share)
        ]
        if asked:
            contexts.append(Context(ids, builder.ids(row.blocks), asked))
    return contexts
