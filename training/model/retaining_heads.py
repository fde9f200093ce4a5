"""Retaining heads: what decides which cache units stay (Locret, arXiv 2410.01805, section 3.1); reads and writes the published layout."""

from __future__ import annotations

from pathlib import Path

import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from model.language_model import ModelConfig


class RetainingHeads(nn.Module):
    """Per layer fc2(silu(fc1([q‖k‖v]))), no biases: one causal importance score per token and KV head."""

    def __init__(self, config: ModelConfig, size: int = 96):
        super().__init__()
        width = (config.num_attention_heads + 2 * config.num_key_value_heads) * config.head_dim
        layers = range(config.num_hidden_layers)
        self.fc1 = nn.ModuleList(nn.Linear(width, size, bias=False) for _ in layers)
        self.fc2 = nn.ModuleList(nn.Linear(size, config.num_key_value_heads, bias=False) for _ in layers)

    def score(self, layer: int, projections: Tensor) -> Tensor:
        """projections [..., (h + 2 h_kv) d] → scores [..., h_kv]."""
        return self.fc2[layer](F.silu(self.fc1[layer](projections)))

    def save(self, path: Path) -> None:
        tensors = {
            f"model.layers.{i}.self_attn.{name}.weight": getattr(self, name)[i].weight.detach().float().cpu().contiguous()
            for i in range(len(self.fc1))
            for name in ("fc1", "fc2")
        }
        save_file(tensors, path, {"format": "pt"})

    @staticmethod
    def load(path: Path, config: ModelConfig) -> RetainingHeads:
        tensors = load_file(path)
        heads = RetainingHeads(config, tensors["model.layers.0.self_attn.fc1.weight"].shape[0])
        for name, tensor in tensors.items():
            _, _, layer, _, part, _ = name.split(".")
            getattr(heads, part)[int(layer)].weight.data.copy_(tensor)
        return heads
