"""torch's recurrent modules as maps of one tensor to another: the last state that they return besides is dropped."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class RNN(nn.RNN):
    """A plain recurrent layer: (N, T, F) -> (N, T, features)."""

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        """Return the states."""
        return super().forward(x)[0]


class GRU(nn.GRU):
    """A gated recurrent unit: (N, T, F) -> (N, T, features)."""

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        """Return the states."""
        return super().forward(x)[0]


class LSTM(nn.LSTM):
    """A long short-term memory: (N, T, F) -> (N, T, features)."""

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        """Return the states; on a CPU in the weights' own precision, since few CPUs have a LSTM in bf16."""
        if x.is_cpu:
            x = x.to(self.get_parameter("weight_hh_l0").dtype)
        with torch.autocast("cpu", enabled=False):
            return super().forward(x)[0]
