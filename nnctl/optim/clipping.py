"""Bounds on gradients."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nnctl.spec.sections import Clip


def clip_gradients(parameters: Sequence[nn.Parameter], clip: Clip | None) -> None:
    """Bound the gradients of some parameters in place as a recipe says."""
    if clip is None:
        return
    gradients = [p.grad for p in parameters if p.grad is not None]
    if clip.value is not None:
        clip_by_value(gradients, clip.value)
    if clip.norm is not None:
        clip_by_norm(gradients, clip.norm)


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
