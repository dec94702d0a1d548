"""What the dropouts share: how much is dropped, in torch's words or in the notes'."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from nnctl.component.types import Below1, Keep
from nnctl.kinds.layers.base import Layer, Shape


class Drop(Layer):
    """A layer that drops a share of its input in training."""

    keeps_scale = True

    p: Below1 | None = None
    """Probability that something is dropped."""
    keep: Keep | None = None
    """Probability that something is kept, 1 − p; in place of `p`."""

    @model_validator(mode="after")
    def _check_form(self) -> Self:
        if (self.p is None) == (self.keep is None):
            form = f"`{self.kind}: 0.2` drops a fifth, `{self.kind}: {{keep: 0.8}}` as much"
            raise ValueError(f"`{self.kind}` needs `p` or `keep`, one of them; {form}")
        return self

    @property
    def rate(self) -> float:
        """The probability that something is dropped."""
        if self.p is not None:
            return self.p
        assert self.keep is not None
        return 1 - self.keep

    def output(self, x: Shape) -> Shape:
        """Return the same shape."""
        return x
