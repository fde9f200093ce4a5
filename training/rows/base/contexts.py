"""Memories of code with questions about what stands in them, to label and to compare with."""

from __future__ import annotations

from dataclasses import dataclass

from rows.base.token_rows import RowBuilder

# Share of the questions about what is not there.
ABSENT_SHARE = 0.12


@dataclass
class Question:
    """`prompt`: its turn as the model sees it, up to the answer; `reply`: the answer with its end of turn."""

    text: str
    prompt: list[int]
    reply: list[int]


@dataclass
class Context:
    """Tokens of the memory and of the recall blocks, and questions about them."""

    memory: list[int]
    blocks: list[int]
    questions: list[Question]


def draw_contexts(
    builder: RowBuilder, count: int, memory: int, recalled: int, questions: int = 6, last_share: float = 0.55
) -> list[Context]:
    """recalled: number of recall blocks; 0 asks about the memory itself. memory: its tokens, ± 15 %, or none. last_share: how often the
    question is about the last block."""
    contexts: list[Context] = []
    while len(contexts) < count:
        repository = builder.build(memory * 1.02, recalled * 80, recalled)
        if repository is None or not repository.facts:
            continue
        ids = builder.ids(repository.memory)
        if memory and not 0.85 * memory <= len(ids) <= 1.15 * memory:
            continue
        asked = [
            Question(one.question, builder.prompt(one.question), builder.reply(one)[0])
            for one in builder.questions(repository, questions, ABSENT_SHARE, recalled > 0, last_share)
        ]
        if asked:
            contexts.append(Context(ids, builder.ids(repository.blocks), asked))
    return contexts
