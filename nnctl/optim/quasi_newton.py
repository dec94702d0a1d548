"""Quasi-Newton methods: BFGS and its form of limited memory."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from nnctl.optim.closure import Closure
from nnctl.optim.curvature import bfgs_update, is_curved, two_loop
from nnctl.optim.flat import FlatOptimizer
from nnctl.optim.line_search import Point, Wolfe


class QuasiNewton(FlatOptimizer):
    """Goes along −Hg, H an inverse Hessian made of the pairs s = x′ − x, y = g′ − g of the steps so far.

    Both gradients of a pair are of the same batch. The first step goes along −g and tries min(1, 1/‖g‖₁) of it.
    """

    def descend(self, closure: Closure, x: Tensor, start: Point) -> None:
        """Search along −Hg, and take in the new pair."""
        g = start.gradient
        direction, first = self.direction(g), self.rate
        slope = float(g @ direction)
        if not self.memory or slope >= 0:  # nothing known yet, or lost to rounding
            self.memory.clear()
            direction, first = -g, self.rate * min(1.0, 1 / float(g.abs().sum()))
            slope = -float(g @ g)
        end = self.search(closure, x, replace(start, slope=slope), direction, first)
        s, y = end.t * direction, end.gradient - g
        if end.t == 0:
            self.memory.clear()  # what is known misleads: the next step starts afresh
        elif is_curved(s, y):
            self.remember(s, y)

    @abstractmethod
    def direction(self, gradient: Tensor) -> Tensor:
        """Return −Hg."""

    @abstractmethod
    def remember(self, s: Tensor, y: Tensor) -> None:
        """Take a pair into H."""


class LBFGS(QuasiNewton):
    """H of the newest `history` pairs, never formed; the pairs lie in a ring, `count` of them so far."""

    def __init__(self, groups: list[dict[str, Any]], lr: float, history: int, wolfe: Wolfe) -> None:
        super().__init__(groups, lr, wolfe)
        self.history = history

    def direction(self, gradient: Tensor) -> Tensor:
        """Return −Hg by the two loops."""
        return two_loop(gradient, self._pairs())

    def remember(self, s: Tensor, y: Tensor) -> None:
        """Put the pair in the place of the oldest."""
        memory = self.memory
        if not memory:
            memory["s"], memory["y"] = s.new_zeros(self.history, len(s)), y.new_zeros(self.history, len(y))
            memory["count"] = s.new_zeros(())
        place = int(memory["count"]) % self.history
        memory["s"][place], memory["y"][place] = s, y
        # Counted modulo twice the length: whether the ring is full stays known, and floats never run out of numbers.
        count = int(memory["count"]) + 1
        memory["count"].fill_(count if count < 2 * self.history else self.history)

    def _pairs(self) -> list[tuple[Tensor, Tensor]]:
        if not self.memory:
            return []
        count = int(self.memory["count"])
        order = [n % self.history for n in range(max(0, count - self.history), count)]
        return [(self.memory["s"][n], self.memory["y"][n]) for n in order]


class BFGS(QuasiNewton):
    """H as a whole matrix, which starts as (s·y/y·y)·I with the first pair."""

    def direction(self, gradient: Tensor) -> Tensor:
        """Return −Hg."""
        return -(self.memory["inverse"] @ gradient) if self.memory else -gradient

    def remember(self, s: Tensor, y: Tensor) -> None:
        """Change H so that it maps y to s."""
        inverse = self.memory.get("inverse")
        if inverse is None:
            inverse = torch.eye(len(s), dtype=s.dtype, device=s.device) * ((s @ y) / (y @ y))
        self.memory["inverse"] = bfgs_update(inverse, s, y)
