"""Optimisers that take the gradient elsewhere than where the weights are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor


@runtime_checkable
class LookAhead(Protocol):
    """An optimiser that moves the weights before a step's forward pass; its `step` takes the move back exactly.

    Between two steps the parameters hold the weights themselves: those are what is evaluated and saved.
    """

    def look_ahead(self) -> None:
        """Move the weights to where the next gradient is wanted."""

    def look_back(self) -> None:
        """Take the move back: what is left to do where a step is given up."""


class LookingAhead(torch.optim.Optimizer, ABC):
    """The moves, and the way back from copies: subtracting what was added would leave a rounding error each step.

    `here` holds each weight's copy. Its memory stays from step to step; its content counts while the weight is `away`.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.here: dict[Tensor, Tensor] = {}
        self.away: set[Tensor] = set()

    @abstractmethod
    def advance(self, weight: Tensor, group: dict[str, Any]) -> None:
        """Move a weight, in place, to where its next gradient is wanted."""

    @torch.no_grad()
    def look_ahead(self) -> None:
        """Move the weights to where the next gradient is wanted: before its first step, a weight stays."""
        self.look_back()
        for group in self.param_groups:
            for weight in group["params"]:
                if self.state.get(weight):
                    if weight not in self.here:
                        self.here[weight] = torch.empty_like(weight)
                    self.here[weight].copy_(weight)
                    self.away.add(weight)
                    self.advance(weight, group)

    @torch.no_grad()
    def look_back(self) -> None:
        """Put the weights back where they were before `look_ahead`; without one, do nothing."""
        self.go_back(list(self.away))

    def go_back(self, weights: Iterable[Tensor]) -> None:
        """Put some weights back."""
        for weight in weights:
            if weight in self.away:
                weight.copy_(self.here[weight])
                self.away.remove(weight)
