"""Measures against scikit-learn, and their independence of how batches are gathered."""

from __future__ import annotations

import pytest
import torch
from sklearn import metrics
from torch import Tensor

from nnctl.evaluation import meter as module
from nnctl.evaluation.meter import Meter, Reading, regression_measures

CLASSES, N = 7, 200
SCORES = torch.randn(N, CLASSES, generator=torch.Generator().manual_seed(0))
LABELS = torch.randint(CLASSES, (N,), generator=torch.Generator().manual_seed(1))


def gathered(reading: Reading, output: Tensor, target: Tensor, sizes: list[int], confusion: bool = False) -> Meter:
    meter, begin = Meter(reading, confusion), 0
    for number, size in enumerate(sizes):
        meter.add(torch.tensor(0.1 * number), output[begin : begin + size], target[begin : begin + size])
        begin += size
    return meter


def test_classification() -> None:
    meter = gathered(Reading("classification", CLASSES), SCORES, LABELS, [64, 64, 64, 8], confusion=True)
    result = meter.result()
    named = SCORES.argmax(1)
    assert result["accuracy"] == metrics.accuracy_score(LABELS, named)
    assert result["error"] == pytest.approx(1 - result["accuracy"])
    assert result["top5"] == metrics.top_k_accuracy_score(LABELS, SCORES.numpy(), k=5)
    assert meter.confusion is not None
    assert meter.confusion.tolist() == metrics.confusion_matrix(LABELS, named).tolist()


def test_the_loss_is_the_mean_over_samples() -> None:
    result = gathered(Reading("classification", CLASSES), SCORES, LABELS, [64, 64, 64, 8]).result()
    assert result["loss"] == pytest.approx((64 * 0.0 + 64 * 0.1 + 64 * 0.2 + 8 * 0.3) / 200)


@pytest.mark.parametrize("threshold", [0.0, 0.5])
def test_a_single_output_is_compared_with_the_threshold(threshold: float) -> None:
    output, target = SCORES[:, :1], LABELS % 2
    meter = gathered(Reading("classification", 2, threshold), output, target, [100, 100], confusion=True)
    expected = metrics.accuracy_score(target, (output[:, 0] > threshold).long())
    assert meter.result()["accuracy"] == expected
    assert meter.confusion is not None
    assert meter.confusion.shape == (2, 2)


def test_regression() -> None:
    y, predicted = SCORES[:, :3], SCORES[:, 3:6]
    result = regression_measures(predicted, y)
    assert result["rmse"] == pytest.approx(metrics.mean_squared_error(y, predicted) ** 0.5)
    assert result["mae"] == pytest.approx(metrics.mean_absolute_error(y, predicted))
    assert result["r2"] == pytest.approx(metrics.r2_score(y, predicted))


@pytest.mark.parametrize("predicted", [0.0, 1.0])
def test_r2_of_a_constant_is_scikit_learns(predicted: float) -> None:
    y = torch.ones(5, 1)
    assert regression_measures(torch.full((5, 1), predicted), y)["r2"] == metrics.r2_score(
        y, torch.full((5, 1), predicted)
    )


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_an_epoch_in_two_pieces_measures_as_a_whole(task: str, monkeypatch: pytest.MonkeyPatch) -> None:
    regression = task == "regression"
    reading = Reading("regression") if regression else Reading("classification", CLASSES)
    output, target = (SCORES[:, :2], SCORES[:, 2:4]) if regression else (SCORES, LABELS)
    whole = gathered(reading, output, target, [30] * 6).result()
    monkeypatch.setattr(module, "_FOLD_AT", 300)
    first = gathered(reading, output, target, [30] * 2)
    later = Meter(reading)
    later.restore({key: tensor.clone() for key, tensor in first.state().items()})
    for number in range(2, 6):
        piece = slice(30 * number, 30 * number + 30)
        later.add(torch.tensor(0.1 * number), output[piece], target[piece])
    assert later.result() == whole


def test_an_autoencoder_has_a_loss_alone() -> None:
    assert set(gathered(Reading(None), SCORES, LABELS, [200]).result()) == {"loss"}
