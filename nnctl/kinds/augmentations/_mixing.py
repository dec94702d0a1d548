"""What mixing two samples needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.kinds.layers.shape import Shape, ShapeError

if TYPE_CHECKING:
    import torch


def share(alpha: float, generator: torch.Generator) -> float:
    """Return one draw from Beta(α, α)."""
    import numpy as np
    import torch

    seed = int(torch.randint(2**62, (), generator=generator))
    return float(np.random.default_rng(seed).beta(alpha, alpha))


def check_numbers(kind: str, x: Shape) -> None:
    """Raise ShapeError where samples are codes, of which there is no mean."""
    if x.vocabulary is not None:
        raise ShapeError(f"`{kind}` is for numbers", "samples are codes, such as letters", "remove it")
