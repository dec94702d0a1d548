"""In which order samples are seen, and how an order is cut into batches."""

from __future__ import annotations

from typing import Literal, TypeAlias

import torch
from torch import Tensor

from nnctl.randomness import derive

Sampling: TypeAlias = Literal["shuffle", "draw"]


def epoch_order(n: int, seed: int, epoch: int, sampling: Sampling = "shuffle") -> Tensor:
    """Return n places among 0 … n − 1 for one epoch: a function of seed and epoch alone.

    With "shuffle" each place comes once; with "draw" each is drawn afresh from all n.
    """
    generator = torch.Generator().manual_seed(derive(seed, "order", epoch))
    if sampling == "draw":
        return torch.randint(n, (n,), generator=generator)
    return torch.randperm(n, generator=generator)


def endless_order(n: int, seed: int, start: int, count: int) -> Tensor:
    """Return `count` places from `start` on in the orders of all epochs, one after the other."""
    pieces = []
    while count > 0:
        epoch, at = divmod(start, n)
        pieces.append(epoch_order(n, seed, epoch)[at : at + count])
        start, count = start + len(pieces[-1]), count - len(pieces[-1])
    return torch.cat(pieces)


def batch_slices(n: int, batch_size: int, join_single: bool) -> list[slice]:
    """Return the places of each batch in an order of `n` samples; the last batch may be smaller.

    With `join_single`, a single sample left over joins the batch before it: batch norm cannot learn from one.
    """
    starts = list(range(0, n, batch_size))
    if join_single and len(starts) > 1 and n - starts[-1] == 1:
        starts.pop()
    return [slice(start, stop) for start, stop in zip(starts, [*starts[1:], n], strict=True)]
