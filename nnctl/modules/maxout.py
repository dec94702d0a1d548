"""The largest of several linear maps."""

from __future__ import annotations

from torch import Tensor, nn


class Maxout(nn.Linear):
    """max_k (W_k x + b_k): (…, F) -> (…, features); the rows of piece after piece (Goodfellow et al., 2013)."""

    def __init__(self, into: int, features: int, pieces: int) -> None:
        super().__init__(into, features * pieces)
        self.pieces = pieces

    def forward(self, x: Tensor) -> Tensor:
        """Return the largest piece of each feature; the gradient goes to it alone."""
        pieces = super().forward(x)
        return pieces.view(*x.shape[:-1], self.pieces, -1).max(dim=-2).values
