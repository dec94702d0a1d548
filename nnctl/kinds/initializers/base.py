"""What an initialiser is: a rule for the first values of one weight or bias."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, TypeAlias

from pydantic import InstanceOf

from nnctl.component.base import Component
from nnctl.component.family import find
from nnctl.component.markers import ReadBy
from nnctl.component.types import Expected, Positive
from nnctl.component.validate import read_component
from nnctl.document.node import Mapping, Node, is_null
from nnctl.errors import Problem

if TYPE_CHECKING:
    import torch

    from nnctl.kinds.layers.base import Activation

Distribution: TypeAlias = Annotated[Literal["normal", "uniform"], Expected("normal or uniform")]
Gain: TypeAlias = Annotated[
    Positive | Literal["auto"], Expected("a number above 0, or auto: that of the next activation")
]


@dataclass(frozen=True, slots=True)
class Fans:
    """The connections into and out of one unit, as the variance formulas count them."""

    into: int
    out: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a weight or bias stands in the network: all that its first values may depend on but chance."""

    fans: Fans
    activation: Activation | None = None
    """The one that follows, past norms, dropout and pooling; None without one."""

    @property
    def gain(self) -> float:
        """The factor of a deviation that keeps the signal's size: the activation's, 1 without one."""
        return 1.0 if self.activation is None else self.activation.gain()

    def chosen(self, gain: float | Literal["auto"]) -> float:
        """Return the gain that a field asks for: its number, or that of the place."""
        return self.gain if gain == "auto" else gain


class Initializer(Component):
    """A component that fills a weight or bias in place."""

    family = "initializers"

    by_module: ClassVar[bool] = False
    """Whether the module's own `reset_parameters` is used in place of `fill` (init: torch)."""

    by_data: ClassVar[bool] = False
    """Whether a batch of the data completes the start, layer after layer, where each has one weight."""

    with_bias: ClassVar[bool] = False
    """Whether NAME alone fills the bias as well, which else starts at 0."""

    def check(self, shape: tuple[int, ...], place: Place) -> None:
        """Raise SpecError where the rule is none for a tensor of this shape, a bias if it has one axis, in its place.

        It is asked before there is a tensor, by `nnctl check` already.
        """

    def mean_square(self, shape: tuple[int, ...], place: Place) -> float | None:
        """Return E[W²] of what `fill` draws, or None where there is no formula: predictions start from it."""
        return None

    def fill(self, tensor: torch.Tensor, place: Place, generator: torch.Generator) -> None:
        """Fill a tensor that `check` lets pass in place: a bias if it has one axis, else a weight.

        All randomness comes from `generator` (on the CPU, as the tensor is). It is not asked of what is `by_module`.
        """
        raise NotImplementedError(f"{self.kind} is `by_module`: it fills no tensor")


@dataclass(frozen=True)
class Init:
    """The initialisers of a layer's weight and bias; None means the next default."""

    weight: Initializer | None = None
    bias: Initializer | None = None


def read_init(node: Node, problems: list[Problem], where: str) -> Init:
    """Return an `init`: NAME or {NAME: {…}} for weights with bias 0, or {weight: …, bias: …}."""
    if isinstance(node, Mapping) and node.entries and set(node.entries) <= {"weight", "bias"}:
        return Init(
            **{
                key: _initializer(entry.node, problems, f"{where}.{key}")
                for key, entry in node.entries.items()
                if not is_null(entry.node)
            }
        )
    weight = _initializer(node, problems, where)
    if weight is not None and weight.with_bias:
        return Init(weight=weight, bias=weight)
    zero = find("initializers", "zero")
    assert zero is not None
    return Init(weight=weight, bias=_checked(zero()))


def _initializer(node: Node, problems: list[Problem], where: str) -> Initializer | None:
    component = read_component("initializers", node, problems, where)
    return None if component is None else _checked(component)


def _checked(component: Component) -> Initializer:
    assert isinstance(component, Initializer)
    return component


InitField: TypeAlias = Annotated[
    InstanceOf[Init] | None, ReadBy(read_init), Expected("an initialiser's name, or {NAME: {…}}")
]
