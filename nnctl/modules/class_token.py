"""A learned token before the others."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ClassToken(nn.Module):
    """(N, T, F) -> (N, T + 1, F); the token has a single axis, as biases have: weight decay leaves it alone."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.empty(features))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start at 0."""
        nn.init.zeros_(self.token)

    def forward(self, x: Tensor) -> Tensor:
        """Return the learned token and the others."""
        return torch.cat((self.token.expand(len(x), 1, -1), x), dim=1)
