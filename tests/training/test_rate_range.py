"""The learning-rate range test, on problems whose largest rate is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from nnctl.data.load import load
from nnctl.errors import SpecError, UsageError
from nnctl.graph.build import build_text
from nnctl.training.rate_picture import draw_range
from nnctl.training.rate_range import LEAST, MOST, STEPS, find_rate, read_range, smooth
from tests.cli.conftest import Run
from tests.cli.conftest import nnctl as nnctl  # the fixture

REGRESSION = """
name: rates
data: {dataset: diabetes, validation: 0}
model: {layers: [{linear: 1}]}
train: {epochs: 1, batch_size: all, loss: mse, optimizer: {sgd: {lr: 0.1}}}
"""


def test_the_loss_grows_from_two_over_the_largest_curvature_on() -> None:
    """For least squares gradient descent shrinks every error while rate < 2/λ, and no longer above."""
    graph = build_text(REGRESSION)
    assert graph.spec.data is not None
    x = load(graph.spec.data, 0).train.batch(slice(0, 10_000)).inputs["input"].double().numpy()
    x = np.hstack([x, np.ones((len(x), 1))])
    limit = 2 / np.linalg.eigvalsh(2 * x.T @ x / len(x)).max()
    found = find_rate(graph, "cpu")
    assert found.diverged is not None
    rates, losses = np.array(found.rates), np.array(found.losses)
    rising = rates[1:][(np.diff(losses) > 0)].min()  # the loss of step t is that before its update
    assert rising > limit
    assert found.diverged > rising, "a few steps pass before the steepest direction dominates"
    assert found.proposed < limit
    assert found.proposed > limit / 300
    assert found.rates[0] == LEAST
    assert found.rates[1] / found.rates[0] == pytest.approx((MOST / LEAST) ** (1 / (STEPS - 1)))


def test_smoothing_is_a_weighted_mean() -> None:
    losses = [3.0, 1.0, 4.0, 1.0, 5.0]
    for step in range(1, 6):
        weights = 0.9 ** np.arange(step)[::-1]
        assert smooth(losses)[step - 1] == pytest.approx(float(np.average(losses[:step], weights=weights)))


def test_the_proposal_is_where_the_loss_falls_fastest() -> None:
    rates = [10 ** (-6 + 6 * step / 99) for step in range(100)]
    falling = [2 - 1 / (1 + (1e-3 / rate) ** 2) if rate < 0.3 else 1 + 20 * (rate - 0.3) for rate in rates]
    found = read_range(rates, falling, rates[-1])
    assert 1e-3 < found.proposed < 6e-3, "the middle of the fall, a little later for the smoothing"
    with pytest.raises(UsageError, match="fell at no rate"):
        read_range(rates, [float(step) for step in range(100)], None)


@pytest.mark.parametrize("seed", range(5))
def test_chance_at_the_start_proposes_nothing(seed: int) -> None:
    """Batches that differ by chance, the first one most: a rate at which nothing happens yet is never the steepest."""
    noise = 0.1 * np.random.default_rng(seed).standard_normal(STEPS)
    noise[0] += 0.5
    rates = [LEAST * (MOST / LEAST) ** (step / (STEPS - 1)) for step in range(STEPS)]
    losses = [3 - 2.5 / (1 + (0.01 / rate) ** 2) + extra for rate, extra in zip(rates, noise, strict=True)]
    losses = [loss if rate < 0.5 else 40 * rate for loss, rate in zip(losses, rates, strict=True)]
    assert 3e-3 < read_range(rates, losses, None).proposed < 0.06


def test_the_test_trains_a_copy_and_repeats() -> None:
    graph = build_text(REGRESSION)
    state = torch.get_rng_state()
    assert find_rate(graph, "cpu") == find_rate(graph, "cpu")
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("optimizer", ["lbfgs", "scalable_admm"])
def test_what_finds_its_own_steps_has_no_range(optimizer: str) -> None:
    layers = "[{linear: 8}, relu, {linear: $classes}]"
    text = f"name: a\ndata: {{dataset: iris}}\nmodel: {{layers: {layers}}}\ntrain: {{epochs: 1, batch_size: all, "
    text += f"loss: {{mse: {{form: half_sum}}}}, optimizer: {optimizer}}}"
    with pytest.raises(SpecError, match="finds its own steps"):
        find_rate(build_text(text), "cpu")


def test_the_command_draws_and_overwrites_nothing(nnctl: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_text(REGRESSION)
    first, second = nnctl("train", "a.yaml", "--find-lr", "--json"), nnctl("train", "a.yaml", "--find-lr")
    assert (first.code, second.code) == (0, 0)
    assert first.json["picture"].endswith("checkpoints/rates/learning-rates-1.svg")
    assert Path(first.json["picture"]).read_text() == draw_range("rates", find_rate(build_text(REGRESSION), "cpu"))
    assert "learning-rates-2.svg" in second.out
    assert f"train.optimizer.sgd.lr={first.json['proposed']:g}" in second.out
    assert not list(tmp_path.glob("checkpoints/rates/[0-9]*"))
    assert nnctl("train", "a.yaml", "--find-lr", "--resume").code == 2
