"""One split of a data set in memory or mapped from the cache, raw as it was stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor


@dataclass(frozen=True)
class Samples:
    """All samples of a split.

    Images are uint8 (N, C, H, W), tables float32 or float64 (N, F), codes int64 (N, …). Targets are int64 (N,) for
    classes and float32 (N, T) for regression. What comes from the cache is mapped for reading alone: writing into
    it would end the program.
    """

    fields: dict[str, Tensor]
    target: Tensor
    class_names: tuple[str, ...] | None
    digest: str
    """SHA-256 of the content, taken once while decoding."""
    notes: tuple[str, ...] = ()
    """What the user should know, such as images that were skipped."""
    fill: Literal["mean", "median", "most_frequent"] | None = None
    """What of the training samples stands for numbers of a table that are missing, NaN; None where none may be."""
    unscaled: tuple[int, ...] = ()
    """Features of a table that stay as they are, the 0 and 1 of categories."""

    def __len__(self) -> int:
        return len(self.target)
