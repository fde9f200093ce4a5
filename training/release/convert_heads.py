"""Converts retaining heads from PyTorch's format, in which the paper's authors publish theirs, to safetensors.

    python release/convert_heads.py pytorch_model.bin retaining_heads.safetensors
"""

import re
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

NAME = re.compile(r"(?:.*\.)?(model\.layers\.\d+\.self_attn\.fc[12]\.weight)")


def convert(source: Path, target: Path) -> int:
    """Writes the heads of a PyTorch file, of which no code is run, and returns how many matrices they are."""
    tensors = torch.load(source, map_location="cpu", weights_only=True)
    named = [(NAME.fullmatch(name), tensor) for name, tensor in tensors.items()]
    heads = {match[1]: tensor.contiguous() for match, tensor in named if match}
    if not heads:
        raise SystemExit(f"{source} has no tensors named model.layers.N.self_attn.fc1.weight and fc2.weight")
    save_file(heads, target)
    return len(heads)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    count = convert(Path(sys.argv[1]), Path(sys.argv[2]))
    print(f"{count} matrices in {sys.argv[2]}")
