"""A ReLU behind noise whose variance is the input's sigmoid."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class NoisyReLU(nn.Module):
    """max(0, x + N(0, σ(x))) in training, max(0, x) in evaluation: any shape -> same (Nair & Hinton, 2010)."""

    def forward(self, x: Tensor) -> Tensor:
        """Return a sample of every unit; the gradient also goes through the noise's deviation."""
        if self.training:
            x = x + torch.randn_like(x) * x.sigmoid().sqrt()
        return x.relu()
