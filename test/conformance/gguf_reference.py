"""The reference for a model in a GGUF file: python gguf_reference.py MODEL.gguf REFERENCE.safetensors [TOKENS]

Dequantizes the file with the reference implementation (package gguf), gives the weights to transformers, both vocabulary
matrices as the file has them, and writes float32 logits (`logits`) of tokens (`input_ids`) that occur in code, or of as
many random ones where the tokenizer cannot be read. Needs torch, transformers, gguf and safetensors; for the float32
weights, 4 bytes a parameter of memory.
"""

import pathlib
import re
import sys

import torch
from gguf import GGUFReader
from gguf.quants import dequantize
from safetensors.torch import save_file
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM, Phi3Config, Phi3ForCausalLM
from transformers import Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM

CLASSES = {
    "llama": (LlamaConfig, LlamaForCausalLM),
    "qwen2": (Qwen2Config, Qwen2ForCausalLM),
    "qwen3": (Qwen3Config, Qwen3ForCausalLM),
    "phi3": (Phi3Config, Phi3ForCausalLM),
}
LAYER_NAMES = {
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_qkv": "self_attn.qkv_proj",
    "attn_output": "self_attn.o_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
NAMES = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
TEXT = '''import threading


class Session:
    """Keeps settings and cookies between requests; größer als 3, "日本" 😀."""

    def __init__(self, retries=3, timeout=10.5):
        self.retries, self.timeout = retries, timeout
        self._lock = threading.Lock()

    def get(self, url: str) -> "Response":
        for attempt in range(self.retries):\t# 1, 2, 3
            with self._lock:
                return self.send("GET", url, attempt)
'''


def transformers_name(name):
    base, kind = name.rsplit(".", 1)
    layer = re.fullmatch(r"blk\.(\d+)\.(.*)", base)
    if layer is None:
        return f"{NAMES[base]}.{kind}"
    return f"model.layers.{layer[1]}.{LAYER_NAMES[layer[2]]}.{kind}"


def unpaired(rows, heads):
    """The rows of each head as transformers has them, from llama.cpp's order of rotated pairs."""
    return rows.reshape(heads, -1, 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def weights_of(reader, architecture, heads, kv_heads):
    weights = {}
    for tensor in reader.tensors:
        if tensor.name.startswith("rope_"):
            continue
        numbers = torch.from_numpy(dequantize(tensor.data, tensor.tensor_type).copy()).reshape(*tensor.shape[::-1].tolist())
        if architecture == "llama" and ".attn_q." in tensor.name:
            numbers = unpaired(numbers, heads)
        if architecture == "llama" and ".attn_k." in tensor.name:
            numbers = unpaired(numbers, kv_heads)
        name = transformers_name(tensor.name)
        weights[name.replace("up_proj", "gate_up_proj") if architecture == "phi3" else name] = numbers.contiguous()
    return weights


def config_of(reader, architecture):
    def value(key, default=None):
        field = reader.fields.get(f"{architecture}.{key}")
        return default if field is None else field.contents()

    def factors(name):
        tensor = next((tensor for tensor in reader.tensors if tensor.name == f"{name}.weight"), None)
        return None if tensor is None else dequantize(tensor.data, tensor.tensor_type).astype(float).tolist()

    heads, hidden = value("attention.head_count"), value("embedding_length")
    head_dim = value("attention.key_length", hidden // heads)
    rope = dict(rope_type="default", rope_theta=float(value("rope.freq_base", 10000.0)))
    if value("rope.scaling.factor", 0) and value("rope.scaling.type", "linear") == "linear":
        rope.update(rope_type="linear", factor=float(value("rope.scaling.factor")))
    every = factors("rope_freqs")
    short, long = (every, every) if every else (factors("rope_factors_short"), factors("rope_factors_long"))
    if short and long:
        original = value("rope.scaling.original_context_length", value("context_length"))
        rope.update(rope_type="longrope", short_factor=short, long_factor=long, original_max_position_embeddings=original)
        rope["attention_factor"] = float(value("rope.scaling.attn_factor", 1.0))
    if value("rope.dimension_count", head_dim) != head_dim:
        rope["partial_rotary_factor"] = value("rope.dimension_count") / head_dim
    names = {tensor.name for tensor in reader.tensors}
    vocabulary = next(int(tensor.shape[1]) for tensor in reader.tensors if tensor.name == "token_embd.weight")
    more = dict(attention_bias="blk.0.attn_output.bias" in names, mlp_bias="blk.0.ffn_down.bias" in names)
    return dict(
        vocab_size=vocabulary,
        hidden_size=hidden,
        intermediate_size=value("feed_forward_length"),
        num_hidden_layers=value("block_count"),
        num_attention_heads=heads,
        num_key_value_heads=value("attention.head_count_kv", heads),
        head_dim=head_dim,
        max_position_embeddings=value("context_length"),
        rms_norm_eps=float(value("attention.layer_norm_rms_epsilon")),
        sliding_window=value("attention.sliding_window", None) or None,
        rope_parameters=rope,
        tie_word_embeddings="output.weight" not in names,
        pad_token_id=None,
        **(more if architecture == "llama" else {}),
    )


def tokens_of(file, count, vocabulary):
    try:
        tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
        return tokenizer(TEXT, add_special_tokens=False)["input_ids"][:count]
    except Exception as error:
        print(f"random tokens: {error}")
        return torch.randint(vocabulary, (count,), generator=torch.Generator().manual_seed(1)).tolist()


def main(file, target, count):
    reader = GGUFReader(file)
    architecture = reader.fields["general.architecture"].contents()
    config_class, model_class = CLASSES[architecture]
    settings = config_of(reader, architecture)
    with torch.device("meta"):
        model = model_class(config_class(**settings))
    weights = weights_of(reader, architecture, settings["num_attention_heads"], settings["num_key_value_heads"])
    missing, unexpected = model.load_state_dict(weights, strict=False, assign=True)
    if unexpected or [name for name in missing if name != "lm_head.weight" or not settings["tie_word_embeddings"]]:
        sys.exit(f"missing {missing}, unexpected {unexpected}")
    model.tie_weights()
    # Buffers are not part of the weights: the rotary embedding is made anew.
    model.model.rotary_emb = type(model.model.rotary_emb)(model.config)
    model = model.float().eval()
    ids = torch.tensor(tokens_of(file, count, settings["vocab_size"]))
    with torch.no_grad():
        logits = model(ids[None]).logits[0]
    save_file({"input_ids": ids, "logits": logits.contiguous()}, target)
    print(f"{file.name}: {len(ids)} tokens, greedy next {logits.argmax(-1)[-8:].tolist()}")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 64)
