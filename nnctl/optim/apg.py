"""Accelerated proximal gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor

from nnctl.optim.grouped import gradients_of
from nnctl.optim.look_ahead import LookingAhead

Prox: TypeAlias = Callable[[Tensor, float], Tensor]
"""(tensor, step size) -> tensor."""

_PREVIOUS, _T = "previous", "t"


class AcceleratedProximalGradient(LookingAhead):
    """x_k = prox(y_k − ε∇f(y_k)), where y_k is x_{k−1} and some of the last change on top.

    The parameters hold x between steps, and y while the gradient is taken. A group's `prox` is a list of operators,
    applied one after the other; without it the step is a plain one. Every weight keeps its own t_k: one that has no
    gradient in some step stays as it is.
    """

    def __init__(self, groups: list[dict[str, Any]], lr: float) -> None:
        super().__init__(groups, {"lr": lr, "weight_decay": 0.0, "prox": ()})

    def advance(self, weight: Tensor, group: dict[str, Any]) -> None:
        """Add (t_{k−1} − 1)/t_k (x_{k−1} − x_{k−2})."""
        state = self.state[weight]
        weight.lerp_(state[_PREVIOUS], (1 - state[_T]) / following(state[_T]))

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # the gradients are there already
        """Change every weight that has a gradient, at the point where that was taken."""
        for group in self.param_groups:
            operators: Sequence[Prox] = group["prox"]
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                (gradient,) = gradients_of([weight], group["weight_decay"])
                self._remember(weight)
                weight.add_(gradient, alpha=-group["lr"])
                for prox in operators:
                    weight.copy_(prox(weight, group["lr"]))
        self.look_back()  # weights that have no gradient this time

    def _remember(self, weight: Tensor) -> None:
        """Keep x_{k−1}, which is `here` where the weight is away, and go on to t_k."""
        state = self.state[weight]
        if weight in self.away:
            self.away.remove(weight)
            state[_PREVIOUS], self.here[weight] = self.here[weight], state[_PREVIOUS]
        else:
            state[_PREVIOUS] = weight.clone()
        state[_T] = following(state[_T]) if _T in state else torch.ones((), dtype=weight.dtype, device=weight.device)


def following(t: Tensor) -> Tensor:
    """Return t_{k+1} = (1 + √(1 + 4t_k²))/2."""
    return (1 + (1 + 4 * t * t).sqrt()) / 2
