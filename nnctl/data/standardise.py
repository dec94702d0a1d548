"""Inputs with mean 0 and deviation 1, per channel or feature, as measured on the training set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod, sqrt

import torch
from torch import Tensor

_AT_ONCE = 1 << 22  # pixels taken as floating-point numbers at a time
_EXACT = 258  # the squares of so many bytes add up to less than 2²⁴: float32 is exact


@dataclass(frozen=True)
class Standardisation:
    """Mean and standard deviation of each feature, or channel (of pixels from 0 to 1): x becomes (x − mean) / std."""

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def of(self, device: torch.device, axes: int) -> Callable[[Tensor], Tensor]:
        """Return the function of raw batches on `device` whose samples have `axes` axes; its result is float32."""
        shape = (-1, *[1] * (axes - 1))
        mean = torch.tensor(self.mean, dtype=torch.float64, device=device).view(shape)
        std = torch.tensor(self.std, dtype=torch.float64, device=device).view(shape)
        scale, shift = (1 / (255 * std)).float(), (-mean / std).float()

        def standardise(raw: Tensor) -> Tensor:
            if raw.dtype == torch.uint8:
                return raw.to(torch.float32).mul_(scale).add_(shift)
            return ((raw.double() - mean) / std).float()  # a mean far larger than the deviation costs digits

        return standardise


def unchanged(features: int) -> Standardisation:
    """Return the standardisation that leaves numbers as they are."""
    return Standardisation((0.0,) * features, (1.0,) * features)


def measure(raw: Tensor, rows: Tensor) -> Standardisation:
    """Return the statistics of the samples `raw[rows]`, (N, F) or (N, C, …).

    What never changes has the deviation 1, so that it becomes 0.
    """
    return _of_bytes(raw, rows) if raw.dtype == torch.uint8 else _of_numbers(raw[rows])


def _of_bytes(raw: Tensor, rows: Tensor) -> Standardisation:
    """Sum whole numbers, so that no digit is lost, in pieces, so that the set need not fit in memory."""
    dtype = torch.float32 if raw.shape[-1] <= _EXACT else torch.float64
    others = [axis for axis in range(raw.dim() - 1) if axis != 1]
    sums = torch.zeros(2, raw.shape[1], dtype=torch.float64)
    for piece in torch.split(rows, max(1, _AT_ONCE // prod(raw.shape[1:]))):
        pixels = raw[piece].to(dtype)
        for total in (sums[0], sums[1]):
            total += pixels.sum(-1).double().sum(others)
            pixels.square_()
    n = len(rows) * prod(raw.shape[2:])
    totals = [(int(first), int(second)) for first, second in sums.T.tolist()]
    deviations = [sqrt(n * second - first**2) / n / 255 for first, second in totals]
    return Standardisation(tuple(first / n / 255 for first, _ in totals), tuple(std or 1.0 for std in deviations))


def _of_numbers(table: Tensor) -> Standardisation:
    columns = table.double().transpose(0, 1).flatten(1)
    std = columns.std(1, correction=0)
    std[columns.amax(1) == columns.amin(1)] = 1.0  # rounding would leave a little more than 0
    return Standardisation(tuple(columns.mean(1).tolist()), tuple(std.tolist()))
