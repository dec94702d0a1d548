"""The hinge loss of each class by itself."""

from __future__ import annotations

from nnctl.component.base import Example
from nnctl.kinds.losses._dense import dense
from nnctl.kinds.losses.base import Loss, LossFunction


class Hinge(Loss):
    """Outputs of the true class shall reach 1, all others stay at 0 or below.

    ℓ(z, y) = Σⱼ max(1 − zⱼ, 0) where yⱼ is 1, max(zⱼ, 0) where it is 0, y the one-hot label, or 0 and 1 where the
    output is a single number; the mean over the samples.
    """

    kind = "hinge"
    paper = "Taylor, Burmeister, Xu, Singh, Patel and Goldstein, Training Neural Networks Without Gradients, 2016"
    tasks = frozenset({"classification"})
    examples = (Example("hinge", input=(3,)),)

    def build(self) -> LossFunction:
        """Return the function of (output, target)."""
        import torch
        from torch import Tensor

        def hinge(output: Tensor, target: Tensor) -> Tensor:
            wanted = dense(output, target) > 0.5
            return torch.where(wanted, 1 - output, output).clamp(min=0).sum() / len(output)

        return hinge
