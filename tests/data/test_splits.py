from __future__ import annotations

import numpy as np
import pytest
import torch

from nnctl.data.splits import apportion, cut, cut_test, with_label_noise
from nnctl.kinds.datasets.base import count_of

LABELS = torch.tensor([0] * 50 + [1] * 30 + [2] * 20)[torch.randperm(100, generator=torch.Generator().manual_seed(1))]


@pytest.mark.parametrize(
    ("part", "samples", "count"),
    [
        (0.1, 50, 5),
        (0.29, 100, 29),  # 28.999999999999996 in binary
        (0.1, 9, 0),  # less than one sample means none
        (0.1, 19, 1),
        (1.0, 7, 7),  # a share of all
        (1, 7, 1),  # one sample
        (0, 7, 0),
        (100, 7, 7),
    ],
)
def test_a_fraction_is_a_share_and_a_whole_number_counts(part: float, samples: int, count: int) -> None:
    assert count_of(part, samples) == count


@pytest.mark.parametrize("count", [0, 1, 10, 33, 99, 100])
def test_a_cut_is_stratified_and_loses_nothing(count: int) -> None:
    parts = cut(LABELS, count, seed=3)
    taken, left = parts.taken.numpy(), parts.left.numpy()
    assert len(taken) == count
    assert np.array_equal(np.sort(np.concatenate([taken, left])), np.arange(100))
    assert np.array_equal(taken, np.sort(taken))
    shares = np.bincount(LABELS.numpy()[taken], minlength=3) - count * np.array([0.5, 0.3, 0.2])
    assert (np.abs(shares) < 1).all()


def test_every_sample_of_a_class_is_equally_likely() -> None:
    hits = np.zeros(100)
    for seed in range(200):
        hits[cut(LABELS, 20, seed).taken.numpy()] += 1
    assert np.abs(hits / 200 - 0.2).max() < 5 * np.sqrt(0.2 * 0.8 / 200)


def test_a_cut_is_a_function_of_its_seed() -> None:
    first, again, other = cut(LABELS, 20, 1).taken, cut(LABELS, 20, 1).taken, cut(LABELS, 20, 2).taken
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_numbers_are_cut_without_classes() -> None:
    parts = cut(torch.randn(41, 1), 8, seed=0)
    assert len(parts.taken) == 8
    assert sorted([*parts.taken.tolist(), *parts.left.tolist()]) == list(range(41))


def test_the_test_takes_a_fifth() -> None:
    assert len(cut_test(LABELS).taken) == 20
    assert len(cut_test(torch.zeros(442, 1)).taken) == 88


@pytest.mark.parametrize(
    ("count", "sizes", "expected"),
    [
        (10, [50, 30, 20], [5, 3, 2]),
        (1, [5, 5], [1, 0]),  # of equal remainders the earlier class comes first
        (2, [1, 1, 8], [0, 0, 2]),
        (7, [3, 3, 3], [3, 2, 2]),
        (4, [0, 4, 4], [0, 2, 2]),
    ],
)
def test_largest_remainders(count: int, sizes: list[int], expected: list[int]) -> None:
    assert apportion(count, torch.tensor(sizes)).tolist() == expected


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_label_noise_redraws_over_all_classes(share: float) -> None:
    labels = torch.arange(40_000) % 4
    noisy = with_label_noise(labels, share, 4, seed=0)
    changed = (noisy != labels).double().mean().item()
    assert changed == pytest.approx(share * 3 / 4, abs=5 * (share / 40_000) ** 0.5)  # a quarter draws its own class
    assert np.allclose(np.bincount(noisy.numpy()) / 40_000, 0.25, atol=0.02)
    assert torch.equal(noisy, with_label_noise(labels, share, 4, seed=0))
    assert share == 0 or not torch.equal(noisy, with_label_noise(labels, share, 4, seed=1))


def test_label_noise_leaves_the_labels_it_was_given_alone() -> None:
    labels = torch.zeros(100, dtype=torch.int64)
    with_label_noise(labels, 1.0, 4, seed=0)
    assert not labels.any()
