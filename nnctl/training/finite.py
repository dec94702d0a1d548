"""Where a network's numbers stop being finite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from nnctl.objective import outputs_of

if TYPE_CHECKING:
    from nnctl.data.load import Batch


def all_finite(net: nn.Module) -> bool:
    """Return whether every parameter and running statistic is finite."""
    tensors = [t for t in net.state_dict().values() if t.is_floating_point()]
    return not tensors or bool(torch.stack([t.isfinite().all() for t in tensors]).all())


def first_not_finite(net: nn.Module, batch: Batch | None) -> tuple[str, str] | None:
    """Return the path of the first layer at fault and what is wrong with it, or None where all is finite.

    A layer whose own weights are not finite is named before one whose output is not.
    """
    for name, parameter in net.named_parameters():
        if not parameter.isfinite().all():
            path, _, own = name.rpartition(".")
            return path, f"its {own} is not finite"
    if batch is None:
        return None
    found: list[str] = []

    def look(path: str) -> torch.utils.hooks.RemovableHandle:
        def hook(module: nn.Module, inputs: object, output: object) -> None:
            if not found and isinstance(output, Tensor) and not output.isfinite().all():
                found.append(path)

        handle: torch.utils.hooks.RemovableHandle = modules[path].register_forward_hook(hook)
        return handle

    modules = dict(net.named_modules())
    handles = [look(path) for path in modules if path]
    try:
        with torch.no_grad():
            outputs_of(net, batch, everything=False)
    finally:
        for handle in handles:
            handle.remove()
    return (found[0], "its output is not finite") if found else None
