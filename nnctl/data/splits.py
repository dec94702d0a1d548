"""Which samples are for what: pure functions of the targets and a seed.

A set is cut in this order: test, subset, validation, label noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from nnctl.kinds.datasets.base import TEST_SHARE, count_of
from nnctl.randomness import derive


@dataclass(frozen=True)
class Cut:
    """The places of samples, ascending, in two parts of a whole."""

    taken: Tensor
    left: Tensor

    def flipped(self) -> Cut:
        """Return the cut that takes what this one leaves."""
        return Cut(self.left, self.taken)


def cut_test(target: Tensor) -> Cut:
    """Take the fixed 20% for the test, whatever the spec's seed."""
    return cut(target, count_of(TEST_SHARE, len(target)), derive(0, "test"))


def cut(target: Tensor, count: int, seed: int) -> Cut:
    """Take `count` samples at random; classes (int64 targets) keep their shares to within one sample."""
    generator = torch.Generator().manual_seed(seed)
    n = len(target)
    taken = torch.zeros(n, dtype=torch.bool)
    if target.dtype == torch.int64 and n:
        # All samples shuffled, then sorted by class: the first of each class are a random choice of it.
        shuffled = torch.randperm(n, generator=generator)
        by_class = shuffled[torch.argsort(target[shuffled], stable=True)]
        sizes = torch.bincount(target)
        starts = torch.cumsum(sizes, 0) - sizes
        ranks = torch.arange(n) - torch.repeat_interleave(starts, sizes)
        taken[by_class[ranks < torch.repeat_interleave(apportion(count, sizes), sizes)]] = True
    else:
        taken[torch.randperm(n, generator=generator)[:count]] = True
    return Cut(taken.nonzero().flatten(), (~taken).nonzero().flatten())


def apportion(count: int, sizes: Tensor) -> Tensor:
    """Divide `count` among classes in proportion to their sizes, the largest remainders rounded up.

    Of equal remainders the earlier class comes first. The sum is `count` exactly.
    """
    total = int(sizes.sum())
    whole = sizes * count // total
    remainders = sizes * count % total
    first = torch.argsort(remainders, descending=True, stable=True)
    whole[first[: count - int(whole.sum())]] += 1
    return whole


def with_label_noise(labels: Tensor, share: float, classes: int, seed: int) -> Tensor:
    """Return the labels with a share of them redrawn uniformly over all classes, the true one included."""
    generator = torch.Generator().manual_seed(seed)
    places = torch.randperm(len(labels), generator=generator)[: count_of(share, len(labels))]
    noisy = labels.clone()
    noisy[places] = torch.randint(classes, (len(places),), generator=generator)
    return noisy
