"""The samples of one split, handed out in batches that a network can take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nnctl.data.standardise import Standardisation
from nnctl.kinds.augmentations.base import Augmentation
from nnctl.randomness import derive

_READY = 1 << 29
"""Largest standardised copy of a split, in bytes, that is made once and for all rather than batch by batch."""
_AT_ONCE = 4096  # samples standardised at a time: few enough for their raw copies to be small
_DEVICE_SHARE = 0.5
"""Part of an accelerator's free memory that samples may take."""


@dataclass(frozen=True)
class Batch:
    """Some samples: standardised inputs by the name of their field, and the target."""

    inputs: dict[str, Tensor]
    target: Tensor

    @property
    def n(self) -> int:
        """Return how many samples there are."""
        return len(self.target)


class Split:
    """The samples of one split. Batches live on `device`; the samples too where they fit there.

    `inputs` are raw: (N, C, H, W) bytes of images, (N, F) numbers of tables, of which the split has `rows`.
    """

    def __init__(
        self,
        name: str,
        inputs: Tensor,
        rows: Tensor,
        target: Tensor,
        standardisation: Standardisation,
        *,
        device: torch.device,
        augment: Sequence[Augmentation] = (),
        seed: int = 0,
    ) -> None:
        self.name, self.device = name, device
        self.target = target.to(device)
        self._augment, self._seed = tuple(augment), seed
        self._standardise = standardisation.of(device, inputs.dim() - 1)
        self._raw, self._rows = inputs, rows
        self._ready: Tensor | None = None
        self._placed = False

    def _place(self) -> None:
        """Before the first batch, make the standardised copy, or else move the samples to the device, if they fit."""
        self._placed, rows, device = True, self._rows, self.device
        size = len(rows) * self._raw[0].numel()
        if not self._augment and 4 * size <= min(_READY, _free(device)):
            pieces = (self._standardise(self._raw[piece].to(device)) for piece in torch.split(rows, _AT_ONCE))
            self._ready = torch.cat(list(pieces))
        elif device.type != "cpu" and size * self._raw.element_size() <= _free(device):
            self._raw, self._rows = self._raw[rows].to(device), torch.arange(len(rows), device=device)

    def __len__(self) -> int:
        return len(self.target)

    def batch(self, indices: Tensor | slice, *, step: int | None = None) -> Batch:
        """Return the samples at `indices` of the split, augmented where `step`, the optimiser step, is given.

        Augmentation is a function of seed and step: the same call returns the same batch.
        """
        if not self._placed:
            with torch.inference_mode(False):  # what stays here must serve training too
                self._place()
        inputs = self._augmented(indices, step) if self._ready is None else self._select(self._ready, indices)
        return Batch({"input": inputs}, self._select(self.target, indices))

    def _augmented(self, indices: Tensor | slice, step: int | None) -> Tensor:
        raw = self._send(self._raw.index_select(0, self._select(self._rows, indices)))
        if step is not None:
            generator = torch.Generator().manual_seed(derive(self._seed, "augment", step))
            for augmentation in self._augment:
                raw = augmentation.apply(raw, generator)
        return self._standardise(raw)

    def _select(self, values: Tensor, indices: Tensor | slice) -> Tensor:
        """Return some of `values`, on the device that they are on."""
        if isinstance(indices, slice):
            return values[indices]
        return values.index_select(0, indices if values.device.type == "cpu" else self._send(indices))

    def _send(self, tensor: Tensor) -> Tensor:
        """Move a tensor to the device without waiting for what the device is doing."""
        return tensor.to(self.device, non_blocking=self.device.type == "cuda")


def _free(device: torch.device) -> float:
    """Return how many bytes samples may take on a device; what lies in the computer's memory is mapped from disk."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0] * _DEVICE_SHARE
    return float("inf")
