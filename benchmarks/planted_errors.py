"""Networks whose gradients are wrong on purpose: mistakes that people make in a backward pass written by hand."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

Change: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""(gradient, the tensor that it belongs to) -> what backward returns in its place."""


class Wrong(torch.autograd.Function):
    """The identity, with another gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, change: Change) -> Tensor:
        """Return the same numbers."""
        ctx.save_for_backward(x)
        ctx.change = change
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        """Return the changed gradient."""
        (x,) = ctx.saved_tensors
        change: Change = ctx.change
        return change(gradients[0], x), None


def _at(index: tuple[int, ...], factor: float) -> Change:
    def change(g: Tensor, _: Tensor) -> Tensor:
        g = g.clone()
        g.view(-1)[index[0] % g.numel()] *= factor
        return g

    return change


def _rows_exchanged(g: Tensor, _: Tensor) -> Tensor:
    order = list(range(len(g)))
    order[0], order[-1] = order[-1], order[0]
    return g[order]


def _entries_exchanged(g: Tensor, _: Tensor) -> Tensor:
    flat = g.flatten().clone()
    flat[[0, -1]] = flat[[-1, 0]]
    return flat.view(g.shape)


def _transposed(g: Tensor, _: Tensor) -> Tensor:
    return g.flatten(1).T.reshape(g.shape) if g.dim() > 1 else g.flip(0)


def _first_row_zero(g: Tensor, _: Tensor) -> Tensor:
    g = g.clone()
    g[0] = 0
    return g


def _jittered(g: Tensor, _: Tensor) -> Tensor:
    noise = torch.randn(g.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return g * (1 + 0.01 * noise.to(g))


def _half(g: Tensor, _: Tensor) -> Tensor:
    scale = 2.0**10 / float(g.abs().max() or 1.0)  # within the range of half precision
    return (g * scale).half().to(g) / scale


PARAMETER: dict[str, Change] = {
    "1% too large": lambda g, _: 1.01 * g,
    "0.1% too small": lambda g, _: 0.999 * g,
    "sign": lambda g, _: -g,
    "twice": lambda g, _: 2 * g,
    "missing 1/B": lambda g, _: 4 * g,
    "1/B twice": lambda g, _: g / 4,
    "detached": lambda g, _: torch.zeros_like(g),
    "transposed": _transposed,
    "one entry twice": _at((0,), 2.0),
    "one entry missing": _at((1,), 0.0),
    "two entries exchanged": _entries_exchanged,
    "rows exchanged": _rows_exchanged,
    "first row missing": _first_row_zero,
    "shifted by one row": lambda g, _: g.roll(1, 0),
    "reversed": lambda g, _: g.flip(tuple(range(g.dim()))),
    "absolute value": lambda g, _: g.abs(),
    "a penalty too many": lambda g, x: g + 0.01 * x,
    "mean taken off": lambda g, _: g - g.mean(),
    "1% noise": _jittered,
    "in half precision": _half,
    "clipped": lambda g, _: g.clamp(-float(g.square().mean().sqrt()), float(g.square().mean().sqrt())),
    "sign alone": lambda g, _: g.sign() * g.abs().mean(),
}
"""Mistakes in the gradient of a weight."""

SIGNAL: dict[str, Change] = {
    "δ 1% too large": lambda g, _: 1.01 * g,
    "δ of one sample missing": _first_row_zero,
    "δ of samples exchanged": _rows_exchanged,
    "δ detached": lambda g, _: torch.zeros_like(g),
    "δ without its negative part": lambda g, _: g.clamp_min(0),
    "derivative of a sigmoid too many": lambda g, y: g * y.sigmoid() * (1 - y.sigmoid()),
    "derivative of a ReLU too many": lambda g, y: g * (y > 0),
}
"""Mistakes in the error signal on its way back through a layer."""

DERIVATIVE = "derivative forgotten"
"""An activation whose derivative is taken for 1."""
NORM = "a term of batch norm's backward dropped"
"""Batch norm differentiated as if the mean were a constant."""


class _Straight(torch.autograd.Function):
    """An activation whose gradient is taken for 1."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor) -> Tensor:
        return y.view_as(y)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0], None


@dataclass(frozen=True)
class Planted:
    """A network with one mistake."""

    mistake: str
    place: str
    """The parameter, or the layer."""
    net: nn.Module


def with_wrong_parameter(net: nn.Module, name: str, change: Change) -> nn.Module:
    """Return a copy of the network in which the gradient of one parameter is changed."""
    net = copy.deepcopy(net)
    path, _, own = name.rpartition(".")
    module = net.get_submodule(path)

    class Changed(type(module)):  # type: ignore[misc]  # the class is known only now
        def forward(self, *arguments: Any, **named: Any) -> Any:
            before = dict(self._parameters)
            self.__dict__[own] = Wrong.apply(self._parameters.pop(own), change)
            try:
                return super().forward(*arguments, **named)
            finally:
                del self.__dict__[own]
                self._parameters.clear()
                self._parameters.update(before)  # in their order

    module.__class__ = Changed
    return net


def with_wrong_signal(net: nn.Module, path: str, change: Change) -> nn.Module:
    """Return a copy of the network in which the gradient that arrives at a layer's output is changed."""
    return _with_output(net, path, lambda x, y: Wrong.apply(y, change))


def with_forgotten_derivative(net: nn.Module, path: str) -> nn.Module:
    """Return a copy of the network in which an activation hands its gradient on as it is."""
    return _with_output(net, path, lambda x, y: _Straight.apply(x, y.detach()))


def with_constant_mean(net: nn.Module, path: str) -> nn.Module:
    """Return a copy of the network in which batch norm's backward leaves out the term of the mean."""

    def change(x: Tensor, y: Tensor) -> Tensor:
        mean = x.mean([axis for axis in range(x.dim()) if axis != 1], keepdim=True)
        shift = mean - mean.detach()  # zero, but for its gradient: it undoes what the mean gives back
        module = net.get_submodule(path)
        gain, eps = module.weight, module.eps
        variance = x.var([axis for axis in range(x.dim()) if axis != 1], correction=0, keepdim=True).detach()
        assert isinstance(gain, Tensor)
        assert isinstance(eps, float)
        return y + shift * gain.detach().view(variance.shape[1], *[1] * (x.dim() - 2)) / (variance + eps).sqrt()

    return _with_output(net, path, change)


def _with_output(net: nn.Module, path: str, change: Callable[[Tensor, Tensor], Tensor]) -> nn.Module:
    net = copy.deepcopy(net)
    module = net.get_submodule(path)

    class Changed(type(module)):  # type: ignore[misc]  # the class is known only now
        def forward(self, x: Tensor, *arguments: Any, **named: Any) -> Tensor:
            return change(x, super().forward(x, *arguments, **named))

    module.__class__ = Changed
    return net


def planted(net: nn.Module, parameters: list[str], layers: list[str]) -> Iterator[Planted]:
    """Yield the network with every mistake, each in one place: in these parameters and layers by turns."""
    for number, (mistake, change) in enumerate(PARAMETER.items()):
        name = parameters[number % len(parameters)]
        yield Planted(mistake, name, with_wrong_parameter(net, name, change))
    for number, (mistake, change) in enumerate(SIGNAL.items()):
        path = layers[number % len(layers)]
        yield Planted(mistake, path, with_wrong_signal(net, path, change))
    smooth = ("Tanh", "Sigmoid", "ReLU", "GELU", "SiLU")
    for path, module in net.named_modules():
        if type(module).__name__ in smooth:
            yield Planted(DERIVATIVE, path, with_forgotten_derivative(net, path))
            break
    for path, module in net.named_modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            yield Planted(NORM, path, with_constant_mean(net, path))
            break
