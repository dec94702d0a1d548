"""How much of a computed number is rounding: the noise of differences, estimated from a table of them."""

from __future__ import annotations

from math import comb

import torch
from torch import Tensor

POINTS = 8
"""Values that an estimate needs."""
SPACING = 1e-12
"""Between neighbouring points: far above the rounding of a number of order 1, far below any change of slope."""

_HALF_UNIT = torch.finfo(torch.float64).eps * 0.29
"""Standard deviation of a number's own rounding, relative to it: uniform within half a unit either way."""


def noise_level(values: Tensor) -> Tensor:
    """Return the standard deviation of the rounding in each column of `values`, of points in equal steps on a line.

    The k-th differences of a smooth function vanish; those of independent noise have the variance σ²·(2k choose k)
    (Moré & Wild, Estimating Computational Noise, 2011). The largest of k = 2 … 4 is taken, and no less than what
    the number's own last digit makes.
    """
    estimates = [_HALF_UNIT * values.abs().amax(0)]
    table = values.diff(dim=0)
    for order in (2, 3, 4):
        table = table.diff(dim=0)
        estimates.append((table.square().mean(0) / comb(2 * order, order)).sqrt())
    return torch.stack(estimates).amax(0)
