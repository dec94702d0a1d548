"""Dropout's identities, over every mask rather than a sample of them."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from tests.components import image, layer, materialise, normal

Array = NDArray[np.float64]
FEATURES = 6
MASKS = [np.array(mask, dtype=np.float64) for mask in product((0, 1), repeat=FEATURES)]


def chance(mask: Array, keep: float) -> float:
    return float(keep ** mask.sum() * (1 - keep) ** (FEATURES - mask.sum()))


def softmax(z: Array) -> Array:
    e = np.exp(z - z.max())
    return np.asarray(e / e.sum())


def test_masks_of_the_layer_are_those_of_the_identities() -> None:
    """Each sample has a mask of its own, of zeros and 1/keep, as likely as `chance` says; nothing happens in eval."""
    module = materialise(layer("dropout: {keep: 0.7}"), image(FEATURES)).train()
    torch.manual_seed(0)
    kept = module(torch.ones(200_000, FEATURES)).double() * 0.7
    assert torch.allclose(kept, kept.round(), atol=1e-6)
    codes = (kept.round() @ torch.tensor([2.0**i for i in range(FEATURES)], dtype=torch.float64)).long()
    found = torch.bincount(codes, minlength=2**FEATURES) / len(codes)
    for mask in MASKS:
        code = int(sum(2**i for i in range(FEATURES) if mask[i]))
        assert float(found[code]) == pytest.approx(chance(mask, 0.7), abs=0.003)
    x = torch.randn(3, FEATURES)
    assert torch.equal(module.eval()(x), x)


def test_the_network_at_test_time_is_the_normalised_geometric_mean_over_all_masks() -> None:
    """With torch's scaling by 1/keep in training and half of the units kept, as for any other rate."""
    weight, bias, x = (normal(*dims, dtype=torch.float64).numpy() for dims in ((4, FEATURES), (4,), (FEATURES,)))
    for keep in (0.5, 0.8):
        log = sum(chance(mask, keep) * np.log(softmax(weight @ (mask * x / keep) + bias)) for mask in MASKS)
        mean = np.exp(log) / np.exp(log).sum()
        module = materialise(layer(f"dropout: {{keep: {keep}}}"), image(FEATURES)).eval()
        whole: Tensor = module(torch.from_numpy(x).unsqueeze(0))[0]
        np.testing.assert_allclose(softmax(weight @ whole.numpy() + bias), mean, rtol=1e-12)


@pytest.mark.parametrize("keep", [0.5, 0.9])
def test_linear_regression_with_dropped_inputs_is_ridge_regression(keep: float) -> None:
    """E‖y − (M∘X)w/p‖² = ‖y − Xw‖² + ((1 − p)/p) Σⱼ(XᵀX)ⱼⱼwⱼ², each row with masks of its own."""
    x, w, y = (
        normal(*dims, seed=n, dtype=torch.float64).numpy() for n, dims in enumerate(((5, FEATURES), (FEATURES,), (5,)))
    )
    expectation = sum(
        chance(mask, keep) * (target - (mask * row / keep) @ w) ** 2
        for row, target in zip(x, y, strict=True)
        for mask in MASKS
    )
    ridge = (1 - keep) / keep * (np.diag(x.T @ x) * w**2).sum()
    assert expectation == pytest.approx(((y - x @ w) ** 2).sum() + ridge, rel=1e-12)


def test_spatial_dropout_drops_whole_channels() -> None:
    module = materialise(layer("spatial_dropout: 0.3"), image(50, 4, 4)).train()
    torch.manual_seed(0)
    kept = module(torch.ones(200, 50, 4, 4)).flatten(2)
    assert torch.equal(kept.amin(2), kept.amax(2))
    assert float((kept.amax(2) > 0).float().mean()) == pytest.approx(0.7, abs=0.02)
    assert float(kept.mean()) == pytest.approx(1, abs=0.03)
