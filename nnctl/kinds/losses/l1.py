"""Mean absolute error."""

from __future__ import annotations

from nnctl.component.base import Example
from nnctl.kinds.losses._dense import dense
from nnctl.kinds.losses.base import Loss, LossFunction


class AbsoluteError(Loss):
    """The mean over samples and numbers of |y − ŷ|.

    Class labels are compared as one-hot vectors, or as 0 and 1 where the output is a single number.
    """

    kind = "l1"
    examples = (Example("l1", input=(3,)),)

    def build(self) -> LossFunction:
        """Return the function of (output, target)."""
        from torch.nn.functional import l1_loss

        return lambda output, target: l1_loss(output, dense(output, target))
