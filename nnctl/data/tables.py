"""Samples from lists of numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor

from nnctl.data.samples import Samples


def table(
    rows: Sequence[Sequence[float]], targets: Sequence[int] | Sequence[Sequence[float]], names: tuple[str, ...] | None
) -> Samples:
    """Return samples of rows of numbers: classes where they have names, else regression."""
    target = torch.tensor(targets, dtype=torch.int64 if names else torch.float32)
    return in_memory(torch.tensor(rows, dtype=torch.float32), target, names)


def in_memory(inputs: Tensor, target: Tensor, names: tuple[str, ...] | None) -> Samples:
    """Return samples of tensors that are in memory."""
    return Samples({"input": inputs}, target, names, digest_of(inputs, target))


def digest_of(*tensors: Tensor) -> str:
    """Return the SHA-256 of the content, type and shape of tensors."""
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(f"{tensor.dtype} {tuple(tensor.shape)};".encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()
