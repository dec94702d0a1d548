"""Sets drawn from a formula."""

from __future__ import annotations

import torch

from nnctl.data.samples import Samples
from nnctl.data.tables import in_memory
from nnctl.kinds.datasets._toy import Toy
from nnctl.kinds.datasets.base import SplitName
from nnctl.randomness import derive


def draw(toy: Toy, split: SplitName, seed: int) -> Samples:
    """Return the points of a split; its classes differ in size by at most one."""
    generator = torch.Generator().manual_seed(derive(seed, toy.kind, split))
    labels = torch.arange(toy.samples) % toy.classes
    centres = toy.centres(labels, generator)
    noise = torch.randn(centres.shape, generator=generator)
    return in_memory(centres + toy.noise * noise, labels, tuple(str(number) for number in range(toy.classes)))
