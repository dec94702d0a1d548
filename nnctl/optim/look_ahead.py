"""Optimisers that take the gradient elsewhere than where the weights are."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class LookAhead(Protocol):
    """An optimiser that moves the weights before a step's forward pass; its `step` takes the move back exactly.

    Between two steps the parameters hold the weights themselves: those are what is evaluated and saved.
    """

    def look_ahead(self) -> None:
        """Move the weights to where the next gradient is wanted."""
