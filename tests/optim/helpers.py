"""Optimisers driven as a training step drives them, on functions of one weight."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nnctl.optim.groups import parameter_groups
from nnctl.optim.look_ahead import LookAhead
from tests.optim.boxes import Array
from tests.recipe.helpers import make


class OneWeight(nn.Module):
    """A weight, and in front of it one without a gradient: optimisers pass it over."""

    def __init__(self, values: Array) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.ones(2, 2, dtype=torch.float64))
        self.weight = nn.Parameter(torch.from_numpy(np.array(values)))


def build(net: nn.Module, kind: str, fields: dict[str, Any]) -> torch.optim.Optimizer:
    component = make("optimizers", kind, **fields)
    built: torch.optim.Optimizer = component.build(parameter_groups(net, component))
    return built


def step(
    optimizer: torch.optim.Optimizer, weight: Tensor, gradient: Callable[[Array], Array], rate: float | None = None
) -> None:
    """Take one step of an optimiser on a function with a gradient in numpy."""
    if isinstance(optimizer, LookAhead):
        optimizer.look_ahead()
    weight.grad = torch.from_numpy(gradient(weight.detach().numpy().copy()))
    if rate is not None:
        for group in optimizer.param_groups:
            group["lr"] = rate
    optimizer.step()
