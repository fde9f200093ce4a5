"""What retaining heads learn: how much each cache unit of a text gives to the answers of questions about it.

Label of a memory token and KV head: the largest share of the layer's output that it has at any token of any answer, as a logarithm. As
published it would be the largest attention logit; keeping the units with the best shares answers more, however well they are predicted.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
from torch import Tensor

from model.language_model import LanguageModel
from model.memory_stream import MemoryStream
from rows.base.contexts import Context, draw_contexts
from rows.base.token_rows import RowBuilder

# About a text, so that what is labelled low is not only what nobody asked.
QUESTIONS = 30


@dataclass
class Labelled:
    """One memory text: per layer the projections [T, (h + 2 h_kv) d] and the labels [h_kv, T]."""

    projections: list[Tensor]
    labels: list[Tensor]


@torch.no_grad()
def label(model: LanguageModel, context: Context) -> Labelled:
    """Reads the text, then answers its questions over all of its units."""
    stream = MemoryStream(model)
    stream.keep_projections = True
    stream.prefill(context.memory)
    memory = len(context.memory)
    projections = [torch.cat(parts).half() for parts in stream.projections]
    stream.keep_projections = False
    stream.append(context.blocks)
    _, seen = stream.ask([question.prompt + question.reply for question in context.questions], with_contributions=True)
    answers = torch.zeros(len(context.questions), seen[0].shape[2], dtype=torch.bool)
    for row, question in enumerate(context.questions):
        begin = len(question.prompt) - 1
        answers[row, begin : begin + len(question.reply)] = True
    labels = [shares.masked_fill(~answers[:, None, :, None], -torch.inf).amax((0, 2))[:, :memory].clone() for shares in seen]
    return Labelled(projections, labels)


def collect(model: LanguageModel, builder: RowBuilder, count: int, minutes: float) -> list[Labelled]:
    """Contexts of 300 to 1000 tokens, a quarter of them with recalled definitions behind, until `count` or the time is reached."""
    rng, end = builder.rng, time.time() + 60 * minutes
    samples: list[Labelled] = []
    while len(samples) < count and time.time() < end:
        memory = rng.choice([300, 450, 600, 1000])
        recalled = rng.choice([0, 0, 0, 2])
        samples.append(label(model, draw_contexts(builder, 1, memory, recalled, QUESTIONS)[0]))
    return samples
