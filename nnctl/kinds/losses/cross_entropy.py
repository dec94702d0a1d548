"""Softmax cross-entropy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.component.types import Below1
from nnctl.kinds.layers.shape import Shape
from nnctl.kinds.losses._classes import PerClass, check_per_class, on_device, shares
from nnctl.kinds.losses.base import Loss, LossFunction

if TYPE_CHECKING:
    from torch import Tensor


class CrossEntropy(Loss):
    """Minus the log of the probability that the softmax of the output gives to the true class.

    ℓ(z, y) = −Σⱼ wⱼ qⱼ log softmax(z)ⱼ with q = (1 − s) onehot(y) + s/K for smoothing s, K classes and weights w (1
    if not given), computed as log softmax(z)ᵢ = zᵢ − log Σⱼ exp zⱼ; mixed samples bring their shares in place of
    onehot(y). The softmax is part of the loss: the last layer gives logits. The mean is over the samples, weighted or
    not, so that a batch computed in parts is the whole; torch divides by the sum of the batch's weights.
    """

    kind = "cross_entropy"
    paper = "Bridle, 1990; label smoothing: Szegedy et al., Rethinking the Inception Architecture, 2016"
    tasks = frozenset({"classification"})
    expects = "logits"
    examples = (
        Example("cross_entropy", input=(10,)),
        Example("cross_entropy: {label_smoothing: 0.1}", input=(10,)),
        Example("cross_entropy: {weights: [1, 1, 5]}", input=(3,)),
    )

    label_smoothing: Below1 = 0.0
    """Share of the target spread evenly over all classes."""
    weights: PerClass | None = None
    """A factor for each class's samples, in the order of the classes, for sets in which some are rare."""

    def check_values(self, x: Shape, classes: int | None, inputs: Mapping[str, Shape]) -> None:
        """Refuse weights that are not one for each class."""
        if self.weights is not None:
            check_per_class(self.kind, "weights", self.weights, x.features, classes)

    def build(self) -> LossFunction:
        """Return torch's cross-entropy, the mean over the samples."""
        from torch.nn.functional import cross_entropy

        smoothing = self.label_smoothing

        def plain(output: Tensor, target: Tensor) -> Tensor:
            target = shares(output, target) if target.is_floating_point() else target
            return cross_entropy(output, target, label_smoothing=smoothing)

        if self.weights is None:
            return plain
        weights = on_device(self.weights)

        def weighted(output: Tensor, target: Tensor) -> Tensor:
            target = shares(output, target) if target.is_floating_point() else target
            total = cross_entropy(output, target, weights(output), label_smoothing=smoothing, reduction="sum")
            return total / len(output)

        return weighted
