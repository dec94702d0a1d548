"""Random directions in which a tensor is moved."""

from __future__ import annotations

from math import sqrt

import torch
from torch import Tensor

from nnctl.randomness import derive

_SPREAD = sqrt(12 / 13)  # E m² = 13/12 for m uniform from 1/2 to 3/2
_ORDINARY = (1e-3, 1e3)


def signs(like: Tensor, seed: int, *place: str | int) -> Tensor:
    """Return independent numbers of random sign, mean 0 and variance 1, of a tensor's shape, type and device.

    Then E⟨e, u⟩² = ‖e‖²: the differences along a few directions estimate the error of the whole gradient. Sizes are
    spread from 1/2 to 3/2, since plain ±1 cannot see two entries exchanged half of the time: their errors cancel.
    """
    generator = torch.Generator().manual_seed(derive(seed, "direction", *place))
    size = torch.rand(like.shape, generator=generator, dtype=torch.float64) + 0.5
    sign = torch.randint(2, like.shape, generator=generator, dtype=torch.float64) * 2 - 1
    return (_SPREAD * size * sign).to(like)


def unit(tensor: Tensor) -> float:
    """Return what steps of a tensor are measured in: 1, or its own size where that is far from 1."""
    size = float(tensor.detach().square().mean().sqrt())
    return size if size and not _ORDINARY[0] <= size <= _ORDINARY[1] else 1.0
