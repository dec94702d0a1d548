"""Likeness of features, signs, noise, infinities, underflow and idle weights, each against a reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nnctl.diagnosis.alike import Alike
from nnctl.diagnosis.noise import Noise, one_signed
from nnctl.diagnosis.signals import inspect
from nnctl.diagnosis.spectrum import FEW, MANY, band, jacobian, summary
from nnctl.network.compile import compile_model
from tests.diagnosis.helpers import by_path, net_of, normal, spec_of

X, LABELS = normal(40, 3), torch.arange(40) % 2


def test_the_mean_cosine_over_pairs() -> None:
    rows = normal(7, 2, 3)
    alike = Alike()
    alike.add(rows[:4])
    alike.add(rows[4:])
    flat = rows.flatten(1).numpy()
    unit = flat / np.linalg.norm(flat, axis=1, keepdims=True)
    cosines = unit @ unit.T
    assert alike.cosine == pytest.approx(cosines[~np.eye(7, dtype=bool)].mean(), rel=1e-12)
    assert Alike().cosine is None


def test_cosines_of_numbers_whose_squares_no_type_holds() -> None:
    alike = Alike()
    alike.add(torch.tensor([[1e-30, 0.0], [1e30, 0.0], [0.0, 0.0], [float("inf"), 1.0]], dtype=torch.float64))
    assert alike.cosine == pytest.approx(1.0)


def test_rows_of_zeros_have_no_direction() -> None:
    rows = normal(5, 3).float()
    whole, padded = Alike(), Alike()
    whole.add(rows)
    padded.add(torch.cat((rows, torch.zeros(2, 3))))
    assert padded.cosine == pytest.approx(whole.cosine, rel=1e-12)


def test_units_with_gradients_of_one_sign() -> None:
    gradient = torch.tensor([[1.0, 2.0], [-1.0, 2.0], [0.0, 0.0], [-3.0, 0.0]])
    assert one_signed(gradient) == pytest.approx(2 / 3)
    assert one_signed(torch.zeros(2, 2)) is one_signed(torch.ones(3)) is None


def test_positive_inputs_give_every_unit_gradients_of_one_sign() -> None:
    """For one sample ∂L/∂W = δ xᵀ: with x > 0 each row has the sign of its δ."""
    options: dict[str, Any] = {"loss": "cross_entropy", "batch_size": 1}
    positive = spec_of([{"linear": 5}], X.abs() + 0.1, LABELS, **options)
    assert inspect(positive).layers[0].one_signed == 1.0
    assert (inspect(spec_of([{"linear": 5}], X, LABELS, **options)).layers[0].one_signed or 0.0) < 1.0


def test_the_noise_scale_of_gradients_that_are_known() -> None:
    """g_B = G + e/√B with |G|² = 4 and tr Σ = 50·9: the ratio is 112.5."""
    generator, noise = torch.Generator().manual_seed(3), Noise()
    true = torch.zeros(50, dtype=torch.float64)
    true[0] = 2.0
    for _ in range(400):
        chance = 3 * torch.randn(50, generator=generator, dtype=torch.float64) / 8
        noise.add([true + chance], 64)
    assert noise.scale([0]) == pytest.approx(50 * 9 / 4, rel=0.05)
    assert Noise().scale([0]) is None


def test_the_first_layer_that_is_not_finite_is_named() -> None:
    spec = spec_of([{"linear": 5}, "relu", {"linear": 4}, {"linear": 2}], X, LABELS, loss="cross_entropy")
    net = net_of(spec)
    with torch.no_grad():
        net.get_parameter("linear2.weight")[0, 0] = torch.inf
    result = inspect(net, spec)
    (verdict,) = result.verdicts
    assert (verdict.code, verdict.severity, verdict.path, result.verdict) == ("nonfinite", "fail", "linear2", "fail")
    assert (by_path(result)["relu1"].nonfinite, by_path(result)["linear2"].nonfinite) == (0, 1 / 4)


def test_a_gradient_that_is_not_finite_is_named_although_all_values_are() -> None:
    """The slope of a root at 0 is infinite."""

    class Root(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return (x * (x > 0)).sqrt()

    spec = spec_of([{"linear": 5}, "relu", {"linear": 2}], X, LABELS, loss="cross_entropy")
    net = net_of(spec)
    net.relu1 = Root()
    result = inspect(net, spec)
    (verdict,) = result.verdicts
    assert result.loss == result.loss
    assert (verdict.code, verdict.severity, verdict.path, result.verdict) == ("nonfinite", "fail", "linear1", "fail")


def test_underflow_is_named() -> None:
    """δ of 40 sigmoid layers leaves float32's range of 1e-38, and after that its last digits at 1e-45."""
    layers = [{"repeat": {"times": 75, "layers": [{"linear": 8}, "sigmoid"]}}, {"linear": 2}]
    spec = spec_of(layers, X, LABELS, loss="cross_entropy", model={"init": "xavier"}, batch_size=8)
    net = compile_model(spec)
    with torch.no_grad():
        net.get_parameter("linear1.bias").fill_(0.1)  # no fresh weights: no fix is tried
    result = inspect(net, spec)
    vanishing = next(verdict for verdict in result.verdicts if verdict.code == "vanishing")
    assert vanishing.value == 0.0
    assert "underflow" in vanishing.cause
    assert any(layer.underflow for layer in result.layers)


def test_weights_that_do_not_learn() -> None:
    head = {"head": {"name": "aux", "layers": [{"linear": 2}]}}
    spec = spec_of([{"linear": 4}, head, {"linear": 2}], X, LABELS, loss="cross_entropy", model={"freeze": ["linear1"]})
    result = inspect(spec)
    learning = {path: layer.learning for path, layer in by_path(result).items()}
    assert learning == {"linear1": "frozen", "aux.linear1": "none", "linear2": "learns"}
    assert [(v.code, v.severity, v.path) for v in result.verdicts] == [("unused", "warn", "aux.linear1")]


def test_a_last_layer_that_starts_at_zero_only_delays_the_others() -> None:
    last = {"linear": {"features": 2, "init": "zero"}}
    spec = spec_of([{"linear": 4}, "relu", last], X, LABELS, loss="cross_entropy")
    result = inspect(spec)
    assert result.layers[0].grad_norm == 0
    assert (result.layers[0].learning, result.verdicts) == ("learns", ())


def test_all_weights_zero_never_learn() -> None:
    spec = spec_of([{"linear": 4}, "relu", {"linear": 2}], X, LABELS, loss="cross_entropy", model={"init": "zero"})
    verdict = inspect(spec).verdicts[0]
    assert (verdict.code, verdict.severity) == ("unused", "fail")
    assert verdict.fix == "model.init: kaiming"


@pytest.mark.parametrize("shape", [(6, 4), (4, 6)])
def test_singular_values_against_numpy(shape: tuple[int, int]) -> None:
    matrix = normal(*shape)
    sigma = np.linalg.svd(matrix.numpy(), compute_uv=False)
    p = sigma / sigma.sum()
    found = summary(matrix)
    assert (found.largest, found.smallest) == pytest.approx((sigma[0], sigma[-1]), rel=1e-12)
    assert found.condition == pytest.approx(sigma[0] / sigma[-1], rel=1e-10)
    assert found.stable_rank == pytest.approx((sigma**2).sum() / sigma[0] ** 2, rel=1e-12)
    assert found.effective_rank == pytest.approx(np.exp(-(p * np.log(p)).sum()), rel=1e-12)
    assert summary(torch.zeros(2, 3)).stable_rank == 0


def test_the_jacobian_of_a_linear_network_is_its_product() -> None:
    net = nn.Sequential(nn.Linear(5, 4, bias=False), nn.Linear(4, 3, bias=False)).double()
    product = net[1].weight @ net[0].weight  # type: ignore[operator]
    sigma = torch.linalg.svdvals(product.detach())
    found = jacobian(net, normal(3, 5), [2.0, 5.0])
    assert (found.own.largest, found.own.smallest) == pytest.approx((float(sigma[0]), float(sigma[-1])), rel=1e-10)
    assert found.samples == 3
    assert found.log10_product_of_norms == pytest.approx(1.0)


def test_spectra_lie_in_the_band_of_their_own_start() -> None:
    result = inspect(spec_of([{"linear": 30}, "relu", {"linear": 2}], X, LABELS, loss="cross_entropy"), spectrum=True)
    spectrum = result.layers[0].spectrum
    assert spectrum is not None
    assert spectrum.start is not None
    assert spectrum.shape == (30, 3)
    assert 0.5 * spectrum.start.low.largest < spectrum.own.largest < 2 * spectrum.start.high.largest
    assert result.jacobian is not None
    assert result.layers[1].spectrum is None


@pytest.mark.parametrize(("draws", "bands"), [(MANY, 3), (FEW, 40)])
def test_a_band_holds_99_in_100_fresh_draws(draws: int, bands: int) -> None:
    """Of all five summaries; a band of few draws strays itself, and holds them on average."""
    generator = torch.Generator().manual_seed(1)

    def drawn(number: int) -> list[Tensor]:
        return list(torch.randn(number, 8, 20, generator=generator, dtype=torch.float64))

    fresh = [summary(matrix) for matrix in drawn(800)]
    found = [band(drawn(draws)) for _ in range(bands)]
    for name in ("largest", "smallest", "condition", "stable_rank", "effective_rank"):
        values = torch.tensor([getattr(one, name) for one in fresh])
        inside = [((values >= getattr(b.low, name)) & (values <= getattr(b.high, name))).double().mean() for b in found]
        assert 0.98 < float(torch.stack(inside).mean()) < 0.999, name
