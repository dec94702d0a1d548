"""What a penalty is: a wish about the weights themselves, whatever the data say."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, TypeAlias

from pydantic import BeforeValidator

from nnctl.component.base import Component
from nnctl.component.types import Count, Expected, NonNegative, Text, as_tuple

if TYPE_CHECKING:
    from torch import Tensor

Prox: TypeAlias = "Callable[[Tensor, float], Tensor]"
"""(weight, step size) -> the weight after a proximal step."""


class Penalty(Component):
    """A component that keeps weights small, few or well-conditioned.

    It applies to every tensor of two axes or more that learns, one by one: no biases, no gains and shifts of norms.
    """

    family = "penalties"
    common = frozenset({"layers", "every"})

    layers: Annotated[tuple[Text, ...], BeforeValidator(as_tuple), Expected("a list of layer paths")] = ()
    """Paths of the layers, or of what holds them, whose weights it applies to; all if not given."""


class Term(Penalty):
    """A penalty with a value, whose gradient is added to the loss's.

    The losses that are logged stay those of the data: they compare across strengths.
    """

    strength: NonNegative
    """Factor λ of the penalty."""

    @abstractmethod
    def value(self, weight: Tensor) -> Tensor:
        """Return the penalty of one weight, a scalar that can be differentiated."""

    def prox(self) -> Prox | None:
        """Return the proximal operator, which optimisers that have a use for it take in place of the gradient."""
        return None


class Constraint(Penalty):
    """A bound that weights are brought back to after optimiser steps."""

    every: Count = 1
    """Optimiser steps between two times that it is applied."""

    @abstractmethod
    def apply(self, weight: Tensor) -> None:
        """Bring one weight back, in place, outside of any gradient."""
