"""Writes the model card from what was measured.

    python card.py --model models/nano --units units.pkl --lookups FILE --eviction FILE --heads-log FILE --log FILE… --out models/nano/README.md

The logs are those of the training runs, in order; their report lines become the loss curve.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

from model import CONFIG_KEYS
from units import Pack, load_packs

REPORT = re.compile(r"length (\d+) step (\d+) ([\d.]+) M tokens .*answer loss ([\d.]+) .*held out: answer loss ([\d.]+) .* exact ([\d.]+)")
KINDS = {
    "where": "where defined", "sig": "signature", "const": "constant", "doc": "documentation", "nodoc": "no documentation", "ret": "returns",
    "raise": "raises", "meth": "methods", "base": "base class", "import": "imported from", "call": "callers", "needle": "sentence in a comment",
    "none": "not found",
}  # fmt: skip
POLICIES = {"full": "full cache", "locret": "retaining heads", "recent": "first 4 + recent", "random": "random"}


def percent(share: float) -> str:
    return f"{100 * share:.0f}"


def lookup_table(results: dict[str, dict]) -> str:
    kinds = [k for k in KINDS if any(k in r["kinds"] for r in results.values())]
    lines = ["| | all | n | " + " | ".join(KINDS[k] for k in kinds) + " |", "|---" * (len(kinds) + 3) + "|"]
    for name, result in results.items():
        cells = [
            f"{percent(result['kinds'][k][0])} ({result['kinds'][k][1]})" if k in result["kinds"] else "–" for k in kinds
        ]
        lines.append(f"| {name} | **{percent(result['exact'])}** | {result['n']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def eviction_table(results: dict[str, dict]) -> str:
    lines = ["| questions about | cache | exact | exact without “not found” | answer tokens right | n |", "|---|---|---|---|---|---|"]
    for name, result in results.items():
        shape, how = name.split(", ")
        policy, _, factor = how.partition(" ")
        about = "recalled definitions behind 512 tokens" if "recall" in shape else "512 tokens of memory"
        cache = POLICIES[policy] + (f", {factor} smaller" if factor else "")
        numbers = [percent(result[key]) for key in ("exact", "exact_found", "tokens")]
        lines.append(f"| {about} | {cache} | " + " | ".join(numbers) + f" | {result['n']} |")
    return "\n".join(lines)


def loss_curve(logs: list[Path]) -> tuple[str, float, int]:
    """Table of the runs' reports (about twenty lines), million tokens and steps in all."""
    rows, tokens, steps = [], 0.0, 0
    for log in logs:
        run_tokens, run_steps = 0.0, 0
        for length, step, millions, loss, held_loss, exact in REPORT.findall(log.read_text()):
            run_tokens, run_steps = float(millions), int(step)
            rows.append(f"| {tokens + run_tokens:.2f} | {length} | {loss} | {held_loss} | {percent(float(exact))} |")
        tokens, steps = tokens + run_tokens, steps + run_steps
    stride = max(1, len(rows) // 20)
    shown = [row for i, row in enumerate(rows) if i % stride == 0 or i == len(rows) - 1]
    head = "| M tokens | row length | answer loss | held-out answer loss | held-out exact |\n|---|---|---|---|---|\n"
    return head + "\n".join(shown), tokens, steps


def package_list(packs: list[Pack]) -> str:
    def licence(pack: Pack) -> str:
        text = re.split(r"; |, Copyright|\(see", pack.licence)[0].strip()
        return "see its LICENSE" if len(text) > 40 else text

    return ", ".join(f"{p.name} {p.version} ({licence(p)})" for p in sorted(packs, key=lambda p: p.name.lstrip("@")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--units", type=Path, required=True)
    parser.add_argument("--lookups", type=Path, required=True)
    parser.add_argument("--eviction", type=Path, required=True)
    parser.add_argument("--heads-log", type=Path, required=True)
    parser.add_argument("--log", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    config = json.loads((arguments.model / "config.json").read_text())
    settings = json.loads((arguments.model / "locret.json").read_text())
    curve, tokens, steps = loss_curve(arguments.log)
    train, held_out = load_packs(arguments.units, held_out=False), load_packs(arguments.units, held_out=True)
    overlap = re.search(r"held out: SmoothL1 ([\d.]+), overlap of the top 10 % ([\d.]+)", arguments.heads_log.read_text())
    if overlap is None:
        raise SystemExit(f"{arguments.heads_log}: the line with the held-out overlap is missing")
    template = (Path(__file__).parent / "card.md").read_text()
    values = {
        "shape": ", ".join(f"{key} {config[key]:g}" for key in CONFIG_KEYS if key != "rms_norm_eps"),
        "settings": ", ".join(f"{key} {settings[key]}" for key in ("budget", "chunk", "stabilizers", "local", "window", "recall")),
        "lookups": lookup_table(json.loads(arguments.lookups.read_text())),
        "eviction": eviction_table(json.loads(arguments.eviction.read_text())),
        "heads_loss": overlap.group(1),
        "heads_overlap": f"{float(overlap.group(2)):.2f}",
        "curve": curve,
        "tokens": f"{tokens:.1f}",
        "steps": str(steps),
        "train_count": str(len(train)),
        "train_chars": f"{sum(p.chars for p in train) / 1e6:.0f}",
        "held_out_count": str(len(held_out)),
        "train": package_list(train),
        "held_out": package_list(held_out),
    }
    for key, value in values.items():
        template = template.replace("{{" + key + "}}", value)
    arguments.out.write_text(template)


if __name__ == "__main__":
    main()
