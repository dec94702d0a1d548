"""PReLU with slopes along any axis."""

from __future__ import annotations

from torch import Tensor, nn


class PReLU(nn.PReLU):
    """torch's PReLU, which has slopes along the first axis of a sample only, on samples seen as `dims`.

    The slopes keep a single axis whatever they belong to: weight decay tells weights by their axes.
    """

    def __init__(self, slopes: int, start: float, dims: tuple[int, ...]) -> None:
        super().__init__(slopes, start)
        self.dims = dims

    def forward(self, x: Tensor) -> Tensor:
        """Return max(0, x) + γ min(0, x): any shape -> same."""
        return super().forward(x.reshape(-1, *self.dims)).reshape(x.shape)
