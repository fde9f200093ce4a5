"""Rows whose questions see of a short repository only what retaining heads keep: training with simulated eviction.

The repository is read in one pass; then per layer and KV head the budget's best units stay, at new slots, and every question follows them
independently. Unlike a memory that was streamed, gradients flow into it: the model learns to write what answers need into units that stay.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from model.language_model import LanguageModel, rope_tables, rotate
from model.retaining_heads import RetainingHeads
from rows.base.token_rows import RowBuilder
from rows.recall.conversations import Conversation
from rows.recall.rows import Row
from rows.token_kinds import ANSWER, KEY, QUESTION
from train.recall_batches import MAX_POSITIONS, right_answers, targets_of

# What the product can ask about a definition.
KINDS = {"where", "sig", "doc", "const", "base", "none"}
LENGTHS = [150, 250, 400, 600]
# Share of the units that stay. Where fewer stay, most of what is asked for is lost, and guessing would be learned.
SHARES = [1.0, 0.5, 0.33, 0.33, 0.33, 0.2]
# Share of the questions about what is not there.
ABSENT_SHARE = 0.25
LEAST_BUDGET = 16


def evicted_row(builder: RowBuilder, conversations: int) -> Row:
    """A repository as it is streamed, and questions about what it defines."""
    while True:
        made = builder.build(builder.rng.choice(LENGTHS), 0, 0)
        if made is None or not made.facts:
            continue
        made.facts = [fact for fact in made.facts if fact.kind in KINDS]
        row = Row(builder.ids(made.memory), [])
        for asked in builder.questions(made, conversations, ABSENT_SHARE):
            prompt, (reply, kinds) = builder.prompt(asked.question), builder.reply(asked)
            row.conversations.append(Conversation(prompt + reply, [QUESTION] * len(prompt) + kinds, [asked.kind]))
        if row.conversations and len(row.context) < 2 * LENGTHS[-1]:
            return row


class EvictedBatch:
    """context [rows, C]; ids, kinds, conversations (-1: none), offsets (positions within the conversation) [rows, T]; budgets [rows]."""

    def __init__(self, rows: list[Row], shares: list[float], device: torch.device):
        most = max(len(row.context) for row in rows)
        length = max(len(row) - len(row.context) for row in rows)
        self.context = torch.zeros(len(rows), most, dtype=torch.long)
        self.lengths = torch.tensor([len(row.context) for row in rows])
        self.ids, self.kinds, self.offsets = (torch.zeros(len(rows), length, dtype=torch.long) for _ in range(3))
        self.conversations = torch.full((len(rows), length), -1)
        self.budgets = torch.tensor([max(LEAST_BUDGET, int(share * len(row.context))) for row, share in zip(rows, shares, strict=True)])
        for i, row in enumerate(rows):
            self.context[i, : len(row.context)] = torch.tensor(row.context)
            at = 0
            for number, conversation in enumerate(row.conversations):
                place = slice(at, at + len(conversation.ids))
                self.ids[i, place], self.kinds[i, place] = torch.tensor(conversation.ids), torch.tensor(conversation.kinds)
                self.offsets[i, place] = torch.arange(len(conversation.ids))
                self.conversations[i, place] = number
                at += len(conversation.ids)
        self.budgets = self.budgets.minimum(self.lengths)
        for name in ("context", "lengths", "ids", "kinds", "offsets", "conversations", "budgets"):
            setattr(self, name, getattr(self, name).to(device))

    def targets(self) -> tuple[Tensor, Tensor]:
        return targets_of(self.ids, self.kinds, self.conversations)


def kept_units(scores: Tensor, lengths: Tensor, budgets: Tensor) -> Tensor:
    """scores [rows, h_kv, C] → which units stay: of each row the first `lengths` ones compete for its budget."""
    real = torch.arange(scores.shape[2], device=scores.device) < lengths[:, None, None]
    order = scores.masked_fill(~real, -torch.inf).argsort(2, descending=True)
    rank = torch.empty_like(order).scatter_(2, order, torch.arange(scores.shape[2], device=scores.device).expand_as(order))
    return (rank < budgets[:, None, None]) & real


def hidden_after_eviction(model: LanguageModel, heads: RetainingHeads, batch: EvictedBatch) -> tuple[Tensor, Tensor]:
    """States before the output embedding: of the memory [rows, C, width] and of the conversations [rows, T, width]."""
    config, device = model.config, batch.ids.device
    cos, sin = rope_tables(MAX_POSITIONS, config.head_dim, config.rope_theta, device)
    most, length = batch.context.shape[1], batch.ids.shape[1]
    positions = batch.budgets[:, None] + batch.offsets
    own = batch.conversations
    sees = (own[:, :, None] == own[:, None, :]) & torch.ones(length, length, dtype=torch.bool, device=device).tril()
    x, y = model.model.embed_tokens(batch.context), model.model.embed_tokens(batch.ids)
    for i, layer in enumerate(model.model.layers):
        attention = layer.self_attn
        q, k, v, projections = attention.project(layer.input_layernorm(x))
        with torch.no_grad():
            scores = heads.score(i, projections.float()).transpose(1, 2)
            kept = kept_units(scores, batch.lengths, batch.budgets)
            slots = (kept.cumsum(2) - 1).clamp_min(0)
        kept_keys = rotate(k, cos[slots], sin[slots])
        out = F.scaled_dot_product_attention(
            rotate(q, cos[:most], sin[:most]),
            rotate(k, cos[:most], sin[:most]).repeat_interleave(config.group, 1),
            v.repeat_interleave(config.group, 1),
            is_causal=True,
        )
        x = x + attention.o_proj(out.transpose(1, 2).flatten(2))
        x = x + layer.mlp(layer.post_attention_layernorm(x))
        q, own_keys, own_values, _ = attention.project(layer.input_layernorm(y))
        turn = cos[positions][:, None], sin[positions][:, None]
        keys = torch.cat([kept_keys, rotate(own_keys, *turn)], 2).repeat_interleave(config.group, 1)
        values = torch.cat([v, own_values], 2).repeat_interleave(config.group, 1)
        mask = torch.cat([kept[:, :, None].expand(-1, -1, length, -1), sees[:, None].expand(-1, config.num_key_value_heads, -1, -1)], -1)
        bias = torch.zeros(mask.shape, device=device, dtype=q.dtype).masked_fill(~mask, -1e9).repeat_interleave(config.group, 1)
        out = F.scaled_dot_product_attention(rotate(q, *turn), keys, values, attn_mask=bias)
        y = y + attention.o_proj(out.transpose(1, 2).flatten(2))
        y = y + layer.mlp(layer.post_attention_layernorm(y))
    return model.model.norm(x), model.model.norm(y)


def loss_after_eviction(
    model: LanguageModel, heads: RetainingHeads, batch: EvictedBatch, key_weight: float, code_share: float
) -> tuple[Tensor, Tensor]:
    """Cross entropy of the answer tokens, KEY tokens counted key_weight times, and of a share of the memory's code."""
    memory, hidden = hidden_after_eviction(model, heads, batch)
    targets, kinds = batch.targets()
    answer = kinds >= ANSWER
    each = F.cross_entropy(model.logits(hidden[:, :-1][answer]).float(), targets[answer], reduction="none")
    weight = torch.where(kinds[answer] == KEY, key_weight, 1.0)
    code = torch.rand(batch.context[:, 1:].shape, device=batch.ids.device) < code_share
    code &= torch.arange(code.shape[1], device=code.device) + 1 < batch.lengths[:, None]
    return (each * weight).sum() / weight.sum(), F.cross_entropy(model.logits(memory[:, :-1][code]).float(), batch.context[:, 1:][code])


@torch.no_grad()
def exact_after_eviction(model: LanguageModel, heads: RetainingHeads, batch: EvictedBatch) -> float:
    """Share of the answers that greedy decoding gives to the last token."""
    _, hidden = hidden_after_eviction(model, heads, batch)
    right, _ = right_answers(model, hidden[:, :-1], batch.targets())
    return sum(right) / len(right)
