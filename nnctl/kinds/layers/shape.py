"""The shape of one sample as it travels through a network, and what is said where it does not fit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod


@dataclass(frozen=True, slots=True)
class Shape:
    """One sample's shape, without the batch axis.

    `(features, space…)`: (F,) for vectors, (C, L), (C, H, W), (C, D, H, W) for signals, images and volumes;
    `(tokens, features)` where `tokens` is set. With a `vocabulary` the values are codes, whole numbers below it: (T,)
    for text, () for a single category.
    """

    dims: tuple[int, ...]
    tokens: bool = False
    vocabulary: int | None = None

    @property
    def features(self) -> int:
        """Features of a vector or token, channels of an image; 1 for a single code."""
        if not self.dims:
            return 1
        return self.dims[-1] if self.tokens else self.dims[0]

    @property
    def space(self) -> tuple[int, ...]:
        """The spatial axes: () for vectors and tokens."""
        return () if self.tokens else self.dims[1:]

    @property
    def size(self) -> int:
        """How many numbers one sample has."""
        return prod(self.dims)

    def with_features(self, features: int) -> Shape:
        """Return the same shape with other features."""
        dims = (*self.dims[:-1], features) if self.tokens else (features, *self.dims[1:])
        return replace(self, dims=dims, vocabulary=None)

    def with_space(self, space: tuple[int, ...]) -> Shape:
        """Return the same shape with other spatial axes."""
        return replace(self, dims=(self.dims[0], *space))

    def __str__(self) -> str:
        text = "(" + ", ".join(str(extent) for extent in self.dims) + ("," if len(self.dims) == 1 else "") + ")"
        return f"{text} tokens" if self.tokens else text


class ShapeError(Exception):
    """A layer cannot take the shape that arrives.

    `message` says what is wrong in one line, `detail` gives the numbers, `hint` the likely cure.
    """

    def __init__(self, message: str, detail: str = "", hint: str | None = None) -> None:
        super().__init__(message)
        self.message, self.detail, self.hint = message, detail, hint
