"""The network's output as the loss."""

from __future__ import annotations

from nnctl.component.base import Example
from nnctl.kinds.losses.base import Loss, LossFunction


class Output(Loss):
    """The mean of the output itself; targets are ignored.

    For networks that compute their own objective, and to see the derivative of a function with respect to its
    weights.
    """

    kind = "output"
    uses_target = False
    examples = (Example("output", input=(1,)),)

    def build(self) -> LossFunction:
        """Return the mean over the batch."""
        return lambda output, target: output.mean()
