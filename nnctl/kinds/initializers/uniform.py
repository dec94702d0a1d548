"""The uniform initialiser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import model_validator

from nnctl.component.base import Example
from nnctl.component.types import Number, Positive
from nnctl.kinds.initializers.base import Initializer, Place

if TYPE_CHECKING:
    import torch


class Uniform(Initializer):
    """Draw from a uniform distribution: W ~ U(−bound, bound), or U(low, high).

    The variance is (high − low)² / 12.
    """

    kind = "uniform"
    examples = (Example("uniform: 0.1"), Example("uniform: {low: 0.0, high: 0.5}"))

    bound: Positive | None = None
    """Largest size of an entry; in place of `low` and `high`."""
    low: Number | None = None
    """Least value."""
    high: Number | None = None
    """Greatest value."""

    @model_validator(mode="after")
    def _check_form(self) -> Self:
        given = [field for field in ("bound", "low", "high") if getattr(self, field) is not None]
        if given not in (["bound"], ["low", "high"]):
            raise ValueError("`uniform` needs `bound`, or `low` and `high` together; write `uniform: 0.1`")
        low, high = self.limits
        if low >= high:
            raise ValueError(f"`low` (={low}) must be below `high` (={high})")
        return self

    @property
    def limits(self) -> tuple[float, float]:
        """The least and the greatest value."""
        if self.bound is not None:
            return -self.bound, self.bound
        assert self.low is not None
        assert self.high is not None
        return self.low, self.high

    def mean_square(self, shape: tuple[int, ...], place: Place) -> float | None:
        """Return ∫ w² dw / (high − low)."""
        low, high = self.limits
        return (high**2 + high * low + low**2) / 3

    def fill(self, tensor: torch.Tensor, place: Place, generator: torch.Generator) -> None:
        """Draw every entry."""
        from torch import nn

        nn.init.uniform_(tensor, *self.limits, generator=generator)
