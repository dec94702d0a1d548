"""A layer whose weight has rows of a given length."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.func import functional_call


class WeightNorm(nn.Module):
    """The layer with the weight g v / ‖v‖, row by row, where v is the layer's own (Salimans & Kingma, 2016)."""

    def __init__(self, layer: nn.Module, outputs: int, learned: bool) -> None:
        super().__init__()
        self.layer = layer
        self.gain = nn.Parameter(torch.empty(outputs)) if learned else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start with rows of length 1."""
        if self.gain is not None:
            nn.init.ones_(self.gain)

    def used_weight(self) -> Tensor:
        """Return the weight that the layer is given."""
        v = self.layer.weight  # not get_parameter: under functional_call it may be any tensor
        assert isinstance(v, Tensor)
        rows = nn.functional.normalize(v.flatten(1), dim=1)
        if self.gain is not None:
            rows = rows * self.gain[:, None]
        return rows.view_as(v)

    def forward(self, x: Tensor) -> Tensor:
        """Return what the layer makes of `x`."""
        result: Tensor = functional_call(self.layer, {"weight": self.used_weight()}, (x,))
        return result
