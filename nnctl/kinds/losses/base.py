"""What a loss is: a number per batch, the mean over its samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, TypeAlias

from nnctl.component.base import Component
from nnctl.component.types import Expected, NonNegative, Text

if TYPE_CHECKING:
    from torch import Tensor

Task: TypeAlias = Literal["classification", "regression"]
LossFunction: TypeAlias = "Callable[[Tensor, Tensor], Tensor]"


class Loss(Component):
    """A term of the objective: (output, target) -> the mean over the samples of the batch."""

    family = "losses"
    common = frozenset({"weight", "at", "target"})

    tasks: ClassVar[frozenset[Task]] = frozenset({"classification", "regression"})
    """The kinds of target the loss can be computed from."""
    expects: ClassVar[Literal["logits", "values"]] = "values"
    """Whether the loss applies the softmax or sigmoid itself: a softmax layer before it is then a mistake."""

    weight: NonNegative = 1.0
    """Factor of this term in the sum of losses."""
    at: Annotated[Text | None, Expected("the name of a tag or a head")] = None
    """The tag or head whose value the loss takes; the network's output if not given."""
    target: Annotated[Text | None, Expected("data.target, data.input or another data.FIELD")] = None
    """What the value is compared with: `data.target` if not given, `data.input` for autoencoders."""

    def build(self) -> LossFunction:
        """Return the function of (output, target): a scalar tensor, the mean over the batch's samples, without
        `weight`. Class targets are int64 of shape (N,), regression targets float32 of the output's shape."""
        raise NotImplementedError
