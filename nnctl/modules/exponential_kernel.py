"""The Gaussian kernel of two unit vectors, from their cosine."""

from __future__ import annotations

from torch import Tensor, nn


class ExponentialKernel(nn.Module):
    """exp((2/σ²)(u − 1)): any shape -> same (Mairal, 2016)."""

    def __init__(self, sigma: float) -> None:
        super().__init__()
        self.sigma = sigma

    def extra_repr(self) -> str:
        """Return the width for printing."""
        return f"sigma={self.sigma:g}"

    def forward(self, u: Tensor) -> Tensor:
        """Return the kernel's value for every cosine."""
        return (2 / self.sigma**2 * (u - 1)).exp()
