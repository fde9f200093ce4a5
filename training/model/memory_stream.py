"""Chunked prefill into a fixed cache, as the product reads a repository (Locret, arXiv 2410.01805, algorithm 1).

Keys are kept before RoPE and rotated by slot at every pass. Per KV head the `budget` units with the highest score stay; the newest
`stabilizers` units are safe from every eviction but the last. The last `local` tokens are appended without eviction.
"""

from __future__ import annotations

import copy
import math

import torch
import torch.nn.functional as F
from torch import Tensor

from model.language_model import TURN_END, LanguageModel, rope_tables, rotate
from model.retaining_heads import RetainingHeads

MAX_SLOTS = 32768
SINK = 4
# Smaller shares of a layer's output are all alike.
LEAST_CONTRIBUTION = 1e-6


class MemoryStream:
    """The retained cache of one repository, and questions to it.

    policy: 'full' (nothing is evicted), 'locret' (needs `heads`), 'recent' (the first SINK and the newest units), 'random'."""

    def __init__(
        self, model: LanguageModel, policy: str = "full", heads: RetainingHeads | None = None, budget: int = 0, chunk: int = 256,
        stabilizers: int = 0, local: int = 0, seed: int = 0,
    ):  # fmt: skip
        self.model, self.config, self.policy, self.heads = model, model.config, policy, heads
        self.budget, self.chunk, self.stabilizers, self.local = budget, chunk, stabilizers, local
        kv, dim, layers = self.config.num_key_value_heads, self.config.head_dim, self.config.num_hidden_layers
        self.device = model.device
        self.keys = [torch.zeros(kv, 0, dim, device=self.device) for _ in range(layers)]
        self.values = [torch.zeros(kv, 0, dim, device=self.device) for _ in range(layers)]
        self.scores = [torch.zeros(kv, 0, device=self.device) for _ in range(layers)]
        self.projections: list[list[Tensor]] = [[] for _ in range(layers)]
        self.keep_projections = False
        self.count = 0
        self.random = torch.Generator().manual_seed(seed)
        self.cos, self.sin = rope_tables(MAX_SLOTS, dim, self.config.rope_theta, self.device)

    def copy(self) -> MemoryStream:
        """The same cache, to go on with independently."""
        other = copy.copy(self)
        for name in ("keys", "values", "scores"):
            setattr(other, name, list(getattr(self, name)))
        other.projections = [list(some) for some in self.projections]
        return other

    def rotated(self, x: Tensor, first: int) -> Tensor:
        """Rotates x [..., T, d] for the slots first, first + 1, …"""
        slots = slice(first, first + x.shape[-2])
        return rotate(x, self.cos[slots], self.sin[slots])

    @torch.no_grad()
    def prefill(self, ids: list[int]) -> MemoryStream:
        """Reads the memory text chunk by chunk, evicting after each, then its local tail."""
        head, tail = (ids[: -self.local], ids[-self.local :]) if self.local else (ids, [])
        for begin in range(0, len(head), self.chunk):
            self.append(head[begin : begin + self.chunk])
            self.evict(last=begin + self.chunk >= len(head))
        if tail:
            self.append(tail)
        return self

    @torch.no_grad()
    def append(self, ids: list[int]) -> None:
        """Reads tokens without eviction (recalled definitions, a chunk before its eviction)."""
        if not ids:
            return
        length, group, kv = len(ids), self.config.group, self.config.num_key_value_heads
        x = self.model.model.embed_tokens(torch.tensor(ids, device=self.device))[None]
        mask = None
        for i, layer in enumerate(self.model.model.layers):
            q, k, v, projections = layer.self_attn.project(layer.input_layernorm(x))
            self.keys[i], self.values[i] = torch.cat([self.keys[i], k[0]], 1), torch.cat([self.values[i], v[0]], 1)
            slots = self.keys[i].shape[1]
            if mask is None:
                mask = torch.ones(length, slots, dtype=torch.bool, device=self.device).tril(slots - length)
            keys = self.rotated(self.keys[i], 0).repeat_interleave(group, 0)[None]
            queries = self.rotated(q, slots - length)
            out = F.scaled_dot_product_attention(queries, keys, self.values[i].repeat_interleave(group, 0)[None], attn_mask=mask)
            x = x + layer.self_attn.o_proj(out.transpose(1, 2).flatten(2))
            x = x + layer.mlp(layer.post_attention_layernorm(x))
            self.scores[i] = torch.cat([self.scores[i], self.score(i, projections[0], kv)], 1)
            if self.keep_projections:
                self.projections[i].append(projections[0])
        self.count += length

    def score(self, layer: int, projections: Tensor, kv: int) -> Tensor:
        """Scores of new units [h_kv, T] under the policy."""
        length = projections.shape[0]
        if self.policy == "locret" and self.heads is not None:
            return self.heads.score(layer, projections).T
        if self.policy == "random":
            return torch.rand(kv, length, generator=self.random).to(self.device)
        age = torch.arange(self.count, self.count + length, device=self.device).float()
        return torch.where(age < SINK, torch.inf, age).expand(kv, length)

    def evict(self, last: bool) -> None:
        if self.policy == "full":
            return
        for i, scores in enumerate(self.scores):
            slots = scores.shape[1]
            if slots <= self.budget:
                continue
            ranked = scores.clone()
            if not last and self.stabilizers:
                ranked[:, -self.stabilizers :] = torch.inf
            kept = ranked.topk(self.budget, 1).indices.sort(1).values
            wide = kept[..., None].expand(-1, -1, self.config.head_dim)
            self.keys[i], self.values[i] = self.keys[i].gather(1, wide), self.values[i].gather(1, wide)
            self.scores[i] = scores.gather(1, kept)

    @torch.no_grad()
    def ask(self, tails: list[list[int]], with_contributions: bool = False):
        """Continues the cache with each tail independently. → logits [n, T, vocabulary]; with_contributions: also, per layer, what each
        cached unit gives to the layer's output at each token, largest of the query heads of a group: log(attention · ‖W_o v‖ / ‖h‖)
        [n, h_kv, T, units] (KVzap's measure, arXiv 2601.07891)."""
        kv, dim, group = self.config.num_key_value_heads, self.config.head_dim, self.config.group
        length, batch = max(map(len, tails)), len(tails)
        ids = torch.zeros(batch, length, dtype=torch.long, device=self.device)
        for row, tail in enumerate(tails):
            ids[row, : len(tail)] = torch.tensor(tail, device=self.device)
        x = self.model.model.embed_tokens(ids)
        future = ~torch.ones(length, length, dtype=torch.bool, device=self.device).tril()
        seen = []
        for i, layer in enumerate(self.model.model.layers):
            q, k, v, _ = layer.self_attn.project(layer.input_layernorm(x))
            cached = self.keys[i].shape[1]
            queries = self.rotated(q, cached).view(batch, kv, group, length, dim)
            on_cache = torch.einsum("bkgtd,knd->bkgtn", queries, self.rotated(self.keys[i], 0)) / math.sqrt(dim)
            on_tail = (queries @ self.rotated(k, cached)[:, :, None].transpose(3, 4) / math.sqrt(dim)).masked_fill(future, -torch.inf)
            weights = torch.cat([on_cache, on_tail], -1).softmax(-1)
            if with_contributions:
                output = layer.self_attn.o_proj.weight.view(-1, kv, group, dim)
                sizes = torch.einsum("hkgd,knd->kgnh", output, self.values[i]).norm(dim=-1)
                share = (weights[..., :cached] * sizes[:, :, None]).amax(2) / x.norm(dim=-1)[:, None, :, None]
                seen.append(share.clamp_min(LEAST_CONTRIBUTION).log())
            out = torch.einsum("bkgtn,knd->bkgtd", weights[..., :cached], self.values[i]) + weights[..., cached:] @ v[:, :, None]
            x = x + layer.self_attn.o_proj(out.reshape(batch, kv * group, length, dim).transpose(1, 2).flatten(2))
            x = x + layer.mlp(layer.post_attention_layernorm(x))
        logits = self.model.logits(self.model.model.norm(x))
        return (logits, seen) if with_contributions else logits

    def generate(self, tail: list[int], limit: int = 96) -> list[int]:
        """Greedy answer tokens, without the end of turn."""
        tokens = list(tail)
        while len(tokens) < len(tail) + limit:
            token = int(self.ask([tokens])[0, -1].argmax())
            if token == TURN_END:
                break
            tokens.append(token)
        return tokens[len(tail) :]
