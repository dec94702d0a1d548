"""Focal loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

from nnctl.component.base import Example
from nnctl.component.types import Expected, NonNegative
from nnctl.kinds.layers.shape import Shape, ShapeError
from nnctl.kinds.losses._classes import PerClass, check_per_class, on_device, shares
from nnctl.kinds.losses.base import Loss, LossFunction

if TYPE_CHECKING:
    from torch import Tensor


class Focal(Loss):
    """Cross-entropy in which samples that are already classified well count less.

    ℓ = −α_y (1 − p_y)^γ log p_y, the mean over the samples, p_y being the probability of the true class: the softmax
    of K outputs, the sigmoid of a single one, which tells class 1 from class 0. Softmax and sigmoid are part of the
    loss. With γ = 0 and without α it is cross-entropy. A number α weighs class 1 by α and class 0 by 1 − α where
    there is a single output, else all classes alike.
    """

    kind = "focal"
    paper = "Lin et al., Focal Loss for Dense Object Detection, 2017"
    tasks = frozenset({"classification"})
    expects = "logits"
    examples = (
        Example("focal", input=(10,)),
        Example("focal: {gamma: 0.5, alpha: [1, 2, 4]}", input=(3,)),
        Example("focal: {alpha: 0.25}", input=(1,)),
    )

    gamma: NonNegative = 2.0
    """How fast a sample's share falls as the probability of its class rises."""
    alpha: Annotated[
        NonNegative | PerClass | None, Expected("a number of at least 0, or a list of one for each class")
    ] = None
    """Weights of the classes; 1 for each if not given."""

    def check_values(self, x: Shape, classes: int | None, inputs: Mapping[str, Shape]) -> None:
        """Refuse weights that are not one for each class, and for one output a number that leaves class 0 negative."""
        if isinstance(self.alpha, tuple):
            check_per_class(self.kind, "alpha", self.alpha, max(x.features, 2), classes)
        elif self.alpha is not None and self.alpha > 1 and x.features == 1:
            raise ShapeError(f"`alpha` of `focal` is {self.alpha:g}: class 0 would weigh 1 − α", hint="at most 1 here")

    def build(self) -> LossFunction:
        """Return the function of (output, target)."""
        import torch
        from torch.nn.functional import log_softmax, logsigmoid, one_hot

        gamma, alpha = self.gamma, self.alpha
        single = on_device((1 - alpha, alpha) if isinstance(alpha, float) else alpha or (1.0, 1.0))
        several = on_device(alpha if isinstance(alpha, tuple) else (1.0 if alpha is None else alpha,))

        def focal(output: Tensor, target: Tensor) -> Tensor:
            if output.shape[1] == 1:
                logs, weights = torch.cat((logsigmoid(-output), logsigmoid(output)), 1), single(output)
            else:
                logs, weights = log_softmax(output, 1), several(output)
            q = target if target.is_floating_point() else one_hot(target, logs.shape[1])
            # 1 − p from log p, above 0 even where p is 1: there the power of γ < 1 has no slope
            others = (-torch.expm1(logs)).clamp(min=torch.finfo(logs.dtype).tiny)
            return -(shares(logs, q) * weights * others**gamma * logs).sum() / len(output)

        return focal
