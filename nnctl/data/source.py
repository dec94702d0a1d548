"""One field of a split: raw values as they were stored, and how they become what a network takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

import torch
from torch import Tensor

from nnctl.data.standardise import Standardisation, transformed
from nnctl.kinds.augmentations.base import Augmentation

_READY = 1 << 29
"""Largest finished copy of a field, in bytes, that is made once and for all rather than batch by batch."""
_AT_ONCE = 4096  # samples finished at a time: few enough for their raw copies to be small
_DEVICE_SHARE = 0.5
"""Part of an accelerator's free memory that samples may take."""


class Source:
    """The values of some `rows` of a field.

    Numbers and bytes of images are standardised; whole numbers (int64) are codes and stay as they are. With `changing`
    values differ from step to step, so that no finished copy can be kept.
    """

    def __init__(
        self,
        raw: Tensor,
        rows: Tensor,
        standardisation: Standardisation | None,
        *,
        device: torch.device,
        transforms: Sequence[Augmentation] = (),
        changing: bool = False,
    ) -> None:
        self.values, self.rows, self.device = raw, rows, device
        self._transforms, self._changing = tuple(transforms), changing
        sample = transformed(raw[:1], self._transforms).shape[1:]
        self.finish: Callable[[Tensor], Tensor] = (
            standardisation.of(device, sample) if standardisation else _as_they_are
        )
        """From transformed raw values on the device to what a network takes."""
        self._ready: Tensor | None = None
        self._placed = False

    def finished(self, indices: Tensor | slice) -> Tensor:
        """Return what a network takes of the samples at `indices`, not augmented."""
        self._place()
        if self._ready is not None:
            return self.select(self._ready, indices)
        return self.finish(self.raw(indices))

    def raw(self, indices: Tensor | slice) -> Tensor:
        """Return the transformed raw values of the samples at `indices`, on the device."""
        self._place()
        return transformed(self._send(self.values.index_select(0, self.select(self.rows, indices))), self._transforms)

    def select(self, values: Tensor, indices: Tensor | slice) -> Tensor:
        """Return some of `values`, on the device that they are on."""
        if isinstance(indices, slice):
            return values[indices]
        return values.index_select(0, indices if values.device.type == "cpu" else self._send(indices))

    def _place(self) -> None:
        """Before the first batch, make the finished copy, or else move the samples to the device, if they fit."""
        if self._placed:
            return
        with torch.inference_mode(False):  # what stays here must serve training too
            self._placed, rows, device = True, self.rows, self.device
            sample = transformed(self.values[:1], self._transforms)
            if not self._changing and len(rows) * prod(sample.shape) * 4 <= min(_READY, _free(device)):
                self._ready = torch.cat([self.finish(piece.to(device)) for piece in self._pieces()])
            elif self._transforms and len(rows) * sample.numel() * sample.element_size() <= min(_READY, _free(device)):
                values = torch.cat([piece.to(device) for piece in self._pieces()])
                self.values, self.rows, self._transforms = values, torch.arange(len(rows), device=device), ()
            elif device.type != "cpu" and len(rows) * self.values[:1].nbytes <= _free(device):
                self.values, self.rows = self.values[rows].to(device), torch.arange(len(rows), device=device)

    def _pieces(self) -> list[Tensor]:
        pieces = torch.split(self.rows, _AT_ONCE)
        return [transformed(self.values[piece], self._transforms) for piece in pieces]

    def _send(self, tensor: Tensor) -> Tensor:
        """Move a tensor to the device without waiting for what the device is doing."""
        return tensor.to(self.device, non_blocking=self.device.type == "cuda")


def _as_they_are(values: Tensor) -> Tensor:
    return values


def _free(device: torch.device) -> float:
    """Return how many bytes samples may take on a device; what lies in the computer's memory is mapped from disk."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0] * _DEVICE_SHARE
    return float("inf")
