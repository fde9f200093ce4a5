"""Accuracy on held-out packages, per kind of question, with and without recall, with and without eviction.

    python evaluate.py lookups  --model DIR --units units.pkl [--contexts 80]
    python evaluate.py eviction --model DIR --units units.pkl [--contexts 40]

An answer counts only if every token of it is the model's greedy choice. Each question is asked alone, right behind the context.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer

from model import LanguageModel
from rows import RowBuilder
from stream import MemoryStream, RetainingHeads
from units import load_packs


@dataclass
class Question:
    kind: str
    text: str
    answer: str
    prompt: list[int]
    reply: list[int]


@dataclass
class Context:
    """Tokens of the memory and of the recall blocks, and questions about them."""

    memory: list[int]
    blocks: list[int]
    questions: list[Question]


def held_out_contexts(
    builder: RowBuilder, count: int, memory: int, recalled: int, questions: int = 6, last_share: float = 0.55
) -> list[Context]:
    """recalled: number of recall blocks; 0 asks about the memory itself. memory: its tokens, ± 15 %, or none. last_share: how often the
    question is about the last block."""
    contexts: list[Context] = []
    while len(contexts) < count:
        row = builder.build(memory * 1.02, recalled * 80, recalled)
        if row is None or not row.facts:
            continue
        ids = builder.ids(row.memory)
        if memory and not 0.85 * memory <= len(ids) <= 1.15 * memory:
            continue
        asked = [
            Question(
                kind, text, answer,
                builder.ids(f"<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n"),
                builder.ids(f"{answer}<|im_end|>"),
            )  # fmt: skip
            for text, answer, kind, _ in builder.questions(row, questions, 0.12, recalled > 0, last_share)
        ]
        if asked:
            contexts.append(Context(ids, builder.ids(row.blocks), asked))
    return contexts


def right_answers(stream: MemoryStream, questions: list[Question]) -> list[tuple[bool, float]]:
    """Per question: whether greedy decoding gives the answer exactly, and the share of its tokens that it gets right. Teacher forcing
    gives the same verdict as decoding, in one pass."""
    logits = stream.ask([q.prompt + q.reply for q in questions])
    results = []
    for row, q in enumerate(questions):
        begin = len(q.prompt) - 1
        right = logits[row, begin : begin + len(q.reply)].argmax(-1) == torch.tensor(q.reply)
        results.append((bool(right.all()), right.float().mean().item()))
    return results


def measure(model: LanguageModel, contexts: list[Context], **stream_options) -> dict:
    """exact, tokens (share of answer tokens right), n, kinds {kind: [exact, n]}; exact_found leaves out 'not found' questions."""
    per_kind: dict[str, list[bool]] = defaultdict(list)
    tokens: list[float] = []
    for context in contexts:
        stream = MemoryStream(model, **stream_options).prefill(context.memory)
        stream.append(context.blocks)
        for question, (exact, share) in zip(context.questions, right_answers(stream, context.questions)):
            per_kind[question.kind].append(exact)
            tokens.append(share)
    every = [x for results in per_kind.values() for x in results]
    found = [x for kind, results in per_kind.items() for x in results if kind != "none"]
    return {
        "exact": round(sum(every) / len(every), 3),
        "exact_found": round(sum(found) / max(1, len(found)), 3),
        "tokens": round(sum(tokens) / len(tokens), 3),
        "n": len(every),
        "kinds": {kind: [round(sum(r) / len(r), 3), len(r)] for kind, r in sorted(per_kind.items())},
    }


def report(name: str, result: dict) -> None:
    kinds = " ".join(f"{k} {v[0]:.2f}({v[1]})" for k, v in result["kinds"].items())
    print(f"{name:34s} exact {result['exact']:.3f} found {result['exact_found']:.3f} tokens {result['tokens']:.3f} n={result['n']} | {kinds}", flush=True)


def lookups(model: LanguageModel, units: Path, tokenizer: Tokenizer, count: int) -> dict[str, dict]:
    """Recall with 0 to 2048 tokens of other code in front, and plain memory lookups."""
    # name, tokens of memory, recall blocks, share of questions about the last block
    shapes = [("recall: 1 definition, memory 256", 256, 1, 1.0), ("recall: any of 3, memory 256", 256, 3, 0.0)]
    shapes += [(f"recall: last of 3, memory {memory}", memory, 3, 1.0) for memory in (0, 256, 512, 1024, 2048)]
    shapes += [(f"memory only, {memory}", memory, 0, 0.0) for memory in (256, 512, 1024)]
    packs = load_packs(units, held_out=True)
    results = {}
    for name, memory, recalled, last_share in shapes:
        builder = RowBuilder(packs, tokenizer, 900 + memory)
        results[name] = measure(model, held_out_contexts(builder, count, memory, recalled, last_share=last_share))
        report(name, results[name])
    return results


def eviction(model: LanguageModel, units: Path, tokenizer: Tokenizer, heads: RetainingHeads, count: int) -> dict[str, dict]:
    """The same questions with the full cache and with a half and a quarter of it, under three policies; and with recall behind it."""
    results = {}
    packs = load_packs(units, held_out=True)
    for memory, recalled in ((512, 0), (512, 3)):
        contexts = held_out_contexts(RowBuilder(packs, tokenizer, 300 + memory), count, memory, recalled, last_share=1.0)
        shape = f"{memory}" + (" + recall" if recalled else "")
        results[f"{shape}, full"] = measure(model, contexts)
        report(f"{shape}, full", results[f"{shape}, full"])
        for factor in (2, 4):
            budget = memory // factor
            for policy in ("locret", "recent", "random"):
                name = f"{shape}, {policy} {factor}x"
                results[name] = measure(
                    model, contexts, policy=policy, heads=heads, budget=budget, chunk=128, stabilizers=budget // 4, local=16
                )
                report(name, results[name])
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["lookups", "eviction"])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, help="folder of tokenizer.json, default: the model's")
    parser.add_argument("--heads", type=Path, help="default: the model's retaining_heads.safetensors")
    parser.add_argument("--units", type=Path, required=True)
    parser.add_argument("--contexts", type=int, default=80)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, help="JSON file for the results")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    model = LanguageModel.load(arguments.model).eval()
    tokenizer = Tokenizer.from_file(str((arguments.tokenizer or arguments.model) / "tokenizer.json"))
    if arguments.what == "lookups":
        results = lookups(model, arguments.units, tokenizer, arguments.contexts)
    else:
        path = arguments.heads or arguments.model / "retaining_heads.safetensors"
        results = eviction(model, arguments.units, tokenizer, RetainingHeads.load(path, model.config), arguments.contexts)
    if arguments.out:
        arguments.out.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
