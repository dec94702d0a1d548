"""Mean squared error, in torch's form and in that of the lecture notes."""

from __future__ import annotations

from typing import Annotated, Literal

from nnctl.component.base import Example
from nnctl.component.types import Expected
from nnctl.kinds.losses._dense import dense
from nnctl.kinds.losses.base import Loss, LossFunction


class MeanSquaredError(Loss):
    """The squared distance between output and target.

    mean: ℓ = mean over samples and numbers of (y − ŷ)². half_sum: ℓ = mean over samples of ½‖y − ŷ‖². Class
    labels are compared as one-hot vectors, or as 0 and 1 where the output is a single number.
    """

    kind = "mse"
    examples = (Example("mse", input=(3,)), Example("mse: {form: half_sum}", input=(3,)))

    form: Annotated[Literal["mean", "half_sum"], Expected("mean or half_sum")] = "mean"
    """Mean over all numbers (torch's), or half the sum over a sample's numbers."""

    def build(self) -> LossFunction:
        """Return the function of (output, target)."""
        from torch.nn.functional import mse_loss

        if self.form == "mean":
            return lambda output, target: mse_loss(output, dense(output, target))
        return lambda output, target: mse_loss(output, dense(output, target), reduction="sum") / (2 * len(output))
