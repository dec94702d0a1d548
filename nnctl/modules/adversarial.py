"""Attacks: small changes of the input that raise the loss the most."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Attack:
    """How inputs are changed, every number by ε at most.

    Without steps it is one of size ε (FGSM); with steps they start at random and are kept within ε (PGD).
    """

    epsilon: float
    steps: int = 0
    step_size: float = 0.0

    def __call__(self, loss: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        """Return changed inputs, detached, at which the loss is larger."""
        x, epsilon = x.detach(), self.epsilon
        if self.steps == 0:
            return x + epsilon * _slope(loss, x).sign()
        there = x + torch.empty_like(x).uniform_(-epsilon, epsilon)
        for _ in range(self.steps):
            there = (there + self.step_size * _slope(loss, there).sign()).clamp(x - epsilon, x + epsilon)
        return there


def pgd(epsilon: float, steps: int | None = None, step_size: float | None = None) -> Attack:
    """Return the attack of so many steps, 10 if not given, whose size is 2.5 ε / steps if not given."""
    count = steps or 10
    return Attack(epsilon, count, step_size or 2.5 * epsilon / count)


def attacked(
    attack: Attack, net: nn.Module, inputs: Mapping[str, Tensor], loss: Callable[[dict[str, Tensor]], Tensor]
) -> dict[str, Tensor]:
    """Return a network's inputs with the one of numbers changed; the others are codes.

    The change is found for the network as it is in evaluation: nothing dropped, running statistics left alone.
    """
    name = next(name for name, x in inputs.items() if x.is_floating_point())
    with _in_evaluation(net):
        worst = attack(lambda x: loss({**inputs, name: x}), inputs[name])
    return {**inputs, name: worst}


def _slope(loss: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        (slope,) = torch.autograd.grad(loss(x), x)
    return slope


@contextmanager
def _in_evaluation(net: nn.Module) -> Iterator[None]:
    modes = [(module, module.training) for module in net.modules()]
    net.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
