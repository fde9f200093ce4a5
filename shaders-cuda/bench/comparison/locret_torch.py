"""Locret in PyTorch, to measure the CUDA engine against.

Written from Algorithm 1 of arXiv 2410.01805: chunked prefill, keys and values cached before RoPE, retaining heads on
[q | k | v], after each chunk the `budget` units of every KV head with the highest scores stay, the newest
`stabilizers` are exempt until the last chunk. Products are cuBLAS's, attention is PyTorch's fused one, as a user of
PyTorch would write it. Weights are random: only time and memory are measured.

    python3 locret_torch.py --tokens 131072 --budget 16384 --chunk 3072
    python3 locret_torch.py --products
    python3 locret_torch.py --shape tiny --tokens 400 --budget 48 --chunk 32 --stabilizers 8   # anywhere

It prints one JSON object. `npm run bench:cuda -- --compare python3` runs it beside the engine's own benchmarks.
"""

import argparse
import json
import statistics
import time
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch.nn.attention.bias import causal_lower_right


@dataclass(frozen=True)
class Shape:
    """Sizes of a decoder of the llama family; the defaults are Llama-3.1-8B's."""

    layers: int = 32
    hidden: int = 4096
    heads: int = 32
    kv_heads: int = 8
    head_dim: int = 128
    feed_forward: int = 14336
    vocabulary: int = 128256
    head_width: int = 1024


class Layer:
    """Weights of one layer, `[out, in]`, and its cache: keys before RoPE, values `[kv_heads, units, head_dim]`."""

    def __init__(self, shape: Shape, device: torch.device, dtype: torch.dtype):
        def matrix(rows: int, columns: int) -> torch.Tensor:
            return torch.randn(rows, columns, device=device, dtype=dtype) * columns**-0.5

        width = (shape.heads + 2 * shape.kv_heads) * shape.head_dim
        self.query_key_value = matrix(width, shape.hidden)
        self.attention_output = matrix(shape.hidden, shape.heads * shape.head_dim)
        self.gate_up = matrix(2 * shape.feed_forward, shape.hidden)
        self.down = matrix(shape.hidden, shape.feed_forward)
        self.head_first = matrix(shape.head_width, width)
        self.head_second = matrix(shape.kv_heads, shape.head_width)
        self.norm_before_attention = torch.ones(shape.hidden, device=device, dtype=dtype)
        self.norm_before_feed_forward = torch.ones(shape.hidden, device=device, dtype=dtype)
        empty = torch.empty(shape.kv_heads, 0, shape.head_dim, device=device, dtype=dtype)
        self.keys, self.values = empty, empty
        self.scores = torch.empty(shape.kv_heads, 0, device=device, dtype=torch.float32)


def rotate(x: torch.Tensor, cosine: torch.Tensor, sine: torch.Tensor) -> torch.Tensor:
    """Rotates `[heads, units, head_dim]` by the position of each unit; pairs are the two halves of a head."""
    first, second = x.chunk(2, dim=-1)
    return torch.cat((first * cosine - second * sine, second * cosine + first * sine), dim=-1)


class Locret:
    """A random decoder that reads in chunks into a retained cache, and decodes from it."""

    def __init__(
        self, shape: Shape, budget: int, chunk: int, stabilizers: int, device: torch.device, dtype: torch.dtype
    ):
        self.shape, self.budget, self.chunk, self.stabilizers = shape, budget, chunk, stabilizers
        self.layers = [Layer(shape, device, dtype) for _ in range(shape.layers)]
        self.embedding = torch.randn(shape.vocabulary, shape.hidden, device=device, dtype=dtype)
        head = torch.randn(shape.vocabulary, shape.hidden, device=device, dtype=dtype)
        self.language_head = head * shape.hidden**-0.5
        self.final_norm = torch.ones(shape.hidden, device=device, dtype=dtype)
        frequencies = 500000.0 ** (-torch.arange(0, shape.head_dim, 2, device=device) / shape.head_dim)
        angles = torch.arange(budget + chunk + 4096, device=device)[:, None] * frequencies
        self.cosine, self.sine = angles.cos().to(dtype), angles.sin().to(dtype)

    def attend(self, layer: Layer, query: torch.Tensor) -> torch.Tensor:
        """Attention of the newest tokens, `[heads, tokens, head_dim]`, over the cache; slots are 0..units-1."""
        units, tokens = layer.keys.shape[1], query.shape[1]
        first = units - tokens
        query = rotate(query, self.cosine[first:units], self.sine[first:units])
        keys = rotate(layer.keys, self.cosine[:units], self.sine[:units])
        mask = causal_lower_right(tokens, units) if tokens > 1 else None
        attended = F.scaled_dot_product_attention(
            query[None], keys[None], layer.values[None], attn_mask=mask, enable_gqa=True
        )
        return attended[0]

    def pass_layer(self, layer: Layer, hidden: torch.Tensor, score: bool) -> torch.Tensor:
        """One layer over `[tokens, hidden]`: appends keys, values and scores to the cache."""
        shape, tokens = self.shape, hidden.shape[0]
        normed = F.rms_norm(hidden, (shape.hidden,), layer.norm_before_attention, 1e-5)
        projected = F.linear(normed, layer.query_key_value)
        parts = (shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim, shape.kv_heads * shape.head_dim)
        heads = [part.view(tokens, -1, shape.head_dim).transpose(0, 1) for part in projected.split(parts, -1)]
        query, key, value = heads
        layer.keys = torch.cat((layer.keys, key), dim=1)
        layer.values = torch.cat((layer.values, value), dim=1)
        if score:
            scores = F.linear(F.silu(F.linear(projected, layer.head_first)), layer.head_second)
            layer.scores = torch.cat((layer.scores, scores.T.float()), dim=1)
        attended = self.attend(layer, query).transpose(0, 1).reshape(tokens, -1)
        hidden = hidden + F.linear(attended, layer.attention_output)
        normed = F.rms_norm(hidden, (shape.hidden,), layer.norm_before_feed_forward, 1e-5)
        gate, up = F.linear(normed, layer.gate_up).chunk(2, dim=-1)
        return hidden + F.linear(F.silu(gate) * up, layer.down)

    def evict(self, layer: Layer, last: bool) -> None:
        """Keeps the `budget` units of each KV head with the highest scores, in their order."""
        units = layer.scores.shape[1]
        if units <= self.budget:
            return
        ranks = layer.scores.clone()
        if not last:
            ranks[:, units - self.stabilizers :] = torch.inf
        kept = ranks.topk(self.budget, dim=1).indices.sort(dim=1).values
        layer.scores = layer.scores.gather(1, kept)
        rows = kept[:, :, None].expand(-1, -1, self.shape.head_dim)
        layer.keys = layer.keys.gather(1, rows)
        layer.values = layer.values.gather(1, rows)

    @torch.inference_mode()
    def read(self, tokens: torch.Tensor, on_chunk) -> None:
        """Reads all tokens; `on_chunk(tokens read)` is called after each chunk."""
        for begin in range(0, len(tokens), self.chunk):
            end = min(begin + self.chunk, len(tokens))
            hidden = self.embedding[tokens[begin:end]]
            for layer in self.layers:
                hidden = self.pass_layer(layer, hidden, True)
                self.evict(layer, end == len(tokens))
            on_chunk(end)

    @torch.inference_mode()
    def decode(self, token: torch.Tensor) -> torch.Tensor:
        """Appends one token, `[1]`, and returns the likeliest next one, `[1]`."""
        hidden = self.embedding[token]
        for layer in self.layers:
            hidden = self.pass_layer(layer, hidden, False)
        hidden = F.rms_norm(hidden, (self.shape.hidden,), self.final_norm, 1e-5)
        return F.linear(hidden, self.language_head).argmax(dim=-1)


SHAPES = {
    "llama-3.1-8b": Shape(),
    "tiny": Shape(
        layers=2, hidden=64, heads=4, kv_heads=2, head_dim=16, feed_forward=96, vocabulary=100, head_width=32
    ),
}
# The windows that speeds are taken in, and the products: those of shaders-cuda/bench/engine.cpp and products.cu.
EARLY_TOKENS = 32768
WINDOW_TOKENS = 12288
PRODUCT_TOKENS = (1024, 3072)


def device_and_wait() -> tuple[torch.device, object]:
    """The GPU, or the processor; and what waits for all its work."""
    if torch.cuda.is_available():
        return torch.device("cuda"), torch.cuda.synchronize
    return torch.device("cpu"), lambda: None


def facts(device: torch.device) -> dict:
    """What ran."""
    name = torch.cuda.get_device_name() if device.type == "cuda" else "cpu"
    return {"what": "pytorch", "device": name, "torch": torch.__version__}


def speed_between(ends: list[tuple[int, float]], begin: int, end: int) -> float | None:
    """Tokens per second of the chunks that end behind `begin`, up to `end`; None when there are fewer than two."""
    inside = [at for at in ends if begin < at[0] <= end]
    if len(inside) < 2:
        return None
    (first, started), (last, ended) = inside[0], inside[-1]
    return (last - first) / (ended - started)


def measure(options: argparse.Namespace) -> dict:
    """Prefill and decode tokens per second, and the peak of PyTorch's allocator."""
    device, synchronize = device_and_wait()
    shape = SHAPES[options.shape]
    torch.manual_seed(1)
    model = Locret(shape, options.budget, options.chunk, options.stabilizers, device, torch.bfloat16)
    tokens = torch.randint(shape.vocabulary, (options.tokens,), device=device)
    ends: list[tuple[int, float]] = []

    def on_chunk(read: int) -> None:
        synchronize()
        ends.append((read, time.perf_counter()))

    model.read(tokens, on_chunk)
    token = tokens[:1]
    for _ in range(8):
        token = model.decode(token)
    synchronize()
    began = time.perf_counter()
    for _ in range(options.decode):
        token = model.decode(token)
    synchronize()
    decoding = time.perf_counter() - began
    late = options.tokens - min(WINDOW_TOKENS, options.tokens // 2)
    return facts(device) | {
        "shape": options.shape,
        "tokens": options.tokens,
        "budget": options.budget,
        "chunk": options.chunk,
        "earlyTokensPerSecond": speed_between(ends, EARLY_TOKENS - WINDOW_TOKENS, EARLY_TOKENS),
        "lateTokensPerSecond": speed_between(ends, late, options.tokens),
        "decodeTokensPerSecond": options.decode / decoding,
        "peakBytes": torch.cuda.max_memory_allocated() if device.type == "cuda" else None,
    }


def median_milliseconds(work, device: torch.device) -> float:
    """Of ten runs with an emptied level-2 cache, as the engine's own benchmarks measure."""
    flushed = torch.empty(256 << 20, dtype=torch.uint8, device=device) if device.type == "cuda" else None
    times = []
    for run in range(11):
        if flushed is None:
            began = time.perf_counter()
            work()
            taken = 1000 * (time.perf_counter() - began)
        else:
            flushed.zero_()
            begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            begin.record()
            work()
            end.record()
            end.synchronize()
            taken = begin.elapsed_time(end)
        # The first one chooses an algorithm.
        if run > 0:
            times.append(taken)
    return statistics.median(times)


@torch.inference_mode()
def measure_products(options: argparse.Namespace) -> dict:
    """Milliseconds of the products of a chunk in bfloat16, by names that the engine's benchmarks use, too."""
    device, _ = device_and_wait()
    shape = SHAPES[options.shape]
    query_width = shape.heads * shape.head_dim
    matrices = (
        ("q, k, v", query_width + 2 * shape.kv_heads * shape.head_dim, shape.hidden),
        ("attention output", shape.hidden, query_width),
        ("gate and up", 2 * shape.feed_forward, shape.hidden),
        ("down", shape.hidden, shape.feed_forward),
    )
    products = []
    for name, rows, columns in matrices:
        weight = 0.02 * torch.randn(rows, columns, device=device, dtype=torch.bfloat16)
        for tokens in PRODUCT_TOKENS:
            inputs = torch.randn(tokens, columns, device=device, dtype=torch.bfloat16)
            milliseconds = median_milliseconds(lambda: F.linear(inputs, weight), device)
            sizes = f"bfloat16, {tokens} tokens, {name} {rows} x {columns}"
            products.append({"sizes": sizes, "medianMilliseconds": milliseconds})
    return facts(device) | {"shape": options.shape, "products": products}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=131072)
    parser.add_argument("--budget", type=int, default=16384)
    parser.add_argument("--chunk", type=int, default=1024)
    parser.add_argument("--stabilizers", type=int, default=2500)
    parser.add_argument("--shape", choices=SHAPES, default="llama-3.1-8b")
    parser.add_argument("--decode", type=int, default=64, help="tokens to decode")
    parser.add_argument("--products", action="store_true", help="measure products of a chunk instead")
    options = parser.parse_args()
    print(json.dumps(measure_products(options) if options.products else measure(options)))


if __name__ == "__main__":
    main()
