"""The graph: the network with every block expanded, every `$` computed and every shape known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

from nnctl.errors import Position
from nnctl.kinds.layers.base import Layer
from nnctl.kinds.layers.shape import Shape

Merge: TypeAlias = Literal["concat", "add", "multiply"]


@dataclass(frozen=True, slots=True)
class Signal:
    """What travels along an edge: a shape, and how far back into the input it reaches."""

    shape: Shape
    reach: tuple[Fraction | int, ...] = ()
    """Receptive field per spatial axis of the input."""
    step: tuple[Fraction | int, ...] = ()
    """Product of the strides so far, per spatial axis of the input; below 1 where the input was enlarged."""
    source: str = "the input"
    """What it comes from, as an error names it."""


NOTHING = Signal(Shape(()), source="nothing")
"""What the network starts with where the data has several fields and none is called `input`."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One layer in its place."""

    path: str
    layer: Layer
    position: Position
    input: Signal
    output: Signal


@dataclass(frozen=True, slots=True)
class Chain:
    """Steps one after the other: the whole network, a block, a turn of a repeat, a body, a path."""

    path: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Residual:
    """body(x) + shortcut(x); without a shortcut (a plain net) body(x) alone."""

    path: str
    body: Chain
    shortcut: Chain | None
    position: Position


@dataclass(frozen=True, slots=True)
class Branches:
    """Paths side by side, joined along the features."""

    path: str
    paths: tuple[Chain, ...]
    merge: Merge
    tokens: bool
    """Whether the values are tokens, whose features are the last axis."""
    position: Position


@dataclass(frozen=True, slots=True)
class Highway:
    """body(x)·gate(x) + x·(1 − gate(x))."""

    path: str
    body: Chain
    gate: Chain
    position: Position


@dataclass(frozen=True, slots=True)
class SetTag:
    """Names the present value. `name` is unique in the network; `label` is what the spec calls it."""

    name: str
    label: str
    signal: Signal


@dataclass(frozen=True, slots=True)
class FromTag:
    """Goes on from a tagged value, or joins it to the present one."""

    name: str
    merge: Merge | None
    position: Position


@dataclass(frozen=True, slots=True)
class Head:
    """A side output."""

    path: str
    name: str
    start: str | None
    """The tag it starts at; None for the present value."""
    chain: Chain
    eval: bool
    output: Signal
    position: Position


Step: TypeAlias = Leaf | Chain | Residual | Branches | Highway | SetTag | FromTag | Head


def inner_chains(step: Step) -> tuple[Chain, ...]:
    """Return the chains directly inside a step, in the order of writing."""
    match step:
        case Chain():
            return (step,)
        case Residual(body=body, shortcut=shortcut):
            return (body,) if shortcut is None else (body, shortcut)
        case Branches(paths=paths):
            return paths
        case Highway(body=body, gate=gate):
            return (body, gate)
        case Head(chain=chain):
            return (chain,)
        case _:
            return ()


def walk(chain: Chain) -> Iterator[Step]:
    """Yield every step, each before those inside it: the order of writing, which is that of `parameters()`."""
    for step in chain.steps:
        yield step
        for inner in inner_chains(step):
            yield from walk(inner)


def leaves(chain: Chain) -> Iterator[Leaf]:
    """Yield every layer, in the order of writing."""
    return (step for step in walk(chain) if isinstance(step, Leaf))


def heads(chain: Chain) -> Iterator[Head]:
    """Yield every head, in the order of writing."""
    return (step for step in walk(chain) if isinstance(step, Head))
