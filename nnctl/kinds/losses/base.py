"""What a loss is: a number per batch, the mean over its samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, TypeAlias

from nnctl.component.base import Component
from nnctl.component.types import Expected, NonNegative, Text
from nnctl.kinds.layers.shape import Shape

if TYPE_CHECKING:
    from torch import Tensor, nn

    from nnctl.data.split import Batch
    from nnctl.kinds.layers.base import Layer

Task: TypeAlias = Literal["classification", "regression"]
LossFunction: TypeAlias = "Callable[[Tensor, Tensor], Tensor]"
LossTerm: TypeAlias = "Callable[[Pass], Tensor]"

OUTPUT = "output"
"""The name of the last layer's value among a network's outputs."""


@dataclass(frozen=True, slots=True)
class Pass:
    """One batch sent through the network: all that a term of the objective may look at."""

    net: nn.Module
    batch: Batch
    outputs: Mapping[str, Tensor]
    """The last layer's value as `output`, and tags and heads by name where a term wants any."""
    streams: Mapping[str, Mapping[str, Tensor]]
    """The same of each stream that a term wants, by the stream's name."""

    def target(self, field: str | None) -> Tensor:
        """Return what a loss compares with: the data's target, or where `field` says so one of the inputs."""
        if field in (None, "data.target"):
            return self.batch.target
        name = str(field).removeprefix("data.")
        return self.batch.clean.get(name, self.batch.inputs[name])


class Loss(Component):
    """A term of the objective: (output, target) -> the mean over the samples of the batch."""

    family = "losses"
    common = frozenset({"weight", "at", "target"})

    tasks: ClassVar[frozenset[Task]] = frozenset({"classification", "regression"})
    """The kinds of target the loss can be computed from."""
    expects: ClassVar[Literal["logits", "values"]] = "values"
    """Whether the loss applies the softmax or sigmoid itself: a softmax layer before it is then a mistake."""
    uses_target: ClassVar[bool] = True
    """Whether the loss compares with the target at all."""
    answers: ClassVar[bool] = True
    """Whether the value that the loss takes names a class or predicts the target's numbers; embeddings do not."""
    training_only: ClassVar[bool] = False
    """Whether evaluation leaves the loss out: it is about training, as what aligns two sets or needs gradients."""
    fixes_inputs: ClassVar[bool] = False
    """Whether the inputs are constants of the loss, which has no gradient in them."""

    weight: NonNegative = 1.0
    """Factor of this term in the sum of losses."""
    at: Annotated[Text | None, Expected("the name of a tag or a head")] = None
    """The tag or head whose value the loss takes; the network's output if not given."""
    target: Annotated[Text | None, Expected("data.target, data.input or another data.FIELD")] = None
    """What the value is compared with: `data.target` if not given, `data.input` for autoencoders."""

    @property
    def place(self) -> str:
        """Return the key of the value that the loss takes among the network's outputs."""
        return self.at or OUTPUT

    def streams(self) -> tuple[str, ...]:
        """Return the streams whose outputs the loss needs."""
        return ()

    def check_layers(self, layers: Mapping[str, Layer]) -> None:
        """Raise ShapeError where the network's layers, by path, are not what the loss needs."""

    def check_values(self, x: Shape, classes: int | None, inputs: Mapping[str, Shape]) -> None:
        """Raise ShapeError where the loss cannot be computed from values of shape `x`, for a set of so many `classes`
        (None: it predicts numbers, or it is not known) and the network's `inputs`."""

    def build(self) -> LossFunction:
        """Return the function of (output, target): a scalar tensor, the mean over the batch's samples, without
        `weight`. Class targets are int64 of shape (N,), regression targets float32 of the output's shape."""
        raise NotImplementedError(f"{self.kind} is computed from a whole pass: it has `term` alone")

    def term(self) -> LossTerm:
        """Return the loss as a function of a whole pass, without `weight`; losses that need more than output and
        target say how here."""
        function, place, field = self.build(), self.place, self.target
        return lambda seen: function(seen.outputs[place], seen.target(field))

    def held(self, seen: Pass) -> LossTerm:
        """Return the term with all that its gradient takes for a constant fixed as it is in `seen`.

        Differences of this function are what the gradient is proven by: differences of the term itself would see the
        constants change with the weights.
        """
        return self.term()
