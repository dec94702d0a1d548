"""Bounds on gradients."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def clip_by_norm(gradients: Sequence[Tensor], bound: float) -> Tensor:
    """Scale gradients in place so that their common norm is min(norm, bound); return the norm before."""
    norms = torch._foreach_norm(list(gradients))
    norm: Tensor = torch.linalg.vector_norm(torch.stack(list(norms)))
    torch._foreach_mul_(list(gradients), (bound / norm).clamp(max=1.0))
    return norm


def clip_by_value(gradients: Sequence[Tensor], bound: float) -> None:
    """Clamp every gradient entry in place to [−bound, bound]."""
    for gradient in gradients:
        gradient.clamp_(-bound, bound)
