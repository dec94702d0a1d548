"""Binary cross-entropy from logits."""

from __future__ import annotations

from nnctl.component.base import Example
from nnctl.kinds.losses._dense import dense
from nnctl.kinds.losses.base import Loss, LossFunction


class BinaryCrossEntropy(Loss):
    """The logistic loss of each output by itself, from logits: the mean over samples and outputs.

    ℓ(z, y) = ζ((1 − 2y) z) with the softplus ζ(a) = log(1 + eᵃ), which never overflows; for targets between 0
    and 1 it is ζ(z) − y z, the same where y is 0 or 1. A single output tells class 1 from class 0; K outputs
    tell each class from all others, with the labels as one-hot vectors. The sigmoid is part of the loss.
    """

    kind = "bce"
    expects = "logits"
    examples = (Example("bce", input=(1,)),)

    def build(self) -> LossFunction:
        """Return torch's stable form, the mean over the batch."""
        from torch.nn.functional import binary_cross_entropy_with_logits

        return lambda output, target: binary_cross_entropy_with_logits(output, dense(output, target))
