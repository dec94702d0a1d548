"""A layer whose weight's largest singular value is 1."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.func import functional_call

TINY = 1e-12
"""What a weight of zeros is divided by."""


class SpectralNorm(nn.Module):
    """The layer with the weight W / σ(W), where W is the layer's own (Miyato et al., 2018)."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def used_weight(self) -> Tensor:
        """Return the weight that the layer is given."""
        weight = self.layer.weight  # not get_parameter: under functional_call it may be any tensor
        assert isinstance(weight, Tensor)
        largest: Tensor = torch.linalg.matrix_norm(weight.flatten(1), ord=2)
        return weight / largest.clamp_min(TINY)

    def forward(self, x: Tensor) -> Tensor:
        """Return what the layer makes of `x`."""
        result: Tensor = functional_call(self.layer, {"weight": self.used_weight()}, (x,))
        return result
