"""The modules that hold others: chains, residuals, branches, highways. All computation is in their leaves."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import reduce
from typing import Self, TypeAlias

import torch
from torch import Tensor, nn

from nnctl.graph.nodes import Merge

Inputs: TypeAlias = "Tensor | dict[str, Tensor]"


@dataclass
class Values:
    """Values with a name, as one pass through the network sets them."""

    tags: dict[str, Tensor]
    heads: dict[str, Tensor] = field(default_factory=dict)
    wanted: bool = False
    """Whether side outputs are computed at all."""


@dataclass(frozen=True)
class Run:
    """Send the value through a child."""

    child: str


@dataclass(frozen=True)
class Keep:
    """Name the value."""

    name: str


@dataclass(frozen=True)
class Recall:
    """Go on from a named value, or join it to the present one."""

    name: str
    merge: Merge | None


@dataclass(frozen=True)
class Side:
    """Compute a side output."""

    child: str
    start: str | None
    eval: bool


Operation: TypeAlias = Run | Keep | Recall | Side


def join(values: list[Tensor], merge: Merge, axis: int) -> Tensor:
    """Return values joined: appended along the features, or added or multiplied with axes of size 1 stretched."""
    if merge == "concat":
        return torch.cat(values, axis)
    return reduce(torch.add if merge == "add" else torch.mul, values)


class Chain(nn.Module):
    """Children one after the other, with tags and side outputs between them."""

    def __init__(
        self, children: dict[str, nn.Module], plan: tuple[Operation, ...], feature_axes: dict[str, int]
    ) -> None:
        super().__init__()
        for name, child in children.items():
            self.add_module(name, child)
        self._plan = plan
        self._feature_axes = feature_axes
        self._straight = all(isinstance(operation, Run) for operation in plan)

    def forward(self, x: Tensor, values: Values | None = None) -> Tensor:
        """Return what leaves the last child."""
        if self._straight and values is None:
            for child in self._modules.values():
                assert child is not None
                x = child(x)
            return x
        assert values is not None
        for operation in self._plan:
            x = self._perform(operation, x, values)
        return x

    def _perform(self, operation: Operation, x: Tensor, values: Values) -> Tensor:
        match operation:
            case Run(child):
                return _call(self._modules[child], x, values)
            case Keep(name):
                values.tags[name] = x
                return x
            case Recall(name, None):
                return values.tags[name]
            case Recall(name, merge):
                assert merge is not None
                return join([x, values.tags[name]], merge, self._feature_axes[name])
            case Side(child, start, in_eval):
                if values.wanted and (self.training or in_eval):
                    values.heads[child] = _call(
                        self._modules[child], x if start is None else values.tags[start], values
                    )
                return x


def _call(module: nn.Module | None, x: Tensor, values: Values) -> Tensor:
    assert module is not None
    result: Tensor = module(x, values) if isinstance(module, Holder) else module(x)
    return result


class Residual(nn.Module):
    """body(x) + shortcut(x), or body(x) alone where `plain`."""

    def __init__(self, body: nn.Module, shortcut: nn.Module | None, plain: bool) -> None:
        super().__init__()
        self.body = body
        if shortcut is not None:
            self.shortcut = shortcut
        self._identity = shortcut is None
        self._plain = plain

    def forward(self, x: Tensor, values: Values | None = None) -> Tensor:
        """Return the sum."""
        y: Tensor = self.body(x, values)
        if self._plain:
            return y
        return y + (x if self._identity else self.shortcut(x, values))


class Branches(nn.Module):
    """Paths side by side, joined along the features."""

    def __init__(self, paths: list[nn.Module], merge: Merge, axis: int) -> None:
        super().__init__()
        for number, path in enumerate(paths, start=1):
            self.add_module(f"paths{number}", path)
        self._merge: Merge = merge
        self._axis = axis

    def forward(self, x: Tensor, values: Values | None = None) -> Tensor:
        """Return the joined values."""
        return join([path(x, values) for path in self._modules.values() if path is not None], self._merge, self._axis)


class Highway(nn.Module):
    """y = body(x)·gate(x) + x·(1 − gate(x)) (Srivastava et al., 2015)."""

    def __init__(self, body: nn.Module, gate: nn.Module) -> None:
        super().__init__()
        self.body = body
        self.gate = gate

    def forward(self, x: Tensor, values: Values | None = None) -> Tensor:
        """Return the mixture."""
        return torch.lerp(x, self.body(x, values), self.gate(x, values))


Holder = (Chain, Residual, Branches, Highway)


class Network(Chain):
    """A compiled spec: a plain torch module whose submodules are named by their layers' paths."""

    def __init__(self, chain: Chain, named_values: bool, frozen: Collection[str] = ()) -> None:
        children = {name: child for name, child in chain._modules.items() if child is not None}
        super().__init__(children, chain._plan, chain._feature_axes)
        self._named_values = named_values
        self._frozen = tuple(frozen)
        for path in self._frozen:
            self.get_submodule(path).requires_grad_(False)
        self.train()

    def train(self, mode: bool = True) -> Self:
        """Set the mode of every layer but the frozen ones, which are fixed functions: in training too their norms
        use and keep the running averages, and their dropout is off."""
        super().train(mode)
        for path in self._frozen:
            self.get_submodule(path).eval()
        return self

    def forward(self, x: Inputs, values: Values | None = None) -> Tensor:  # takes fields too
        """Return the last layer's value. `x` is a batch, or one for each field of the data: {"input": …}."""
        if isinstance(x, Tensor) and not self._named_values:
            return super().forward(x)
        return self._run(x, Values({}))

    def outputs(self, x: Inputs) -> dict[str, Tensor]:
        """Return the last layer's value as `output`, and every head's and tag's by its name.

        In eval mode only the heads with `eval: true` are there.
        """
        values = Values({}, wanted=True)
        output = self._run(x, values)
        tags = {name: value for name, value in values.tags.items() if not name.startswith("data.")}
        return {**tags, **values.heads, "output": output}

    def _run(self, x: Inputs, values: Values) -> Tensor:
        fields = {"input": x} if isinstance(x, Tensor) else x
        values.tags.update({f"data.{name}": value for name, value in fields.items()})
        first = fields["input"] if "input" in fields else next(iter(fields.values()))
        return super().forward(first, values)
