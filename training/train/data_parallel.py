"""What the processes share that train one model together."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import nn


def average_gradients(model: nn.Module, world: int) -> None:
    """Replaces the gradients by their means over all processes, whose number is `world`."""
    parameters = [p for p in model.parameters() if p.grad is not None]
    flat = torch.cat([p.grad.reshape(-1) for p in parameters])
    dist.all_reduce(flat)
    flat /= world
    offset = 0
    for parameter in parameters:
        parameter.grad.copy_(flat[offset : offset + parameter.numel()].view_as(parameter))
        offset += parameter.numel()


def slowest(progress: float, world: int) -> float:
    """The largest progress of all processes, which thus stop together."""
    shared = torch.tensor([progress])
    if world > 1:
        dist.all_reduce(shared, dist.ReduceOp.MAX)
    return shared.item()
