"""What a layer is: a component with a shape rule and a cost rule."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from nnctl.component.base import Component
from nnctl.component.types import Name
from nnctl.kinds.initializers.base import Fans, Init, InitField
from nnctl.kinds.layers.shape import Shape, ShapeError

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Activation", "Layer", "OneWeight", "Shape", "ShapeError", "Slot", "Structure", "Weighted", "Window"]


@dataclass(frozen=True, slots=True)
class Window:
    """How far a layer looks and steps, per spatial axis: what receptive fields are computed from."""

    extent: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()
    finer: tuple[int, ...] = ()
    """Places that leave for each that arrives, where the layer enlarges."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One tensor of a layer's module, as an initialiser sees it."""

    tensor: str
    """Its name within the module."""
    role: Literal["weight", "bias"]
    fans: Fans
    shape: tuple[int, ...]
    """Its extents; a bias has a single one."""
    parts: int = 1
    """Blocks of rows that are maps of their own: queries, keys and values; the gates of a recurrent layer."""
    inner: bool = False
    """Whether `activation`, and not what comes after the layer, follows it."""
    activation: Activation | None = None
    """The layer's own activation behind an inner tensor."""


class Layer(Component):
    """A component that maps one tensor to another."""

    family = "layers"
    common = frozenset({"name", "init"})

    keeps_scale: ClassVar[bool] = False
    """Whether initialisation looks past this layer for the activation that sets a gain: norms, dropout, pooling,
    and what only rearranges."""
    is_batch_norm: ClassVar[bool] = False
    """Whether each feature has mean 0 over the batch while training, whatever bias stood before it."""
    takes_codes: ClassVar[bool] = False
    """Whether its input is whole numbers below a vocabulary, and not numbers to reckon with."""

    trained_apart: ClassVar[frozenset[str]] = frozenset()
    """Parameters of the module that its output does not depend on: a loss made for the layer trains them."""

    name: Name | None = None
    """The entry's name in paths, in place of kind and ordinal."""

    @abstractmethod
    def output(self, x: Shape) -> Shape:
        """Return the shape that leaves the layer when `x` arrives. Raises ShapeError where `x` does not fit."""

    def parameters(self, x: Shape) -> int:
        """Return how many learned numbers the layer has."""
        return 0

    def macs(self, x: Shape) -> int:
        """Return the multiply-adds of convolutions and matrix products for one sample."""
        return 0

    def window(self, x: Shape) -> Window:
        """Return extent and stride per spatial axis; no axes means that the layer works point by point."""
        return Window()

    @abstractmethod
    def build(self, x: Shape) -> nn.Module:
        """Return the torch module for the input shape `x`. Every module with parameters or buffers must set
        them in `reset_parameters`, because it is built on the meta device first."""


class Weighted(Layer):
    """A layer whose tensors initialisers fill."""

    init: InitField = None
    """How weight and bias start: NAME, {NAME: {…}} or {weight: …, bias: …}; the model's `init` if not given."""

    @abstractmethod
    def slots(self, x: Shape) -> tuple[Slot, ...]:
        """Return the tensors that initialisers fill."""

    def own_init(self) -> Init:
        """Return the initialisers that come before the model's."""
        return self.init or Init()


class OneWeight(Weighted):
    """A layer that has one weight, and a bias of each feature where its field `bias` is true."""

    @abstractmethod
    def fans(self, x: Shape) -> Fans:
        """Return the inputs and outputs that the weight's variance formula counts."""

    @abstractmethod
    def weight_shape(self, x: Shape) -> tuple[int, ...]:
        """Return the extents of the weight as the module holds it."""

    def slots(self, x: Shape) -> tuple[Slot, ...]:
        """Return weight and bias."""
        fans = self.fans(x)
        weight = Slot("weight", "weight", fans, self.weight_shape(x))
        if not getattr(self, "bias", False):
            return (weight,)
        return weight, Slot("bias", "bias", fans, (self.output(x).features,))


class Activation(Layer):
    """A function applied to every number by itself, or along the features.

    Shape: any -> same
    """

    pointwise: ClassVar[bool] = True
    """Whether each number is changed by itself; the others work along the features."""
    formula: ClassVar[str]
    """The value, of z."""
    derivative: ClassVar[str]
    """The derivative, of z or of the value f; at a kink the one that is used there."""
    range: ClassVar[str]
    """The values it can take, such as "(0, 1)"."""
    zero_centred: ClassVar[bool]
    """Whether its mean over standard normal inputs is 0."""
    monotone: ClassVar[bool]
    """Whether it never falls."""
    largest_derivative: ClassVar[str]
    """The number at the default fields, and where it is taken."""
    saturates: ClassVar[str]
    """Where the derivative goes to zero: "both sides", "left", "right" or "no"."""
    kinks: ClassVar[tuple[float, ...]] = ()
    """Where the derivative jumps, or may."""

    def output(self, x: Shape) -> Shape:
        """Return the same shape."""
        return x

    def value(self, z: float) -> float:
        """Return f(z), for those that change each number by itself: what moments and gains are reckoned from."""
        raise NotImplementedError(f"{self.kind} is not `pointwise`: it has no value of a single number")

    @abstractmethod
    def gain(self) -> float:
        """Return the factor for a weight's deviation that keeps the signal's size behind this activation."""


class Structure(Component):
    """A kind that holds lists of layers, or names a value: the graph expands it, and it computes nothing itself."""

    family = "layers"
    common = frozenset({"name"})

    name: Name | None = None
    """The entry's name in paths, in place of kind and ordinal."""
