"""A learned vector for each place."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class PositionEmbedding(nn.Module):
    """x plus a learned vector at each place: (N, T, F) -> same."""

    def __init__(self, tokens: int, features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(tokens, features))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start small, as vision transformers do."""
        nn.init.normal_(self.weight, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        """Return the sum."""
        return x + self.weight
