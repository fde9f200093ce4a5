"""Rows behind retained caches as tensors, and the model's pass over them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from model.language_model import LanguageModel, rope_tables, rotate
from rows.recall.rows import Row
from rows.token_kinds import ANSWER, CODE, PAD
from train.retained_memory import RetainedMemory

MAX_POSITIONS = 4096


@dataclass
class Batch:
    """ids, kinds, positions, conversations (0: recalled definitions) [rows, T]; keys and values of the memories [rows, h_kv, units, d] per
    layer; units: how many of them are real."""

    ids: Tensor
    kinds: Tensor
    positions: Tensor
    conversations: Tensor
    keys: list[Tensor]
    values: list[Tensor]
    units: Tensor

    def targets(self) -> tuple[Tensor, Tensor]:
        return targets_of(self.ids, self.kinds, self.conversations)


def make_batch(rows: list[tuple[Row, RetainedMemory | None]], model: LanguageModel) -> Batch:
    """Rows behind their memories; None: no memory at all. On the model's device."""
    config = model.config
    length = max(len(row) for row, _ in rows)
    units = torch.tensor([memory.units if memory else 0 for _, memory in rows])
    ids, kinds, positions = (torch.zeros(len(rows), length, dtype=torch.long) for _ in range(3))
    conversations = torch.full((len(rows), length), -1)
    cache = (len(rows), config.num_key_value_heads, int(units.max()), config.head_dim)
    keys, values = ([torch.zeros(cache, device=model.device) for _ in range(config.num_hidden_layers)] for _ in range(2))
    for i, (row, memory) in enumerate(rows):
        first = int(units[i])
        parts = [(row.context, [CODE] * len(row.context)), *((c.ids, c.kinds) for c in row.conversations)]
        at = 0
        for number, (part, part_kinds) in enumerate(parts):
            place = slice(at, at + len(part))
            begin = first + (len(row.context) if number else 0)
            ids[i, place], kinds[i, place] = torch.tensor(part, dtype=torch.long), torch.tensor(part_kinds, dtype=torch.long)
            positions[i, place] = torch.arange(begin, begin + len(part))
            conversations[i, place] = number
            at += len(part)
        if memory:
            for layer in range(config.num_hidden_layers):
                keys[layer][i, :, :first], values[layer][i, :, :first] = memory.keys[layer], memory.values[layer]
    ids, kinds, positions, conversations, units = (t.to(model.device) for t in (ids, kinds, positions, conversations, units))
    return Batch(ids, kinds, positions, conversations, keys, values, units)


def hidden_behind(model: LanguageModel, batch: Batch) -> Tensor:
    """States before the output embedding [rows, T, width]; a token sees the memory, the recalled definitions before it and its own
    conversation."""
    config = model.config
    length, most = batch.ids.shape[1], batch.keys[0].shape[2]
    device = batch.ids.device
    cos, sin = (t[batch.positions][:, None] for t in rope_tables(MAX_POSITIONS, config.head_dim, config.rope_theta, device))
    own = batch.conversations
    sees = (own[:, :, None] == own[:, None, :]) | (own[:, None, :] == 0)
    sees &= torch.ones(length, length, dtype=torch.bool, device=device).tril()
    cached = torch.arange(most, device=device)[None, None] < batch.units[:, None, None]
    mask = torch.cat([cached.expand(-1, length, -1), sees], -1)[:, None]
    x = model.model.embed_tokens(batch.ids)
    bias = torch.zeros(mask.shape, device=device).masked_fill(~mask, -1e9)
    for i, layer in enumerate(model.model.layers):
        q, k, v, _ = layer.self_attn.project(layer.input_layernorm(x))
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        k, v = torch.cat([batch.keys[i], k], 2), torch.cat([batch.values[i], v], 2)
        k, v = k.repeat_interleave(config.group, 1), v.repeat_interleave(config.group, 1)
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=bias.to(q.dtype))
        x = x + layer.self_attn.o_proj(out.transpose(1, 2).flatten(2))
        x = x + layer.mlp(layer.post_attention_layernorm(x))
    return model.model.norm(x)


def targets_of(ids: Tensor, kinds: Tensor, conversations: Tensor) -> tuple[Tensor, Tensor]:
    """Per token the next one of the same conversation and its kind; PAD where there is none."""
    follows = conversations[:, 1:] == conversations[:, :-1]
    return ids[:, 1:], torch.where(follows, kinds[:, 1:], PAD)


@torch.no_grad()
def right_answers(model: LanguageModel, hidden: Tensor, targets_and_kinds: tuple[Tensor, Tensor]) -> tuple[list[bool], float]:
    """hidden [rows, T - 1, width], targets and kinds of `targets_of` → for every answer, row by row, whether greedy decoding gives it to
    the last token; and the mean loss of an answer token."""
    targets, kinds = targets_and_kinds
    answer = kinds >= ANSWER
    logits = model.logits(hidden[answer]).float()
    wrong = torch.zeros_like(answer)
    wrong[answer] = logits.argmax(-1) != targets[answer]
    starts = answer & ~F.pad(answer, (1, 0))[:, :-1]
    number = starts.flatten().int().cumsum(0) - 1
    right = torch.ones(int(starts.sum()), dtype=torch.bool, device=model.device)
    right[number[wrong.flatten()]] = False
    return right.tolist(), F.cross_entropy(logits, targets[answer]).item()


@torch.no_grad()
def exact_answers(model: LanguageModel, batch: Batch) -> tuple[list[bool], float]:
    """`right_answers` behind the batch's memories and recalled definitions."""
    return right_answers(model, hidden_behind(model, batch)[:, :-1], batch.targets())
