"""Softmax cross-entropy."""

from __future__ import annotations

from nnctl.component.base import Example
from nnctl.component.types import Below1
from nnctl.kinds.losses.base import Loss, LossFunction


class CrossEntropy(Loss):
    """Minus the log of the probability that the softmax of the output gives to the true class.

    ℓ(z, y) = −Σⱼ qⱼ log softmax(z)ⱼ with q = (1 − s) onehot(y) + s/K for smoothing s and K classes, computed as
    log softmax(z)ᵢ = zᵢ − log Σⱼ exp zⱼ. The softmax is part of the loss: the last layer gives logits.
    """

    kind = "cross_entropy"
    paper = "Bridle, 1990; label smoothing: Szegedy et al., Rethinking the Inception Architecture, 2016"
    tasks = frozenset({"classification"})
    expects = "logits"
    examples = (Example("cross_entropy", input=(10,)), Example("cross_entropy: {label_smoothing: 0.1}", input=(10,)))

    label_smoothing: Below1 = 0.0
    """Share of the target spread evenly over all classes."""

    def build(self) -> LossFunction:
        """Return torch's cross-entropy, the mean over the samples."""
        from torch.nn.functional import cross_entropy

        smoothing = self.label_smoothing
        return lambda output, target: cross_entropy(output, target, label_smoothing=smoothing)
