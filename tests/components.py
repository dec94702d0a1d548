"""Components made from a line of YAML, and their modules, as the tests need them."""

from __future__ import annotations

from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from nnctl.component.base import Component
from nnctl.component.family import find, names
from nnctl.component.validate import read_component
from nnctl.document.reader import read_value
from nnctl.kinds.initializers.base import Initializer
from nnctl.kinds.layers.base import Activation, Layer, Shape

C = TypeVar("C", bound=Component)


def parse(family: str, text: str) -> Component:
    """Return the component of one entry, read by nnctl's own reader."""
    problems: list[Any] = []
    found = read_component(family, read_value(text, 1, problems), problems, family)
    assert problems == []
    assert found is not None
    return found


def component(base: type[C], text: str) -> C:
    """Return the component of one entry, of which the base class is known."""
    found = parse(base.family, text)
    assert isinstance(found, base)
    return found


def layer(text: str) -> Layer:
    return component(Layer, text)


def activation(text: str) -> Activation:
    return component(Activation, text)


def initializer(text: str) -> Initializer:
    return component(Initializer, text)


def kinds_of(family: str, base: type[Component]) -> list[str]:
    """Return the kinds of a family whose class derives from `base`."""
    found = []
    for kind in names(family):
        cls = find(family, kind)
        assert cls is not None
        if issubclass(cls, base):
            found.append(kind)
    return found


def image(*dims: int) -> Shape:
    return Shape(dims)


def tokens(*dims: int) -> Shape:
    return Shape(dims, tokens=True)


def materialise(component: Layer, x: Shape, seed: int = 0) -> nn.Module:
    """Build on the meta device, fill memory with rubbish, then let every module set its own tensors."""
    with torch.device("meta"):
        module = component.build(x)
    module.to_empty(device="cpu")
    for tensor in (*module.parameters(), *module.buffers()):
        tensor.detach().fill_(torch.nan if tensor.is_floating_point() else 99)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for part in module.modules():
            reset = getattr(part, "reset_parameters", None)
            if reset is not None:
                reset()
    return module


def normal(*dims: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(*dims, generator=torch.Generator().manual_seed(seed), dtype=dtype)
