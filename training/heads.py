"""Trains the retaining heads on the frozen model (Locret, arXiv 2410.01805, section 3.3 and the official train.py).

    python heads.py --model DIR --units units.pkl --out DIR/retaining_heads.safetensors --minutes 6
    python heads.py --model DIR --units units.pkl --init FILE     measures heads on held-out packages

Label of a memory token and KV head: the largest share of the layer's output that it has at any token of any answer, as a logarithm. As
published it would be the largest attention logit; keeping the units with the best shares answers more, however well they are predicted.
Loss: SmoothL1 + 0.0025 · (sum over layers of the mean squared difference of neighbouring scores).
"""

from __future__ import annotations

import argparse
import random
import time
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor

from contexts import Context, held_out_contexts
from model import LanguageModel
from rows import RowBuilder
from stream import MemoryStream, RetainingHeads
from train import average_gradients
from units import load_packs

SMOOTHNESS = 0.0025
TOP_SHARE = 0.1
# About a text, so that what is labelled low is not only what nobody asked.
QUESTIONS = 30


@dataclass
class Labelled:
    """One memory text: per layer the projections [T, (h + 2 h_kv) d] and the labels [h_kv, T]."""

    projections: list[Tensor]
    labels: list[Tensor]


@torch.no_grad()
def label(model: LanguageModel, context: Context) -> Labelled:
    stream = MemoryStream(model)
    stream.keep_projections = True
    stream.prefill(context.memory)
    memory = len(context.memory)
    projections = [torch.cat(p).half() for p in stream.projections]
    stream.keep_projections = False
    stream.append(context.blocks)
    _, seen = stream.ask([q.prompt + q.reply for q in context.questions], with_contributions=True)
    answers = torch.zeros(len(context.questions), seen[0].shape[2], dtype=torch.bool)
    for row, q in enumerate(context.questions):
        answers[row, len(q.prompt) - 1 : len(q.prompt) + len(q.reply) - 1] = True
    labels = [shares.masked_fill(~answers[:, None, :, None], -torch.inf).amax((0, 2))[:, :memory].clone() for shares in seen]
    return Labelled(projections, labels)


def collect(model: LanguageModel, builder: RowBuilder, count: int, minutes: float) -> list[Labelled]:
    """Contexts of 300 to 1000 tokens, a quarter of them with recalled definitions behind, until `count` or the time is reached."""
    rng, end = builder.rng, time.time() + 60 * minutes
    samples: list[Labelled] = []
    while len(samples) < count and time.time() < end:
        memory = rng.choice([300, 450, 600, 1000])
        recalled = rng.choice([0, 0, 0, 2])
        samples.append(label(model, held_out_contexts(builder, 1, memory, recalled, QUESTIONS)[0]))
    return samples


def losses(heads: RetainingHeads, sample: Labelled) -> tuple[Tensor, Tensor, Tensor]:
    """SmoothL1 (mean over tokens, layers and KV heads), smoothness (summed over layers), overlap of the top 10 % [layers · h_kv]."""
    layers = len(sample.labels)
    regression, smoothness = torch.zeros(()), torch.zeros(())
    overlap = []
    for layer in range(layers):
        scores, labels = heads.score(layer, sample.projections[layer].float()).T, sample.labels[layer]
        regression = regression + F.smooth_l1_loss(scores, labels) / layers
        smoothness = smoothness + F.mse_loss(scores[:, :-1], scores[:, 1:])
        top = max(1, int(TOP_SHARE * scores.shape[1]))
        best, wanted = scores.topk(top, 1).indices, labels.topk(top, 1).indices
        overlap += [torch.isin(b, w).float().mean() for b, w in zip(best, wanted)]
    return regression, smoothness, torch.stack(overlap)


class HeadTrainer:
    """Steps of AdamW on one labelled text each (of each process), gradients clipped by value."""

    def __init__(self, heads: RetainingHeads, world: int = 1):
        self.heads, self.world = heads, world
        self.optimizer = torch.optim.AdamW(heads.parameters(), betas=(0.9, 0.95), weight_decay=0.01)

    def step(self, sample: Labelled, rate: float) -> tuple[Tensor, Tensor, Tensor]:
        """→ losses before the step, see `losses`."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        regression, smoothness, overlap = losses(self.heads, sample)
        (regression + SMOOTHNESS * smoothness).backward()
        if self.world > 1:
            average_gradients(self.heads, self.world, [])
        torch.nn.utils.clip_grad_value_(self.heads.parameters(), 0.5)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return regression, smoothness, overlap


@torch.no_grad()
def held_out_quality(heads: RetainingHeads, samples: list[Labelled]) -> tuple[float, Tensor]:
    """Mean SmoothL1 and mean top-10 % overlap per layer and KV head (chance: 0.1)."""
    results = [losses(heads, s) for s in samples]
    return sum(r[0].item() for r in results) / len(results), torch.stack([r[2] for r in results]).mean(0)


def train(heads: RetainingHeads, samples: list[Labelled], held_out: list[Labelled], minutes: float, rate: float) -> None:
    trainer = HeadTrainer(heads)
    begin, step, order = time.time(), 0, random.Random(0)
    while (done := (time.time() - begin) / (60 * minutes)) < 1:
        risen = rate * min(1, done / 0.1 + 0.02) * min(1, (1 - done) / 0.5 + 0.01)
        regression, _, overlap = trainer.step(order.choice(samples), risen)
        step += 1
        if step % 500 == 0:
            loss, held = held_out_quality(heads, held_out)
            print(
                f"step {step} SmoothL1 {regression:.3f} overlap {overlap.mean():.3f} | held out: SmoothL1 {loss:.3f} overlap {held.mean():.3f}",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, help="folder of tokenizer.json, default: the model's")
    parser.add_argument("--units", type=Path, required=True)
    parser.add_argument("--out", type=Path, help="nothing is trained without it")
    parser.add_argument("--init", type=Path, help="heads to continue from")
    parser.add_argument("--size", type=int, default=96, help="hidden size d_R")
    parser.add_argument("--contexts", type=int, default=1500)
    parser.add_argument("--label-minutes", type=float, default=6)
    parser.add_argument("--minutes", type=float, default=6)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    model = LanguageModel.load(arguments.model).eval().requires_grad_(False)
    tokenizer = Tokenizer.from_file(str((arguments.tokenizer or arguments.model) / "tokenizer.json"))
    held_out = collect(model, RowBuilder(load_packs(arguments.units, held_out=True), tokenizer, 4243), 40, arguments.label_minutes)
    heads = RetainingHeads.load(arguments.init, model.config) if arguments.init else RetainingHeads(model.config, arguments.size)
    if arguments.out:
        packs = load_packs(arguments.units, held_out=False)
        samples = collect(model, RowBuilder(packs, tokenizer, 4242), arguments.contexts, arguments.label_minutes)
        tokens = sum(len(s.projections[0]) for s in samples)
        print(f"{len(samples)} contexts, {tokens / 1e6:.2f} M tokens; {len(held_out)} held out", flush=True)
        train(heads, samples, held_out, arguments.minutes, arguments.rate)
    loss, overlap = held_out_quality(heads, held_out)
    print(f"held out: SmoothL1 {loss:.3f}, overlap of the top 10 % {overlap.mean():.3f} (chance 0.100), per layer and KV head:")
    print([[round(x, 2) for x in row] for row in overlap.view(model.config.num_hidden_layers, -1).tolist()])
    if arguments.out:
        heads.save(arguments.out)


if __name__ == "__main__":
    main()
