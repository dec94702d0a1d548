"""Running statistics of norms, measured afresh where weights have been moved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from nnctl.diagnosis.surface.hessian import Part


def norms_of(net: nn.Module) -> list[Any]:
    """Return the modules that hold running means and variances."""
    return [m for m in net.modules() if isinstance(getattr(m, "running_mean", None), Tensor) and hasattr(m, "momentum")]


def recalibrate(norms: Sequence[Any], parts: Sequence[Part]) -> None:
    """Replace running statistics by their means over the parts, each counting by its samples; then evaluate again."""
    before = [norm.momentum for norm in norms]
    for norm in norms:
        norm.train()
        norm.running_mean.zero_()  # what is not finite would outlast a factor of 0
        norm.running_var.fill_(1)
    seen = 0
    with torch.no_grad():
        for part in parts:
            seen += part.samples
            for norm in norms:
                norm.momentum = part.samples / seen
            part.value()
    for norm, momentum in zip(norms, before, strict=True):
        norm.momentum = momentum
        norm.eval()
