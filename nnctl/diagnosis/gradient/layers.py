"""Layers by themselves: each one's backward step against differences of its own output.

What vanishes on the way through thirty layers is resolved within one; and where the whole is wrong, this tells whose
backward step is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from nnctl.diagnosis.gradient.beside import beside
from nnctl.diagnosis.gradient.differences import Here
from nnctl.diagnosis.gradient.function import Function
from nnctl.diagnosis.gradient.sweep import Outcome, check_tensors
from nnctl.errors import UsageError
from nnctl.randomness import derive

_COUNT = 4


@dataclass(frozen=True)
class Call:
    """One call of a module, as it happened in a pass."""

    module: nn.Module
    arguments: tuple[Any, ...]
    named: dict[str, Any]


def calls_of(function: Function, module: nn.Module) -> dict[str, Call]:
    """Return the first call of every module below `module`, by path, in the order of calling."""
    found: dict[str, Call] = {}
    with ExitStack() as stack:
        for path, part in module.named_modules():

            def note(part: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any], path: str = path) -> None:
                found.setdefault(path, Call(part, _copied(arguments), _copied(named)))

            stack.callback(part.register_forward_pre_hook(note, with_kwargs=True).remove)
        function.present()
    return found


def innermost(calls: Mapping[str, Call]) -> list[str]:
    """Return the paths of those modules inside of which no other was called."""
    return [path for path in calls if not any(_inside(other, path) for other in calls)]


def owner_of(name: str, calls: Mapping[str, Call]) -> str | None:
    """Return the innermost module that was called and holds the parameter."""
    path = name
    while path:
        path = path.rpartition(".")[0]
        if path in calls:
            return path
    return None


def check_layer(call: Call, seed: int, device: torch.device) -> dict[str, Outcome]:
    """Return what is found for a layer's parameters and inputs under a random error signal.

    Nothing is found of a layer that cannot be called by itself.
    """
    numbers: dict[str, Tensor] = {}
    arguments = tuple(_traced(value, f"input{number or ''}", numbers) for number, value in enumerate(call.arguments))
    named = {key: _traced(value, key, numbers) for key, value in call.named.items()}
    learned = {name: p for name, p in call.module.named_parameters() if p.requires_grad and p.numel()}
    tensors = {**learned, **numbers}
    if not tensors:
        return {}

    def evaluate() -> dict[str, Tensor]:
        result = call.module(*_cloned(arguments), **_cloned(named))
        outputs = [y for y in _tensors(result) if y.is_floating_point()]
        products = [(y * _signal(y, seed, number)).sum() for number, y in enumerate(outputs)]
        return {"signal": torch.stack(products).sum()}

    try:
        function = Function(call.module, evaluate, tensors, device=device, seed=seed)
        check = partial(check_tensors, count=_COUNT, seed=seed)
        found = check(Here.of(function), tensors)
        return found | beside(function, found, seed, check)
    except (UsageError, RuntimeError, TypeError):
        return {}


def _signal(like: Tensor, seed: int, number: int) -> Tensor:
    generator = torch.Generator().manual_seed(derive(seed, "error signal", number))
    return torch.randn(like.shape, generator=generator, dtype=torch.float64).to(like)


def _inside(other: str, path: str) -> bool:
    return other != path and (path == "" or other.startswith(f"{path}."))


def _copied(value: Any) -> Any:
    """Return a value with copies of its tensors, free of the pass that they come from."""
    return _mapped(value, lambda x: x.detach().clone())


def _cloned(value: Any) -> Any:
    """Return a value with copies of its tensors that gradients pass: a layer may work in place."""
    return _mapped(value, lambda x: x.clone())


def _mapped(value: Any, change: Any) -> Any:
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, (tuple, list)):
        return type(value)(_mapped(item, change) for item in value)
    if isinstance(value, dict):
        return {key: _mapped(item, change) for key, item in value.items()}
    return value


def _traced(value: Any, name: str, into: dict[str, Tensor]) -> Any:
    """Note an argument that is a tensor of numbers among those that are checked."""
    if isinstance(value, Tensor) and value.is_floating_point() and value.numel():
        into[name] = value.requires_grad_()
    return value


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from _tensors(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _tensors(item)
