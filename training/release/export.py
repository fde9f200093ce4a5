"""Writes the model folder that the product bundles, and checks it against transformers.

    python -m release.export --checkpoint DIR --tokenizer DIR --heads FILE --units units.pkl --out models/nano
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
from pathlib import Path

import torch
from tokenizers import Tokenizer

from corpus.units import load_packs
from model.language_model import TURN_END, LanguageModel
from model.memory_stream import MemoryStream
from rows.base.contexts import draw_contexts
from rows.base.token_rows import RowBuilder

HEADS = "retaining_heads.safetensors"


def same_answers_as_transformers(folder: Path, units: Path, count: int) -> tuple[int, int]:
    """(identical greedy answers, asked): this code's stream against transformers' generate, on held-out contexts."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    own = LanguageModel.load(folder).eval()
    theirs = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    template = AutoTokenizer.from_pretrained(folder)
    same = asked = 0
    for context in draw_contexts(RowBuilder(load_packs(units, held_out=True), tokenizer, 11), count, 256, 2, 2):
        stream = MemoryStream(own).prefill(context.memory)
        stream.append(context.blocks)
        text = tokenizer.decode(context.memory + context.blocks, skip_special_tokens=False)
        for question in context.questions:
            messages = [{"role": "system", "content": text}, {"role": "user", "content": question.text}]
            rendered = template.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
            ids = template(rendered, add_special_tokens=False, return_tensors="pt").input_ids
            assert ids[0].tolist() == context.memory + context.blocks + question.prompt, "the chat template renders another prompt"
            generated = theirs.generate(ids, max_new_tokens=64, do_sample=False)[0, ids.shape[1] :].tolist()
            answer = generated[: generated.index(TURN_END)] if TURN_END in generated else generated
            same += answer == stream.generate(question.prompt, 64)
            asked += 1
    return same, asked


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--heads", type=Path, required=True)
    parser.add_argument("--units", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--budget", type=int, default=64)
    parser.add_argument("--structure", choices=["none", "headers", "definitions"], default="definitions")
    parser.add_argument("--chunk", type=int, default=256)
    parser.add_argument("--stabilizers", type=int, default=16)
    parser.add_argument("--local", type=int, default=16)
    parser.add_argument("--window", type=int, default=1024, help="slots the model handles")
    parser.add_argument("--recall", type=int, default=128, help="tokens of re-read definitions the model handles well")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=arguments.out.parent) as temporary:
        folder = Path(temporary)
        LanguageModel.load(arguments.checkpoint).save(folder, torch.bfloat16)
        for name in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copyfile(arguments.tokenizer / name, folder / name)
        shutil.copyfile(arguments.heads, folder / HEADS)
        settings = {
            "format": 1,
            "instructions": "",
            "heads": HEADS,
            "budget": arguments.budget,
            "structure": arguments.structure,
            "chunk": arguments.chunk,
            "stabilizers": arguments.stabilizers,
            "local": arguments.local,
            "window": arguments.window,
            "recall": arguments.recall,
            # Measured: the attention of a model this small does not point at what a question is about.
            "attention": False,
        }
        (folder / "locret.json").write_text(json.dumps(settings, indent=2) + "\n")
        same, asked = same_answers_as_transformers(folder, arguments.units, 20)
        print(f"{same} of {asked} greedy answers equal those of transformers")
        if same != asked:
            raise SystemExit("the exported model does not answer as trained")
        for file in folder.iterdir():
            file.chmod(0o644)
            os.replace(file, arguments.out / file.name)


if __name__ == "__main__":
    main()
