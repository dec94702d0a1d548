"""A batch's loss as a function of the present weights, for optimisers that evaluate it more than once a step."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn


class Closure:
    """The loss of one batch, the same dropout masks at every call."""

    def __init__(self, loss: Callable[[], Tensor], parameters: Sequence[nn.Parameter]) -> None:
        self._loss, self._parameters = loss, parameters
        self.known: Tensor | None = None
        """The loss at the weights that a step starts with, if its gradients are in the parameters already."""

    def start(self) -> Tensor:
        """Return the loss at the weights that a step starts with, its gradients in the parameters."""
        return self() if self.known is None else self.known

    def __call__(self) -> Tensor:
        """Leave the gradients at the present weights in the parameters; return the loss, detached."""
        for parameter in self._parameters:
            parameter.grad = None
        with torch.enable_grad():
            loss = self._loss()
        torch.autograd.backward(loss)
        return loss.detach()

    def loss(self) -> Tensor:
        """Return the loss with its graph, for products with the Hessian."""
        with torch.enable_grad():
            return self._loss()
