"""Inputs with mean 0 and deviation 1, per channel or feature, as measured on the training set."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from math import prod, sqrt
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from nnctl.checkpoint import Weights
from nnctl.kinds.augmentations.base import Augmentation

Per: TypeAlias = Literal["channel", "feature", "global"]

_AT_ONCE = 1 << 22  # pixels taken as floating-point numbers at a time
_EXACT = 258  # the squares of so many bytes add up to less than 2²⁴: float32 is exact


@dataclass(frozen=True)
class Standardisation:
    """Mean and standard deviation of each feature, or channel (of pixels from 0 to 1): x becomes (x − mean) / std."""

    mean: tuple[float, ...]
    std: tuple[float, ...]
    fill: tuple[float, ...] = ()
    """What stands for missing numbers of each feature, where some may be missing."""

    def except_at(self, features: Collection[int]) -> Standardisation:
        """Return the same with some features left as they are."""
        mean = tuple(0.0 if place in features else value for place, value in enumerate(self.mean))
        std = tuple(1.0 if place in features else value for place, value in enumerate(self.std))
        return replace(self, mean=mean, std=std)

    def of(self, device: torch.device, sample: Sequence[int]) -> Callable[[Tensor], Tensor]:
        """Return the function of raw batches on `device` whose samples have the shape `sample`; its result is float32.

        The statistics are those of each channel or feature, or of each place of an image.
        """
        shape = tuple(sample) if len(self.mean) == prod(sample) else (-1, *[1] * (len(sample) - 1))
        mean = torch.tensor(self.mean, dtype=torch.float64, device=device).view(shape)
        std = torch.tensor(self.std, dtype=torch.float64, device=device).view(shape)
        scale, shift = (1 / (255 * std)).float(), (-mean / std).float()

        def standardise(raw: Tensor) -> Tensor:
            if raw.dtype == torch.uint8:
                return raw.to(torch.float32).mul_(scale).add_(shift)
            return ((raw.double() - mean) / std).float()  # a mean far larger than the deviation costs digits

        return standardise


def recorded(weights: Weights) -> Standardisation:
    """Return the statistics that a checkpoint was trained with."""
    fill = weights.value("fill") if "fill" in weights.metadata else ()
    return Standardisation(tuple(weights.value("mean")), tuple(weights.value("std")), tuple(fill))


def unchanged(features: int) -> Standardisation:
    """Return the standardisation that leaves numbers as they are."""
    return Standardisation((0.0,) * features, (1.0,) * features)


def transformed(raw: Tensor, transforms: Sequence[Augmentation]) -> Tensor:
    """Return raw samples after all transforms."""
    generator = torch.default_generator  # transforms draw nothing
    for transform in transforms:
        raw = transform.apply(raw, generator)
    return raw


def measure(
    raw: Tensor, rows: Tensor, transforms: Sequence[Augmentation] = (), per: Per = "channel"
) -> Standardisation:
    """Return the statistics of the samples `raw[rows]`, (N, F) or (N, C, …), after the transforms.

    One mean and deviation for each channel, or feature of a table; with `per="feature"` for each place of an image,
    with "global" one for all. What never changes has the deviation 1, so that it becomes 0.
    """
    sample = transformed(raw[:1], transforms)[0]
    pieces = torch.split(rows, max(1, _AT_ONCE // sample.numel()))
    samples = (_grouped(transformed(raw[piece], transforms), per) for piece in pieces)
    groups = _of_bytes(samples) if sample.dtype == torch.uint8 else _of_numbers(torch.cat(list(samples)))
    if per == "global":
        return Standardisation(groups.mean * sample.shape[0], groups.std * sample.shape[0])
    return groups


def _grouped(samples: Tensor, per: Per) -> Tensor:
    """Return samples as (N, G, K, W): K rows of W numbers in each group that shares a mean."""
    width = samples.shape[-1] if samples.dim() > 2 else 1
    if per == "global":
        return samples.reshape(len(samples), 1, -1, width)
    if per == "feature":
        return samples.reshape(len(samples), -1, 1, 1)
    return samples.reshape(len(samples), samples.shape[1], -1, width)


def _of_bytes(samples: Iterator[Tensor]) -> Standardisation:
    """Sum whole numbers, so that no digit is lost, in pieces, so that the set need not fit in memory."""
    n, sums = 0, torch.zeros(())
    for piece in samples:
        pixels = piece.to(torch.float32 if piece.shape[3] <= _EXACT else torch.float64)
        n += pixels.shape[0] * pixels.shape[2] * pixels.shape[3]
        first = pixels.sum(3).double().sum((0, 2))
        sums = sums + torch.stack((first, pixels.square_().sum(3).double().sum((0, 2))))
    totals = [(int(first), int(second)) for first, second in sums.T.tolist()]
    deviations = [sqrt(n * second - first**2) / n / 255 for first, second in totals]
    return Standardisation(tuple(first / n / 255 for first, _ in totals), tuple(std or 1.0 for std in deviations))


def _of_numbers(samples: Tensor) -> Standardisation:
    columns = samples.double().transpose(0, 1).flatten(1)
    std = columns.std(1, correction=0)
    std[columns.amax(1) == columns.amin(1)] = 1.0  # rounding would leave a little more than 0
    return Standardisation(tuple(columns.mean(1).tolist()), tuple(std.tolist()))
