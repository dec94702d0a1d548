"""The first values of every weight: functions of the spec, its seed and the layer's path alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from nnctl.graph.nodes import Leaf
from nnctl.kinds.initializers.base import Init
from nnctl.kinds.layers.base import Weighted
from nnctl.randomness import derive


@torch.no_grad()
def initialise(module: nn.Module, leaf: Leaf, default: Init, gain: float, seed: int) -> None:
    """Set every parameter and buffer of a module that has just come from the meta device."""
    with seeded(derive(seed, "init", leaf.path)):
        for part in module.modules():
            reset = getattr(part, "reset_parameters", None)
            if callable(reset):
                reset()
    if not isinstance(leaf.layer, Weighted):
        return
    own = leaf.layer.init or Init()
    fans = leaf.layer.fans(leaf.input.shape)
    for name, initializer in (("weight", own.weight or default.weight), ("bias", own.bias or default.bias)):
        tensor = getattr(module, name, None)
        if initializer is None or initializer.by_module or not isinstance(tensor, Tensor):
            continue
        generator = torch.Generator().manual_seed(derive(seed, "init", leaf.path, name))
        initializer.fill(tensor, fans, gain, generator)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch's CPU generator for a while, and put it back as it was."""
    state = torch.get_rng_state()
    torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        torch.set_rng_state(state)
