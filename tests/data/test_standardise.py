from __future__ import annotations

import numpy as np
import pytest
import torch

from nnctl.data.standardise import Standardisation, measure, unchanged

CPU = torch.device("cpu")


def draw(*shape: int) -> torch.Tensor:
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("shape", [(40, 3, 8, 6), (9, 1, 5, 3001), (700, 3, 64, 64)])
def test_images_as_numpy_says(shape: tuple[int, ...]) -> None:
    raw = draw(*shape)
    rows = torch.arange(0, len(raw), 2)
    found = measure(raw, rows)
    pixels = raw.numpy()[::2].astype(np.float64) / 255
    assert found.mean == pytest.approx(pixels.mean((0, 2, 3)), rel=1e-12)
    assert found.std == pytest.approx(pixels.std((0, 2, 3)), rel=1e-12)


def test_tables_as_numpy_says() -> None:
    table = torch.randn(50, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([1e-4, 1.0, 1e6]) + 2000
    rows = torch.arange(40)
    found = measure(table, rows)
    numbers = table.numpy()[:40].astype(np.float64)
    assert found.mean == pytest.approx(numbers.mean(0), rel=1e-12)
    assert found.std == pytest.approx(numbers.std(0), rel=1e-9)


def test_standardised_images_have_mean_0_and_deviation_1() -> None:
    raw = draw(64, 3, 8, 8)
    batch = measure(raw, torch.arange(64)).of(CPU, raw.shape[1:])(raw)
    assert batch.dtype == torch.float32
    assert torch.allclose(batch.mean((0, 2, 3)), torch.zeros(3), atol=1e-6)
    assert torch.allclose(batch.std((0, 2, 3), correction=0), torch.ones(3), atol=1e-6)


def test_a_mean_far_larger_than_the_deviation_costs_no_digits() -> None:
    years = torch.tensor([[100_000.0], [100_001.0], [100_002.0]])
    found = measure(years, torch.arange(3)).of(CPU, years.shape[1:])(years)
    assert torch.allclose(found.flatten(), torch.tensor([-(1.5**0.5), 0.0, 1.5**0.5]), atol=1e-6)


@pytest.mark.parametrize("raw", [torch.full((7, 2, 3, 3), 9, dtype=torch.uint8), torch.full((7, 2), 0.1)])
def test_what_never_changes_becomes_0(raw: torch.Tensor) -> None:
    found = measure(raw, torch.arange(7))
    assert found.std == (1.0, 1.0)
    assert found.of(CPU, raw.shape[1:])(raw).abs().max() < 1e-7


def test_unchanged_numbers_are_exact() -> None:
    table = torch.randn(20, 4)
    assert torch.equal(unchanged(4).of(CPU, table.shape[1:])(table), table)


def test_images_go_by_the_given_numbers() -> None:
    raw = torch.tensor([[[[0, 255]], [[51, 102]]]], dtype=torch.uint8)
    found = Standardisation((0.5, 0.2), (0.25, 0.1)).of(CPU, raw.shape[1:])(raw)
    assert torch.allclose(found, torch.tensor([[[[-2.0, 2.0]], [[0.0, 2.0]]]]), atol=1e-6)
