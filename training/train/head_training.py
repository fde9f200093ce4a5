"""Trains the retaining heads on the frozen model (Locret, arXiv 2410.01805, section 3.3 and the official train.py).

    python -m train.head_training --model DIR --units units.pkl --out DIR/retaining_heads.safetensors --minutes 6
    python -m train.head_training --model DIR --units units.pkl --init FILE     measures heads on held-out packages

Loss: SmoothL1 + 0.0025 · (sum over layers of the mean squared difference of neighbouring scores).
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor

from corpus.units import load_packs
from model.language_model import LanguageModel
from model.retaining_heads import RetainingHeads
from rows.base.token_rows import RowBuilder
from train.data_parallel import average_gradients
from train.head_labels import Labelled, collect

SMOOTHNESS = 0.0025
TOP_SHARE = 0.1


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
        overlap += [torch.isin(own, right).float().mean() for own, right in zip(best, wanted, strict=True)]
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
            average_gradients(self.heads, self.world)
        torch.nn.utils.clip_grad_value_(self.heads.parameters(), 0.5)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return regression, smoothness, overlap


@torch.no_grad()
def held_out_quality(heads: RetainingHeads, samples: list[Labelled]) -> tuple[float, Tensor]:
    """Mean SmoothL1 and mean top-10 % overlap per layer and KV head (chance: 0.1)."""
    results = [losses(heads, sample) for sample in samples]
    regressions, _, overlaps = zip(*results, strict=True)
    return sum(regression.item() for regression in regressions) / len(results), torch.stack(overlaps).mean(0)


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
        tokens = sum(len(sample.projections[0]) for sample in samples)
        print(f"{len(samples)} contexts, {tokens / 1e6:.2f} M tokens; {len(held_out)} held out", flush=True)
        train(heads, samples, held_out, arguments.minutes, arguments.rate)
    loss, overlap = held_out_quality(heads, held_out)
    print(f"held out: SmoothL1 {loss:.3f}, overlap of the top 10 % {overlap.mean():.3f} (chance 0.100), per layer and KV head:")
    print([[round(x, 2) for x in row] for row in overlap.view(model.config.num_hidden_layers, -1).tolist()])
    if arguments.out:
        heads.save(arguments.out)


if __name__ == "__main__":
    main()
