"""An optimiser's memory as named tensors, and back."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

_SEPARATOR = "/"  # no parameter's name has it


def optimizer_tensors(optimizer: torch.optim.Optimizer, net: nn.Module) -> dict[str, Tensor]:
    """Return what the optimiser keeps, each tensor called PARAMETER/KEY."""
    names: dict[Tensor, str] = {parameter: name for name, parameter in net.named_parameters()}
    tensors = {}
    for parameter, kept in optimizer.state.items():
        for key, value in kept.items():
            if isinstance(value, Tensor):
                tensors[f"{names[parameter]}{_SEPARATOR}{key}"] = value
            elif value is not None:
                raise TypeError(f"the optimiser keeps a {type(value).__name__} as `{key}`, which cannot be saved")
    return tensors


def restore_optimizer(optimizer: torch.optim.Optimizer, net: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Give the optimiser back what `optimizer_tensors` returned."""
    names: dict[Tensor, str] = {parameter: name for name, parameter in net.named_parameters()}
    order = [names[parameter] for group in optimizer.param_groups for parameter in group["params"]]
    kept: dict[int, dict[str, Any]] = {}
    for full, tensor in tensors.items():
        name, _, key = full.rpartition(_SEPARATOR)
        kept.setdefault(order.index(name), {})[key] = tensor
    optimizer.load_state_dict({"state": kept, "param_groups": optimizer.state_dict()["param_groups"]})
