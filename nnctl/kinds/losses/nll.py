"""Negative log-likelihood."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.losses._classes import shares
from nnctl.kinds.losses.base import Loss, LossFunction

if TYPE_CHECKING:
    from torch import Tensor


class NegativeLogLikelihood(Loss):
    """Minus the output at the true class, for networks that end with `log_softmax`: ℓ(ŷ, y) = −ŷ_y.

    The mean over the samples; with `log_softmax` before it, it is `cross_entropy` of that layer's input.
    """

    kind = "nll"
    tasks = frozenset({"classification"})
    examples = (Example("nll", input=(3,)),)

    def build(self) -> LossFunction:
        """Return the function of (output, target)."""
        from torch.nn.functional import nll_loss

        def nll(output: Tensor, target: Tensor) -> Tensor:
            if target.is_floating_point():
                return -(shares(output, target) * output).sum() / len(output)
            return nll_loss(output, target)

        return nll
