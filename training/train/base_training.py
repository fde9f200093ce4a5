"""Trains the nano model; rows are made while it trains.

    python -m train.base_training --units units.pkl --tokenizer DIR --out DIR --stages 256:9,512:27,1024:8:0.25,2048:3:0.25

Stages are length:amount[:share of rows whose memory lost tokens, as after eviction]; the amount in minutes, or in millions of tokens with
`--by tokens`. Loss: mean cross entropy of the answer tokens, KEY tokens counted three times, + code-weight · that of a random share of the code tokens.

On a CPU two processes with one thread each are fastest on two cores: start it twice with WORLD_SIZE=2 MASTER_ADDR=127.0.0.1
MASTER_PORT=29517 and RANK=0 and 1, `--threads 1`. On a GPU: `--device cuda --workers 12 --tokens 65536` (bfloat16 autocast, rows made
by worker processes).
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor

from model.initialization import mimetic_init
from model.language_model import LanguageModel, ModelConfig
from rows.token_kinds import ANSWER, CODE, KEY
from train.base_batches import RowSource
from train.data_parallel import average_gradients
from train.muon import Muon

CODE_SHARE = 0.25
KEY_WEIGHT = 3.0
HELD_OUT_ROWS = 96


def split_losses(model: LanguageModel, ids: Tensor, kinds: Tensor, code_share: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Logits and targets of the answer tokens and of a share of the code tokens; nothing else is projected to the vocabulary."""
    hidden = model.hidden(ids[:, :-1])
    targets, kind = ids[:, 1:], kinds[:, 1:]
    answer = kind >= ANSWER
    code = (kind == CODE) & (torch.rand(kind.shape, device=kind.device) < code_share)
    return model.logits(hidden[answer]), targets[answer], model.logits(hidden[code]), targets[code]


@torch.no_grad()
def held_out_accuracy(model: LanguageModel, ids: Tensor, kinds: Tensor, batch: int = 8) -> str:
    """Loss, share of right answer tokens and of fully right answers on held-out packages, as a line."""
    loss = code = 0.0
    tokens = right = answers = exact = code_tokens = 0
    for begin in range(0, len(ids), batch):
        part, kind = ids[begin : begin + batch], kinds[begin : begin + batch]
        logits, targets, code_logits, code_targets = split_losses(model, part, kind, 0.3)
        loss += F.cross_entropy(logits.float(), targets, reduction="sum").item()
        code += F.cross_entropy(code_logits.float(), code_targets, reduction="sum").item()
        hit = logits.argmax(-1) == targets
        tokens, right, code_tokens = tokens + len(targets), right + int(hit.sum()), code_tokens + len(code_targets)
        answer = kind[:, 1:] >= ANSWER
        wrong = torch.zeros_like(answer)
        wrong[answer] = ~hit
        starts = answer & ~F.pad(answer, (1, 0))[:, :-1]
        runs = (starts.int().flatten().cumsum(0) - 1)[answer.flatten()]
        failed = torch.zeros(int(starts.sum()), dtype=torch.bool, device=ids.device)
        failed[runs[wrong.flatten()[answer.flatten()]]] = True
        answers, exact = answers + len(failed), exact + int((~failed).sum())
    return (
        f"held out: answer loss {loss / tokens:.3f} tokens {right / tokens:.3f} exact {exact / answers:.3f} (n={answers}) "
        f"code loss {code / max(1, code_tokens):.3f}"
    )


def parse_stages(text: str) -> list[tuple[int, float, float]]:
    stages = [(part + ":0").split(":")[:3] for part in text.split(",")]
    return [(int(length), float(amount), float(evict)) for length, amount, evict in stages]


class Trainer:
    def __init__(self, arguments: argparse.Namespace, world: int, rank: int):
        self.arguments, self.world, self.rank = arguments, world, rank
        self.device = torch.device(arguments.device)
        self.rows = RowSource(arguments.units, arguments.tokenizer, False, 1000 * arguments.seed + rank, arguments.workers)
        self.held_out = RowSource(arguments.units, arguments.tokenizer, True, 7)
        if arguments.init:
            self.model = LanguageModel.load(arguments.init)
        else:
            self.model = LanguageModel(
                ModelConfig(
                    vocab_size=self.rows.tokenizer.get_vocab_size(),
                    hidden_size=arguments.width,
                    intermediate_size=arguments.intermediate,
                    num_hidden_layers=arguments.layers,
                    num_attention_heads=arguments.heads,
                )
            )
            mimetic_init(self.model)
        self.model.to(self.device)
        named = list(self.model.named_parameters())
        matrices = [p for n, p in named if p.dim() == 2 and "embed" not in n]
        others = [p for n, p in named if p.dim() != 2 or "embed" in n]
        self.muon = Muon(matrices, arguments.rate)
        self.adam = torch.optim.AdamW(others, lr=arguments.rate, betas=(0.9, 0.95), weight_decay=0.01, fused=True)
        self.step = self.seen = 0

    def set_rate(self, progress: float) -> None:
        """Warm-up, constant, then linear to 2 % over the last `decay` of the run."""
        options = self.arguments
        rate = options.rate * min(1, (self.step + 1) / options.warmup) * min(1, (1 - progress) / options.decay + 0.02)
        self.muon.rate = rate
        for group in self.adam.param_groups:
            group["lr"] = rate

    def losses(self, ids: Tensor, kinds: Tensor) -> tuple[Tensor, Tensor]:
        cuda = self.device.type == "cuda"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=cuda):
            answers, answer_ids, code, code_ids = split_losses(self.model, ids, kinds, CODE_SHARE)
        kind = kinds[:, 1:]
        weight = torch.where(kind[kind >= ANSWER] == KEY, KEY_WEIGHT, 1.0)
        each = F.cross_entropy(answers.float(), answer_ids, reduction="none")
        return (each * weight).sum() / weight.sum(), F.cross_entropy(code.float(), code_ids)

    def tensors(self, batch: tuple[np.ndarray, np.ndarray]) -> tuple[Tensor, Tensor]:
        ids, kinds = batch
        return torch.from_numpy(ids.astype(np.int64)).to(self.device), torch.from_numpy(kinds).to(self.device)

    def run(self) -> None:
        options = self.arguments
        stages = parse_stages(options.stages)
        total = sum(amount for _, amount, _ in stages)
        before = 0.0
        for length, amount, evict in stages:
            rows = max(1, options.tokens // length // self.world)
            held_out = self.tensors(RowSource.make(self.held_out.builder, HELD_OUT_ROWS, length, 0)) if self.rank == 0 else None
            spent, seen_before, reported, history = 0.0, self.seen, time.time(), []
            for batch in self.rows.batches(rows, length, evict):
                progress = spent / 60 if options.by == "minutes" else (self.seen - seen_before) / 1e6
                late = bool(options.deadline) and time.strftime("%H:%M") >= options.deadline
                if self.world > 1:
                    flags = torch.tensor([progress, float(late)])
                    dist.all_reduce(flags)
                    progress, late = flags[0].item() / self.world, flags[1].item() > 0
                if progress >= amount or late:
                    break
                self.set_rate((before + progress) / total)
                begin = time.time()
                answer_loss, code_loss = self.losses(*self.tensors(batch))
                (answer_loss + options.code_weight * code_loss).backward()
                if self.world > 1:
                    average_gradients(self.model, self.world)
                torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
                self.muon.step()
                self.adam.step()
                self.model.zero_grad()
                spent += time.time() - begin
                self.step += 1
                self.seen += rows * length * self.world
                history.append((answer_loss.detach(), code_loss.detach()))
                if held_out is not None and time.time() - reported > options.report_every:
                    self.report(length, history, held_out)
                    self.model.save(options.out / "last")
                    reported, history = time.time(), []
            before += amount
            if held_out is not None:
                self.report(length, history, held_out)
                self.model.save(options.out / f"after-{length}")
        if self.rank == 0:
            self.model.save(options.out / "final")

    def report(self, length: int, history: list, held_out: tuple[Tensor, Tensor]) -> None:
        if not history:
            return
        answer, code = torch.tensor([[x.item() for x in losses] for losses in history]).mean(0).tolist()
        print(
            f"{time.strftime('%H:%M:%S')} length {length} step {self.step} {self.seen / 1e6:.2f} M tokens rate {self.muon.rate:.1e} | "
            f"answer loss {answer:.3f} code {code:.3f} | {held_out_accuracy(self.model, *held_out)}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--init", type=Path, help="continue from this checkpoint")
    parser.add_argument("--stages", required=True)
    parser.add_argument("--by", choices=["minutes", "tokens"], default="minutes")
    parser.add_argument("--deadline", default="", help="HH:MM at which it stops in any case")
    parser.add_argument("--tokens", type=int, default=6144, help="tokens per step, over all processes")
    parser.add_argument("--rate", type=float, default=5e-3)
    parser.add_argument("--warmup", type=int, default=30, help="steps")
    parser.add_argument("--decay", type=float, default=0.35, help="share of the run in which the rate falls")
    parser.add_argument("--code-weight", type=float, default=0.3)
    parser.add_argument("--width", type=int, default=192)
    parser.add_argument("--intermediate", type=int, default=384)
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--report-every", type=float, default=60, help="seconds")
    arguments = parser.parse_args()
    # sharp attention makes denormal probabilities: 3 to 4 times slower on a CPU without this
    torch.set_flush_denormal(True)
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(arguments.threads)
    world, rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
    if world > 1:
        dist.init_process_group("gloo")
    trainer = Trainer(arguments, world, rank)
    size = sum(p.numel() for p in trainer.model.parameters())
    if rank == 0:
        print(f"{size / 1e6:.2f} M parameters", flush=True)
    trainer.run()


if __name__ == "__main__":
    main()
