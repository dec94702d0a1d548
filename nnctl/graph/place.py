"""Where an entry stands, and what the list around it hands down."""

from __future__ import annotations

from dataclasses import dataclass, field

from nnctl.document.node import UNKNOWN, Node, Unknown
from nnctl.errors import Position
from nnctl.graph.nodes import NOTHING, Signal
from nnctl.graph.scope import Resolver, Scope


@dataclass(frozen=True)
class Context:
    """What a list of layers inherits from the place it stands in."""

    scope: Scope
    tags: dict[str, tuple[str, Signal | None]] = field(default_factory=dict)
    """Label -> the tag's unique name and its value's signal."""
    active: tuple[str, ...] = ()
    """The blocks being expanded, outermost first."""
    notes: tuple[str, ...] = ()
    """The uses of blocks that lead here, for errors."""
    stands_at: Position | None = None
    """Inside a shipped block: the entry that used it, which is the user's own line."""


@dataclass(frozen=True)
class Place:
    """Everything that the expansion of one entry needs to know."""

    path: str
    kind: str
    arguments: Node | None
    position: Position
    signal: Signal | None
    context: Context
    resolver: Resolver

    @property
    def blamed(self) -> Position:
        """Where mistakes of shapes are told: inside a shipped block, at the entry that used it."""
        return self.context.stands_at or self.position


def arriving(signal: Signal | None) -> int | Unknown | None:
    """Return `$in` behind a signal: UNKNOWN where a mistake hides it, None where nothing arrives."""
    if signal is None:
        return UNKNOWN
    return None if signal is NOTHING else signal.shape.features
