"""Accuracy on held-out packages in the product's form: recalled definitions behind a retained memory, then one question.

    python -m release.evaluate --model DIR --units units.pkl --out FILE

An answer counts only if every token of it is the model's greedy choice.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path

import torch
from tokenizers import Tokenizer

from corpus.units import load_packs
from model.language_model import LanguageModel
from model.retaining_heads import RetainingHeads
from rows.names import Names
from rows.recall.rows import RecallRowBuilder
from train.recall_batches import exact_answers, make_batch
from train.retained_memory import CHUNK, RetainedMemory

ROWS_PER_WORLD, ROW_LENGTH = 8, 448
# name, chunks of the memory, what decides what it keeps
SHAPES = [
    ("no memory", 0, "given"),
    (f"memory of {16 * CHUNK} tokens", 16, "given"),
    (f"memory of {64 * CHUNK} tokens", 64, "given"),
    (f"memory of {16 * CHUNK} tokens, kept by chance", 16, "random"),
    (f"memory of {16 * CHUNK} tokens, the newest kept", 16, "recent"),
]


def measure(model: LanguageModel, builder: RecallRowBuilder, heads: RetainingHeads, worlds: int, chunks: int, keeper: str, budget: int) -> dict:
    """exact, n, kinds {kind: [exact, n]} over the rows of some invented repositories."""
    results: dict[str, list[bool]] = defaultdict(list)
    for _ in range(worlds):
        memory = RetainedMemory(builder, model, heads, keeper, budget)
        if chunks:
            memory.advance(chunks)
        rows = []
        while len(rows) < ROWS_PER_WORLD:
            row = builder.row(memory.world, ROW_LENGTH)
            if row is not None:
                rows.append((row, memory if chunks else None))
        right, _ = exact_answers(model, make_batch(rows, model))
        asked = [kind for row, _ in rows for conversation in row.conversations for kind in conversation.asked]
        for kind, is_right in zip(asked, right, strict=True):
            results[kind].append(is_right)
    every = [x for some in results.values() for x in some]
    kinds = {kind: [round(sum(r) / len(r), 3), len(r)] for kind, r in sorted(results.items())}
    return {"exact": round(sum(every) / len(every), 3), "n": len(every), "kinds": kinds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, help="folder of tokenizer.json, default: the model's")
    parser.add_argument("--heads", type=Path, help="default: the model's retaining_heads.safetensors")
    parser.add_argument("--units", type=Path, required=True)
    parser.add_argument("--worlds", type=int, default=12, help="invented repositories per line, 8 rows each")
    parser.add_argument("--budget", type=int, default=64, help="units that a memory keeps")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, help="JSON file for the results")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    model = LanguageModel.load(arguments.model).eval().requires_grad_(False)
    tokenizer = Tokenizer.from_file(str((arguments.tokenizer or arguments.model) / "tokenizer.json"))
    heads = RetainingHeads.load(arguments.heads or arguments.model / "retaining_heads.safetensors", model.config)
    packs = load_packs(arguments.units, held_out=True)
    names = Names(load_packs(arguments.units, held_out=False))
    results = {}
    for name, chunks, keeper in SHAPES:
        results[name] = measure(model, RecallRowBuilder(packs, names, tokenizer, 500), heads, arguments.worlds, chunks, keeper, arguments.budget)
        kinds = " ".join(f"{kind} {share:.2f}({n})" for kind, (share, n) in results[name]["kinds"].items())
        print(f"{name:42s} exact {results[name]['exact']:.3f} n={results[name]['n']} | {kinds}", flush=True)
    if arguments.out:
        arguments.out.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
