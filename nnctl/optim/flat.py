"""Optimisers that see all parameters as one vector and search along lines."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor

from nnctl.optim.closure import Closure
from nnctl.optim.line_search import Point, Wolfe, line_search


class FlatOptimizer(torch.optim.Optimizer, ABC):
    """Goes down along a direction as far as the strong Wolfe conditions ask.

    What is minimised is the closure's loss plus ½λ‖W‖². Values are read, so an accelerator is waited for.
    """

    def __init__(self, groups: list[dict[str, Any]], lr: float, wolfe: Wolfe) -> None:
        super().__init__(groups, {"lr": lr, "weight_decay": 0.0})
        self.wolfe = wolfe
        self._flat = [p for group in self.param_groups for p in group["params"]]
        self._sizes = [p.numel() for p in self._flat]
        decays = [(group["weight_decay"], p) for group in self.param_groups for p in group["params"]]
        self._decay = torch.cat([torch.full_like(p, decay).flatten() for decay, p in decays])

    @torch.no_grad()
    def step(self, closure: Closure) -> Tensor:  # type: ignore[override]  # torch's closure is any function
        """Go from the present weights to the end of one line search; return the loss that the step began with."""
        loss, x = closure.start(), self._gather()
        gradient = self._gradient(x)
        if bool(gradient.any()):
            self.descend(closure, x, Point(0.0, self._value(loss, x), 0.0, gradient))
        return loss

    @abstractmethod
    def descend(self, closure: Closure, x: Tensor, start: Point) -> None:
        """Leave better weights in the parameters; `start.gradient` is the gradient at `x`, not zero."""

    @property
    def rate(self) -> float:
        """The present rate: the first length tried along a direction, in the method's natural unit."""
        rate: float = self.param_groups[0]["lr"]
        return rate

    @property
    def memory(self) -> dict[str, Any]:
        """What is kept from step to step: tensors attached to the first parameter."""
        memory: dict[str, Any] = self.state[self._flat[0]]
        return memory

    def search(self, closure: Closure, x: Tensor, start: Point, direction: Tensor, first: float) -> Point:
        """Move the weights from `x` along the direction, `first` of it being tried first; return where that ended.

        `start` has the slope along the direction; t is 0 where nothing lower was found.
        """

        def phi(t: float) -> Point:
            self._scatter(place := x + t * direction)
            value = self._value(closure(), place)
            gradient = self._gradient(place)
            return Point(t, value, float(gradient @ direction), gradient)

        found = line_search(phi, start, first, self.wolfe)
        self._scatter(x + found.t * direction)
        return found

    def product(self, closure: Closure, damping: float) -> HessianProduct:
        """Return the map v → (∇²f + damping·I)v at the present weights."""
        return HessianProduct(closure, self._flat, self._decay + damping)

    def _gather(self) -> Tensor:
        return torch.cat([p.detach().flatten() for p in self._flat])

    def _scatter(self, x: Tensor) -> None:
        for p, part in zip(self._flat, torch.split(x, self._sizes), strict=True):
            p.copy_(part.view_as(p))

    def _gradient(self, x: Tensor) -> Tensor:
        parts = [torch.zeros_like(p) if p.grad is None else p.grad for p in self._flat]
        return torch.cat([part.flatten() for part in parts]).addcmul_(self._decay, x)

    def _value(self, loss: Tensor, x: Tensor) -> float:
        return float(loss) + 0.5 * float((self._decay * x) @ x)


class HessianProduct:
    """Multiplies by a Hessian without ever forming it: ∇²f v = ∇(∇f·v)."""

    def __init__(self, closure: Closure, parameters: list[Tensor], diagonal: Tensor) -> None:
        with torch.enable_grad():
            gradients = torch.autograd.grad(
                closure.loss(), parameters, create_graph=True, allow_unused=True, materialize_grads=True
            )
            self._gradient = torch.cat([g.flatten() for g in gradients])
        self._parameters, self._diagonal = parameters, diagonal

    def __call__(self, v: Tensor) -> Tensor:
        """Return (∇²f + diagonal)·v."""
        if not self._gradient.requires_grad:  # the loss is linear
            return self._diagonal * v
        products = torch.autograd.grad(
            self._gradient, self._parameters, v, retain_graph=True, allow_unused=True, materialize_grads=True
        )
        return torch.cat([p.flatten() for p in products]) + self._diagonal * v
