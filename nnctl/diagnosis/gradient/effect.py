"""Where the effect of a tensor ends: a bias before batch norm moves what follows it, and nothing behind the norm."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from nnctl.diagnosis.gradient.directions import signs, unit
from nnctl.diagnosis.gradient.function import Function

_STEP = 1e-2
_NOTHING = 1e-12
"""Relative change of an output that is rounding."""
_FALL = 1e-9
"""By how much the change must fall within one module: where it fades layer by layer, it has not ended."""


@dataclass(frozen=True, slots=True)
class End:
    """Where nothing is left of a tensor's effect."""

    path: str
    """The module behind which nothing is left."""
    share: float
    """What is left of it, beside what came in: rounding."""
    step: float = _STEP


def where_it_ends(function: Function, module: nn.Module, name: str, seed: int) -> End | None:
    """Return the module behind which nothing is left of a move of the tensor; None where something is.

    Its gradient is then exactly 0, by whatever the module does: batch norm takes the mean off, a dead ReLU all.
    """
    tensor = function.tensors[name]
    with _outputs(module) as before:
        function.present()
    with function.moved({name: unit(tensor) * signs(tensor, seed, "effect", name)}, _STEP), _outputs(module) as after:
        function.present()
    if [path for path, _ in before] != [path for path, _ in after]:
        return None  # the network goes other ways there
    changes = [(path, _change(y, z)) for (path, y), (_, z) in zip(before, after, strict=True)]
    started = next((place for place, (path, _) in enumerate(changes) if f"{name}.".startswith(f"{path}.")), None)
    if started is None:
        return None
    moved = [place for place, (_, change) in enumerate(changes) if change > _NOTHING]
    end = max([started - 1, *moved]) + 1
    if end == len(changes):
        return None
    last = changes[end - 1][1] if end > started else _STEP
    path, left = changes[end]
    return End(path, left / last) if left <= _FALL * last else None


@contextmanager
def _outputs(module: nn.Module) -> Iterator[list[tuple[str, Tensor]]]:
    """Collect the outputs of all modules without modules inside, in the order of calling."""
    found: list[tuple[str, Tensor]] = []
    handles = []
    for path, part in module.named_modules():
        if path and not any(True for _ in part.children()):

            def note(_: nn.Module, __: Any, y: Any, path: str = path) -> None:
                if isinstance(y, Tensor):
                    found.append((path, y.detach().clone()))

            handles.append(part.register_forward_hook(note))
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def _change(y: Tensor, z: Tensor) -> float:
    size = float(torch.linalg.vector_norm(y.double()))
    change = float(torch.linalg.vector_norm((z - y).double()))
    return change / size if size else change
