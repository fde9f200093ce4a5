"""Muon: momentum whose update is orthogonalised by a Newton–Schulz iteration (Jordan et al. 2024), for the weight matrices."""

from __future__ import annotations

import torch
from torch import nn

COEFFICIENTS = (3.4445, -4.775, 2.0315)


class Muon:
    """Equal shapes are updated together. The update's RMS is scaled to that of AdamW (factor 0.2 · √max side)."""

    def __init__(self, parameters: list[nn.Parameter], rate: float, momentum: float = 0.95, decay: float = 0.02, iterations: int = 5):
        self.groups: dict[tuple[int, ...], list[nn.Parameter]] = {}
        for parameter in parameters:
            self.groups.setdefault(tuple(parameter.shape), []).append(parameter)
        self.momenta = {shape: torch.zeros(len(ps), *shape, device=ps[0].device) for shape, ps in self.groups.items()}
        self.rate, self.momentum, self.decay, self.iterations = rate, momentum, decay, iterations

    @torch.no_grad()
    def step(self) -> None:
        a, b, c = COEFFICIENTS
        for shape, parameters in self.groups.items():
            gradient = torch.stack([p.grad for p in parameters])
            momentum = self.momenta[shape]
            momentum.lerp_(gradient, 1 - self.momentum)
            x = gradient.lerp(momentum, self.momentum)
            tall = shape[0] > shape[1]
            if tall:
                x = x.transpose(1, 2)
            x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-9)
            if x.is_cuda:
                x = x.bfloat16()
            for _ in range(self.iterations):
                gram = x @ x.transpose(1, 2)
                x = a * x + (b * gram + c * gram @ gram) @ x
            x = x.float()
            if tall:
                x = x.transpose(1, 2)
            for update, parameter in zip(x, parameters):
                parameter.mul_(1 - self.rate * self.decay)
                parameter.add_(update, alpha=-self.rate * 0.2 * max(shape) ** 0.5)
