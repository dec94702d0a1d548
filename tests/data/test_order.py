from __future__ import annotations

import pytest

from nnctl.data.order import batch_slices, epoch_order


def test_an_order_is_a_permutation_of_its_own_for_every_seed_and_epoch() -> None:
    orders = [tuple(epoch_order(50, seed, epoch).tolist()) for seed in (0, 1) for epoch in (1, 2)]
    assert len(set(orders)) == 4
    assert all(sorted(order) == list(range(50)) for order in orders)
    assert orders[0] == tuple(epoch_order(50, 0, 1).tolist())


@pytest.mark.parametrize(
    ("n", "size", "join", "lengths"),
    [
        (10, 5, True, [5, 5]),
        (12, 5, True, [5, 5, 2]),
        (11, 5, True, [5, 6]),
        (11, 5, False, [5, 5, 1]),
        (1, 5, True, [1]),  # there is no batch before it
        (3, 1, True, [1, 2]),
        (4, 9, False, [4]),
    ],
)
def test_batches(n: int, size: int, join: bool, lengths: list[int]) -> None:
    slices = batch_slices(n, size, join)
    assert [len(range(n)[places]) for places in slices] == lengths
    assert [sample for places in slices for sample in range(n)[places]] == list(range(n))
