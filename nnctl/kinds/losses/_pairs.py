"""What losses on embeddings have in common: pairs and triplets, formed within the batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

from nnctl.kinds.layers.shape import Shape, ShapeError
from nnctl.kinds.losses.base import Loss, LossTerm, Task

if TYPE_CHECKING:
    from torch import Tensor

Formed: TypeAlias = Literal["all", "consecutive"]


class OfEmbeddings(Loss):
    """A loss that wants samples of one class near to each other, and others apart."""

    tasks: ClassVar[frozenset[Task]] = frozenset({"classification"})
    answers: ClassVar[bool] = False

    def check_values(self, x: Shape, classes: int | None, inputs: Mapping[str, Shape]) -> None:
        """Refuse sets of one class."""
        if classes == 1:
            message = f"`{self.kind}` sets classes apart, and the data set has a single one"
            raise ShapeError(message, hint="take a set of two classes or more")

    def term(self) -> LossTerm:
        """Return the loss of a pass: samples that were mixed with others count as their own class."""
        function, place = self.build(), self.place
        return lambda seen: function(seen.outputs[place], seen.batch.answer)


def mean_of(values: Tensor, chosen: Tensor) -> Tensor:
    """Return the mean of the chosen values, 0 where none is; it does not wait for the device."""
    return (values * chosen).sum() / chosen.sum().clamp(min=1)


def squared_distances(x: Tensor) -> Tensor:
    """Return ‖xᵢ − xⱼ‖² of all samples, (N, …) -> (N, N)."""
    x = x.flatten(1)
    x = x - x.detach().mean(0)  # fewer digits are lost in the expansion
    squares = x.square().sum(1)
    return (squares.unsqueeze(1) + squares - 2 * x @ x.T).clamp(min=0)
