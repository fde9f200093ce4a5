"""Writes the model card from what was measured.

    python -m release.card --model models/nano --units units.pkl --accuracy FILE --heads-log FILE --log FILE… --out models/nano/README.md

The logs are those of the training runs, in order; their report lines become the loss curve.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

from safetensors.torch import load_file

from corpus.units import Pack, load_packs
from model.language_model import CONFIG_KEYS

REPORT = re.compile(
    r"(?:length (\d+) )?step (\d+) ([\d.]+) M tokens .*?answer loss ([\d.]+) .*held out: answer loss ([\d.]+) .*?exact ([\d.]+)"
    r"(?:.*after eviction: .* exact ([\d.]+))?"
)
KINDS = {
    "where": "where defined", "sig": "parameters", "doc": "documentation", "nodoc": "no documentation", "const": "constant",
    "ret": "returns", "raise": "raises", "base": "base class", "meth": "methods", "file": "names in a file", "lines": "place of a selection",
    "call": "who uses it (cannot tell)", "general": "names nothing (cannot tell)", "none": "not found",
}  # fmt: skip


def percent(share: float) -> str:
    return f"{100 * share:.0f}"


def accuracy_table(results: dict[str, dict]) -> str:
    kinds = [k for k in KINDS if any(k in r["kinds"] for r in results.values())]
    lines = ["| | all | n | " + " | ".join(KINDS[k] for k in kinds) + " |", "|---" * (len(kinds) + 3) + "|"]
    for name, result in results.items():
        cells = [
            f"{percent(result['kinds'][k][0])} ({result['kinds'][k][1]})" if k in result["kinds"] else "–" for k in kinds
        ]
        lines.append(f"| {name} | **{percent(result['exact'])}** | {result['n']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def loss_curve(logs: list[Path]) -> tuple[str, float, int]:
    """Table of the runs' reports (about twenty lines), million tokens and steps in all."""
    rows, tokens, steps = [], 0.0, 0
    for log in logs:
        run_tokens, run_steps = 0.0, 0
        for length, step, millions, loss, held_loss, exact, evicted in REPORT.findall(log.read_text()):
            run_tokens, run_steps = float(millions), int(step)
            behind = percent(float(evicted)) if evicted else "–"
            rows.append(f"| {tokens + run_tokens:.2f} | {length or 'recall'} | {loss} | {held_loss} | {percent(float(exact))} | {behind} |")
        tokens, steps = tokens + run_tokens, steps + run_steps
    stride = max(1, len(rows) // 20)
    shown = [row for i, row in enumerate(rows) if i % stride == 0 or i == len(rows) - 1]
    head = "| M tokens | row length | answer loss | held-out answer loss | held-out exact | from a third of the units |\n|---|---|---|---|---|---|\n"
    return head + "\n".join(shown), tokens, steps


def parameter_count(model: Path) -> int:
    return sum(tensor.numel() for tensor in load_file(model / "model.safetensors").values())


def package_list(packs: list[Pack]) -> str:
    def licence(pack: Pack) -> str:
        text = re.split(r"; |, Copyright|\(see", pack.licence)[0].strip()
        return "see its LICENSE" if len(text) > 40 else text

    return ", ".join(f"{p.name} {p.version} ({licence(p)})" for p in sorted(packs, key=lambda p: p.name.lstrip("@")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--units", type=Path, required=True)
    parser.add_argument("--accuracy", type=Path, required=True)
    parser.add_argument("--product", type=Path, help="a text on answers in the product, for the card")
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
        "settings": ", ".join(f"{key} {settings[key]}" for key in ("budget", "structure", "chunk", "stabilizers", "local", "window", "recall")),
        "accuracy": accuracy_table(json.loads(arguments.accuracy.read_text())),
        "product": arguments.product.read_text().strip() if arguments.product else "",
        "millions": f"{parameter_count(arguments.model) / 1e6:.0f}",
        "vocabulary": str(config["vocab_size"]),
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
    arguments.out.write_text(re.sub(r"\n{3,}", "\n\n", template))


if __name__ == "__main__":
    main()
