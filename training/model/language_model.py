"""The nano model: a Qwen3 decoder in plain PyTorch with a fast CPU training path; reads and writes the Hugging Face layout."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

END_OF_TEXT, TURN_START, TURN_END = 0, 1, 2
CONFIG_KEYS = (
    "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim",
    "rope_theta", "rms_norm_eps",
)


@dataclass(frozen=True)
class ModelConfig:
    vocab_size: int = 4096
    hidden_size: int = 192
    intermediate_size: int = 384
    num_hidden_layers: int = 6
    num_attention_heads: int = 4
    num_key_value_heads: int = 2
    head_dim: int = 64
    rope_theta: float = 2e6
    rms_norm_eps: float = 1e-6

    @property
    def group(self) -> int:
        """Query heads per KV head."""
        return self.num_attention_heads // self.num_key_value_heads


def rope_tables(length: int, dim: int, theta: float, device=None) -> tuple[Tensor, Tensor]:
    """cos and sin of the rotary embedding, each [length, dim]."""
    inverse = 1.0 / theta ** (torch.arange(0, dim, 2, dtype=torch.float32, device=device) / dim)
    angle = torch.outer(torch.arange(length, dtype=torch.float32, device=device), inverse)
    return torch.cat([angle.cos(), angle.cos()], -1), torch.cat([angle.sin(), angle.sin()], -1)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    half = x.shape[-1] // 2
    return x * cos + torch.cat([-x[..., half:], x[..., :half]], -1) * sin


class RMSNorm(nn.Module):
    def __init__(self, size: int, eps: float):
        super().__init__()
        self.weight, self.eps, self.shape = nn.Parameter(torch.ones(size)), eps, (size,)

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, self.shape, self.weight, self.eps)


def linear(inputs: int, outputs: int) -> nn.Linear:
    return nn.Linear(inputs, outputs, bias=False)


class Attention(nn.Module):
    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        width, dim = config.hidden_size, config.head_dim
        self.q_proj = linear(width, config.num_attention_heads * dim)
        self.k_proj = linear(width, config.num_key_value_heads * dim)
        self.v_proj = linear(width, config.num_key_value_heads * dim)
        self.o_proj = linear(config.num_attention_heads * dim, width)
        self.q_norm, self.k_norm = RMSNorm(dim, config.rms_norm_eps), RMSNorm(dim, config.rms_norm_eps)

    def project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """x [B, T, width] → q [B, h, T, d], k and v [B, h_kv, T, d], normed but not rotated, and the raw projections [q‖k‖v]
        [B, T, (h + 2 h_kv) d] that the retaining heads read."""
        batch, length, _ = x.shape
        dim = self.config.head_dim
        q, k, v = self.q_proj(x), self.k_proj(x), self.v_proj(x)
        heads = self.q_norm(q.view(batch, length, -1, dim)).transpose(1, 2)
        keys = self.k_norm(k.view(batch, length, -1, dim)).transpose(1, 2)
        return heads, keys, v.view(batch, length, -1, dim).transpose(1, 2), torch.cat([q, k, v], -1)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        q, k, v, _ = self.project(x)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        # enable_gqa would drop a CPU to the slow math kernel
        k, v = k.repeat_interleave(self.config.group, 1), v.repeat_interleave(self.config.group, 1)
        out = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.o_proj(out.transpose(1, 2).flatten(2))


class MLP(nn.Module):
    def __init__(self, config: ModelConfig):
        super().__init__()
        self.gate_proj = linear(config.hidden_size, config.intermediate_size)
        self.up_proj = linear(config.hidden_size, config.intermediate_size)
        self.down_proj = linear(config.intermediate_size, config.hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, config: ModelConfig):
        super().__init__()
        self.self_attn, self.mlp = Attention(config), MLP(config)
        self.input_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.post_attention_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), cos, sin)
        return x + self.mlp(self.post_attention_layernorm(x))


class Body(nn.Module):
    def __init__(self, config: ModelConfig):
        super().__init__()
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.num_hidden_layers))
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)


class LanguageModel(nn.Module):
    """Input and output embeddings are tied."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config, self.model = config, Body(config)
        self.tables: dict[tuple[int, str], tuple[Tensor, Tensor]] = {}
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                residual = name.endswith(("o_proj.weight", "down_proj.weight"))
                std = 0.02 if "embed" in name else parameter.shape[1] ** -0.5 * (0.5 if residual else 1)
                nn.init.normal_(parameter, std=std)

    @property
    def device(self) -> torch.device:
        return self.model.embed_tokens.weight.device

    def hidden(self, ids: Tensor) -> Tensor:
        """ids [B, T] → states before the output embedding [B, T, width]."""
        key = (ids.shape[1], str(ids.device))
        if key not in self.tables:
            self.tables[key] = rope_tables(ids.shape[1], self.config.head_dim, self.config.rope_theta, ids.device)
        cos, sin = self.tables[key]
        x = self.model.embed_tokens(ids)
        for layer in self.model.layers:
            x = layer(x, cos, sin)
        return self.model.norm(x)

    def logits(self, hidden: Tensor) -> Tensor:
        return F.linear(hidden, self.model.embed_tokens.weight)

    def save(self, folder: Path, dtype: torch.dtype = torch.float32) -> None:
        """As Hugging Face lays it out: config.json, generation_config.json and model.safetensors."""
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {n: p.detach().to("cpu", dtype).contiguous() for n, p in self.named_parameters()}
        save_file(tensors, folder / "model.safetensors", {"format": "pt"})
        values = {key: getattr(self.config, key) for key in CONFIG_KEYS}
        config = {
            "architectures": ["Qwen3ForCausalLM"],
            "model_type": "qwen3",
            **values,
            "rope_parameters": {"rope_type": "default", "rope_theta": self.config.rope_theta},
            "hidden_act": "silu",
            "max_position_embeddings": 32768,
            "tie_word_embeddings": True,
            "attention_bias": False,
            "attention_dropout": 0.0,
            "initializer_range": 0.02,
            "use_cache": True,
            "use_sliding_window": False,
            "sliding_window": None,
            "max_window_layers": self.config.num_hidden_layers,
            "bos_token_id": None,
            "eos_token_id": TURN_END,
            "pad_token_id": END_OF_TEXT,
            "dtype": str(dtype).removeprefix("torch."),
        }
        (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
        generation = {"eos_token_id": [TURN_END, END_OF_TEXT], "pad_token_id": END_OF_TEXT, "do_sample": False, "max_new_tokens": 128}
        (folder / "generation_config.json").write_text(json.dumps(generation, indent=2) + "\n")

    @staticmethod
    def load(folder: Path) -> LanguageModel:
        stored = json.loads((folder / "config.json").read_text())
        model = LanguageModel(ModelConfig(**{key: stored[key] for key in CONFIG_KEYS}))
        model.load_state_dict({n: t.float() for n, t in load_file(folder / "model.safetensors").items()})
        return model
