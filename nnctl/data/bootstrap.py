"""Resamples of the training set, one for each member of an ensemble."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from nnctl.data.split import Batch, Split
from nnctl.randomness import derive


class Bootstrap:
    """A split as several members see it: each its own n draws from the n samples (Efron, 1979)."""

    def __init__(self, split: Split, members: int, seed: int) -> None:
        self.split, self.members = split, members
        self.target = split.target
        generators = (torch.Generator().manual_seed(derive(seed, "bootstrap", number)) for number in range(members))
        self.rows = torch.stack([torch.randint(len(split), (len(split),), generator=one) for one in generators], 1)
        """(N, members): the sample at each place of each resample."""

    def __len__(self) -> int:
        return len(self.split)

    def batch(self, indices: Tensor | slice, *, step: int | None = None) -> Batch:
        """Return each member's samples at the same places of its resample, the members' in turn."""
        batch = self.split.batch(self.rows[indices].flatten(), step=step, members=self.members)
        streams = {name: replace(stream, members=self.members) for name, stream in batch.streams.items()}
        return replace(batch, streams=streams, members=self.members)
