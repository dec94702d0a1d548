"""The first values of every weight: functions of the spec, its seed and the layer's path alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from nnctl.graph.nodes import Leaf
from nnctl.graph.starts import rules_of
from nnctl.kinds.initializers.base import Init
from nnctl.kinds.layers.base import Activation
from nnctl.randomness import derive


@torch.no_grad()
def initialise(module: nn.Module, leaf: Leaf, default: Init, activation: Activation | None, seed: int) -> None:
    """Set every parameter and buffer of a module that has just come from the meta device.

    `activation` is the one that follows.
    """
    with seeded(derive(seed, "init", leaf.path)):
        for part in module.modules():
            reset = getattr(part, "reset_parameters", None)
            if callable(reset):
                reset()
    for slot, rule, place in rules_of(leaf, default, activation):
        generator = torch.Generator().manual_seed(derive(seed, "init", leaf.path, slot.tensor))
        for block in module.get_parameter(slot.tensor).chunk(slot.parts):
            rule.fill(block, place, generator)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch's CPU generator for a while, and put it back as it was."""
    state = torch.get_rng_state()
    torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        torch.set_rng_state(state)
