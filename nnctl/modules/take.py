"""One token of a sequence."""

from __future__ import annotations

from torch import Tensor, nn


class Take(nn.Module):
    """The token at `index`: (N, T, F) -> (N, F)."""

    def __init__(self, index: int) -> None:
        super().__init__()
        self.index = index

    def extra_repr(self) -> str:
        """Return the index for printing."""
        return str(self.index)

    def forward(self, x: Tensor) -> Tensor:
        """Return one token of each sample."""
        return x[:, self.index]
