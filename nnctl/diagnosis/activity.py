"""Which units of an activation never fire, and how many of its values lie where its slope is lost."""

from __future__ import annotations

import copy
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from nnctl.diagnosis.norms import wide
from nnctl.kinds.layers.shape import Shape

FLAT = 0.05
"""Below this share of the activation's largest slope a value counts as saturated."""

_REACH, _POINTS = 8.0, 129


class Activity:
    """Counts over all batches that pass an activation.

    A unit is a feature of a vector or token, and a channel of an image: a channel is dead where no place of any
    input makes it fire, because one filter serves all places.
    """

    def __init__(self, module: nn.Module, shape: Shape, pointwise: bool) -> None:
        """Watch `module`, whose samples have the shape; only a `pointwise` one has a slope to saturate."""
        self._axis = -1 if shape.tokens else 1
        self._module: nn.Module | None = None
        self._edge: Tensor | None = None
        if pointwise:
            self._module, steepest = _watched(module, shape.dims)
            self._edge = FLAT * steepest
        self._silent: Tensor | None = None
        self._zeros = self._outputs = self._flat = self._values = 0

    def add(self, z: Tensor, output: Tensor) -> None:
        """Take in a batch: what entered the activation and what left it."""
        zero = output.detach() == 0
        by_unit = zero.sum([axis for axis in range(zero.dim()) if axis != self._axis % zero.dim()])
        self._zeros += int(by_unit.sum())
        self._outputs += zero.numel()
        silent = by_unit == zero.numel() // len(by_unit)
        self._silent = silent if self._silent is None else self._silent & silent
        if self._module is not None and self._edge is not None:
            values = wide(z)
            self._module.to(values.device)
            slopes = _slopes(self._module, values)
            self._flat += int((slopes < self._edge.to(slopes.device)).count_nonzero())
            self._values += slopes.numel()

    @property
    def dead(self) -> float | None:
        """Share of units whose output was zero for every input."""
        return None if self._silent is None else float(self._silent.double().mean())

    @property
    def zero(self) -> float | None:
        """Share of values that were zero."""
        return self._zeros / self._outputs if self._outputs else None

    @property
    def saturated(self) -> float | None:
        """Share of values with |f′| below 5% of its largest."""
        return self._flat / self._values if self._values else None


def _slopes(module: nn.Module, z: Tensor) -> Tensor:
    """Return |f′(z)|: each output depends on its own input alone, so the sum's gradient is the derivative."""
    z = z.detach().requires_grad_()
    with torch.enable_grad():
        (slopes,) = torch.autograd.grad(module(z).sum(), z)
    return slopes.abs()


_KNOWN: WeakKeyDictionary[nn.Module, tuple[nn.Module, Tensor]] = WeakKeyDictionary()


def _watched(module: nn.Module, dims: tuple[int, ...]) -> tuple[nn.Module, Tensor]:
    """Return a float64 copy and its largest slope, made once for a module that learns nothing: training looks at it
    again and again."""
    if module in _KNOWN:
        return _KNOWN[module]
    copied = copy.deepcopy(module).double().cpu().eval()
    found = copied, _steepest(copied, dims)
    if next(module.parameters(), None) is None:
        _KNOWN[module] = found
    return found


def _steepest(module: nn.Module, dims: tuple[int, ...]) -> Tensor:
    """Return the largest |f′|, for each unit where slopes are learned: what has none there is steep near 0."""
    points = torch.linspace(-_REACH, _REACH, _POINTS, dtype=torch.float64)
    points = torch.cat((points, torch.tensor([-1e-9, 1e-9], dtype=torch.float64)))  # both sides of a kink
    if next(module.parameters(), None) is None:
        return _slopes(module, points).max()
    steepest = torch.zeros(1, *dims, dtype=torch.float64)
    for point in points.tolist():
        steepest = torch.maximum(steepest, _slopes(module, torch.full_like(steepest, point)))
    return steepest
