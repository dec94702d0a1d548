"""The sets that come with scikit-learn."""

from __future__ import annotations

import torch

from nnctl.data.samples import Samples
from nnctl.data.tables import in_memory


def read_embedded(name: str, shape: tuple[int, ...], classes: tuple[str, ...] | None) -> Samples:
    """Return all samples of scikit-learn's set `name`: images as uint8, tables as float32."""
    from sklearn import datasets

    found = getattr(datasets, f"load_{name}")()
    inputs = torch.from_numpy(found.data).reshape(-1, *shape)
    inputs = inputs.to(torch.uint8 if len(shape) == 3 else torch.float32)
    target = torch.from_numpy(found.target)
    return in_memory(inputs, target.long() if classes else target.float().reshape(-1, 1), classes)
