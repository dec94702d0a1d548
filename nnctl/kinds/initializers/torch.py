"""torch's own initialisation."""

from __future__ import annotations

from nnctl.component.base import Example
from nnctl.kinds.initializers.base import Initializer


class Torch(Initializer):
    """Leave every layer as torch starts it: for linear and conv, U(−1/√fan_in, 1/√fan_in), biases too."""

    kind = "torch"
    examples = (Example("torch"),)
    by_module = True
    with_bias = True
