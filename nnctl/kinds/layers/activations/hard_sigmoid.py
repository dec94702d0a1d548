"""The hard sigmoid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.layers.base import Activation, Shape

if TYPE_CHECKING:
    from torch import nn


class HardSigmoid(Activation):
    """Squash numbers into 0…1 by three straight lines: f(z) = min(max(z/6 + ½, 0), 1).

    Shape: any -> same
    """

    kind = "hard_sigmoid"
    paper = "Courbariaux, Bengio & David, BinaryConnect, 2015"
    formula = "min(max(z / 6 + ½, 0), 1)"
    derivative = "1/6 where −3 < z < 3, else 0"
    range = "[0, 1]"
    zero_centred = False
    monotone = True
    largest_derivative = "0.1667 where −3 < z < 3"
    saturates = "both sides"
    kinks = (-3.0, 3.0)
    examples = (Example("hard_sigmoid", input=(3, 2)),)

    def value(self, z: float) -> float:
        """Return f(z)."""
        return min(max(z / 6 + 0.5, 0.0), 1.0)

    def gain(self) -> float:
        """Return 1, as torch does for the sigmoid."""
        return 1.0

    def build(self, x: Shape) -> nn.Module:
        """Return the module."""
        from nnctl.modules.hard_sigmoid import HardSigmoid as Module

        return Module()
