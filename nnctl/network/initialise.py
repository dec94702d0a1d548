"""The first values of every weight: functions of the spec, its seed and the layer's path alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import nn

from nnctl.errors import SpecError
from nnctl.graph.nodes import Leaf
from nnctl.kinds.initializers.base import Init, Place
from nnctl.kinds.layers.base import Activation, Weighted
from nnctl.randomness import derive


@torch.no_grad()
def initialise(module: nn.Module, leaf: Leaf, default: Init, activation: Activation | None, seed: int) -> None:
    """Set every parameter and buffer of a module that has just come from the meta device.

    `activation` is the one that follows. Raises SpecError, with the layer's place, where an initialiser is none for it.
    """
    with seeded(derive(seed, "init", leaf.path)):
        for part in module.modules():
            reset = getattr(part, "reset_parameters", None)
            if callable(reset):
                reset()
    if not isinstance(leaf.layer, Weighted):
        return
    own, tensors = leaf.layer.own_init(), dict(module.named_parameters())
    rules = {"weight": own.weight or default.weight, "bias": own.bias or default.bias}
    for slot in leaf.layer.slots(leaf.input.shape):
        initializer, tensor = rules[slot.role], tensors.get(slot.tensor)
        if initializer is None or initializer.by_module or tensor is None:
            continue
        generator = torch.Generator().manual_seed(derive(seed, "init", leaf.path, slot.tensor))
        place = Place(slot.fans, slot.activation if slot.inner else activation)
        try:
            for block in tensor.chunk(slot.parts):
                initializer.fill(block, place, generator)
        except SpecError as error:
            raise SpecError(
                [replace(problem, position=leaf.position, where=leaf.path) for problem in error.problems]
            ) from None


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch's CPU generator for a while, and put it back as it was."""
    state = torch.get_rng_state()
    torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        torch.set_rng_state(state)
