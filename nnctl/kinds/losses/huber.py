"""Huber's loss."""

from __future__ import annotations

from nnctl.component.base import Example
from nnctl.component.types import Positive
from nnctl.kinds.losses._dense import dense
from nnctl.kinds.losses.base import Loss, LossFunction


class Huber(Loss):
    """The squared error near 0 and the absolute error far out: single outliers do not rule the gradient.

    ℓ = ½e² where |e| ≤ δ, else δ(|e| − ½δ), for e = y − ŷ; the mean over samples and numbers. Divided by δ (`weight`)
    it is torch's smooth L1 loss. Class labels are compared as one-hot vectors, or as 0 and 1 where the output is a
    single number.
    """

    kind = "huber"
    paper = "Huber, Robust Estimation of a Location Parameter, 1964"
    examples = (Example("huber", input=(3,)), Example("huber: {delta: 0.5}", input=(3,)))

    delta: Positive = 1.0
    """The error δ up to which it is squared."""

    def build(self) -> LossFunction:
        """Return the function of (output, target)."""
        from torch.nn.functional import huber_loss

        delta = self.delta
        return lambda output, target: huber_loss(output, dense(output, target), delta=delta)
