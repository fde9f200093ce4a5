"""Continues the training of a model in the product's own form: recalled definitions and a question behind a retained cache.

    python -m train.recall_training --init DIR --heads FILE --tokenizer DIR --units units.pkl --out DIR --minutes 60

A pool of invented repositories streams through the model as it is at that moment, chunk by chunk, and is evicted as in the product. What is
retained stands before every row as it would in a question; no gradient flows into it. All conversations of a row follow the recalled
definitions independently, at the positions that a single question would have. Other steps are about short repositories of which questions see
what the retaining heads keep (train/evicted_rows.py). The heads go on learning what answers need of the model as it is at that moment.

On a CPU two processes with one thread each are fastest on two cores, started as those of train/base_training.py.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from pathlib import Path

import torch
import torch.distributed as dist
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor

from corpus.units import load_packs
from model.language_model import LanguageModel
from model.retaining_heads import RetainingHeads
from rows.base.contexts import draw_contexts
from rows.base.token_rows import RowBuilder
from rows.names import Names
from rows.recall.rows import RecallRowBuilder
from rows.token_kinds import ANSWER, CODE, KEY
from train.data_parallel import average_gradients, slowest
from train.evicted_rows import (
    SHARES,
    EvictedBatch,
    evicted_row,
    exact_after_eviction,
    loss_after_eviction,
)
from train.head_labels import QUESTIONS, label
from train.head_training import HeadTrainer
from train.muon import Muon
from train.recall_batches import Batch, exact_answers, hidden_behind, make_batch
from train.retained_memory import Pool

KEY_WEIGHT, CODE_WEIGHT, CODE_SHARE = 3.0, 0.05, 0.2
# Share of the steps without memories, which cost less.
BARE_SHARE = 0.3
HELD_OUT_ROWS = 32
HELD_OUT_SHARE = 0.33
# Tokens of a text that the heads learn from.
HEAD_TOKENS = [300, 450, 600]


def loss_of(model: LanguageModel, batch: Batch) -> tuple[Tensor, Tensor]:
    """Cross entropy of the answer tokens, KEY tokens counted KEY_WEIGHT times, and of a share of the recalled code."""
    hidden = hidden_behind(model, batch)[:, :-1]
    targets, kinds = batch.targets()
    answer = kinds >= ANSWER
    code = (kinds == CODE) & (torch.rand(kinds.shape, device=kinds.device) < CODE_SHARE)
    each = F.cross_entropy(model.logits(hidden[answer]).float(), targets[answer], reduction="none")
    weight = torch.where(kinds[answer] == KEY, KEY_WEIGHT, 1.0)
    if not bool(code.any()):
        return (each * weight).sum() / weight.sum(), each.new_zeros(())
    return (each * weight).sum() / weight.sum(), F.cross_entropy(model.logits(hidden[code]).float(), targets[code])


def means(history: list[tuple[float, float]]) -> str:
    answer, code = (sum(x) / len(history) for x in zip(*history)) if history else (float("nan"), float("nan"))
    return f"answer loss {answer:.3f} code {code:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--init", type=Path, required=True, help="checkpoint to continue from")
    parser.add_argument("--heads", type=Path, required=True, help="retaining heads that decide what the memories keep")
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--units", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--rows", type=int, default=8, help="rows of a step")
    parser.add_argument("--length", type=int, default=448, help="tokens of a row at most")
    parser.add_argument("--memories", type=int, default=32)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--evicted", type=float, default=0.3, help="share of the steps about what is kept of a short repository")
    parser.add_argument("--evicted-questions", type=int, default=10, help="about each of them")
    parser.add_argument("--head-rate", type=float, default=1e-3)
    parser.add_argument("--warmup", type=int, default=40, help="steps")
    parser.add_argument("--decay", type=float, default=0.8, help="share of the run in which the rate falls")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--report-every", type=float, default=120, help="seconds")
    arguments = parser.parse_args()
    torch.set_flush_denormal(True)  # sharp attention makes denormal probabilities: 3 to 4 times slower without this
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(arguments.threads)
    world, rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
    if world > 1:
        dist.init_process_group("gloo")
    # All processes make steps of the same kind at the same time, on rows of their own.
    kind_of_step = random.Random(arguments.seed)
    own_seed = 1000 * arguments.seed + rank
    device = torch.device(arguments.device)
    tokenizer = Tokenizer.from_file(str(arguments.tokenizer / "tokenizer.json"))
    model = LanguageModel.load(arguments.init).to(device)
    heads = RetainingHeads.load(arguments.heads, model.config).to(device)
    packs = load_packs(arguments.units, held_out=False)
    builder = RecallRowBuilder(packs, Names(packs), tokenizer, own_seed)
    held_out = RecallRowBuilder(load_packs(arguments.units, held_out=True), Names(packs), tokenizer, 7)
    pool = Pool(builder, model, heads, arguments.memories)
    check = make_batch(Pool(held_out, model, heads, 8).rows(HELD_OUT_ROWS, arguments.length, bare=False), model)
    short = RowBuilder(packs, tokenizer, own_seed)
    held_out_short = RowBuilder(load_packs(arguments.units, held_out=True), tokenizer, 7)
    evicted_check = EvictedBatch(
        [evicted_row(held_out_short, arguments.evicted_questions) for _ in range(HELD_OUT_ROWS)], [HELD_OUT_SHARE] * HELD_OUT_ROWS, device
    )
    trainer = HeadTrainer(heads, world)
    overlaps: list[float] = []
    named = list(model.named_parameters())
    muon = Muon([p for n, p in named if p.dim() == 2 and "embed" not in n], arguments.rate)
    # Adam moves what is seldom used as far as what is often used: the embeddings of words that these rows lack would drift away.
    model.model.embed_tokens.requires_grad_(False)
    norms = [p for _, p in named if p.dim() != 2]
    adam = torch.optim.AdamW(norms, lr=arguments.rate, betas=(0.9, 0.95), weight_decay=0.01, fused=True)
    begin = reported = time.time()
    step = seen = 0
    history: list[tuple[float, float]] = []
    evicted_history: list[tuple[float, float]] = []
    while (progress := slowest((time.time() - begin) / (60 * arguments.minutes), world)) < 1:
        rate = arguments.rate * min(1, (step + 1) / arguments.warmup) * min(1, (1 - progress) / arguments.decay + 0.01)
        muon.rate = rate
        for group in adam.param_groups:
            group["lr"] = rate
        is_evicted, is_bare = kind_of_step.random() < arguments.evicted, kind_of_step.random() < BARE_SHARE
        if is_evicted:
            rows = [evicted_row(short, arguments.evicted_questions) for _ in range(arguments.rows)]
            evicted = EvictedBatch(rows, [short.rng.choice(SHARES) for _ in rows], device)
            with torch.autocast(device.type, torch.bfloat16):
                answer_loss, code_loss = loss_after_eviction(model, heads, evicted, KEY_WEIGHT, CODE_SHARE)
            seen += world * sum(map(len, rows))
        else:
            batch = make_batch(pool.rows(arguments.rows, arguments.length, bare=is_bare), model)
            with torch.autocast(device.type, torch.bfloat16):
                answer_loss, code_loss = loss_of(model, batch)
            seen += world * int((batch.conversations >= 0).sum())
        (answer_loss + CODE_WEIGHT * code_loss).backward()
        if world > 1:
            average_gradients(model, world)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        muon.step()
        adam.step()
        model.zero_grad()
        step += 1
        if step % 2 == 0:
            pool.read_on(2)
            text = draw_contexts(short, 1, short.rng.choice(HEAD_TOKENS), 0, QUESTIONS)[0]
            overlaps.append(trainer.step(label(model, text), arguments.head_rate * min(1, (1 - progress) / arguments.decay + 0.01))[2].mean().item())
        (evicted_history if is_evicted else history).append((answer_loss.item(), code_loss.item()))
        if rank == 0 and (time.time() - reported > arguments.report_every or step == 1):
            right, loss = exact_answers(model, check)
            print(
                f"{time.strftime('%H:%M:%S')} step {step} {seen / 1e6:.2f} M tokens rate {rate:.1e} | {means(history)} | "
                f"held out: answer loss {loss:.3f} exact {sum(right) / len(right):.3f} (n={len(right)}) | after eviction: "
                f"{means(evicted_history)} exact {exact_after_eviction(model, heads, evicted_check):.3f} "
                f"heads' overlap {sum(overlaps) / max(1, len(overlaps)):.3f}",
                flush=True,
            )
            model.save(arguments.out / "last")
            heads.save(arguments.out / "last" / "retaining_heads.safetensors")
            reported, history, evicted_history, overlaps = time.time(), [], [], []
    if rank > 0:
        return
    model.save(arguments.out / "final")
    heads.save(arguments.out / "final" / "retaining_heads.safetensors")
    print(f"{step} steps, {seen / 1e6:.2f} M tokens")


if __name__ == "__main__":
    main()
