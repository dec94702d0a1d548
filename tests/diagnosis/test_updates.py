"""The step that is really taken, and that nothing of it stays."""

from __future__ import annotations

import copy
from math import cos, pi
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from nnctl.diagnosis.session import session_of
from nnctl.diagnosis.signals import inspect
from nnctl.diagnosis.subject import subject_of
from nnctl.errors import DivergedError
from tests.diagnosis.helpers import by_path, net_of, normal, parameter, spec_of

X, LABELS = normal(16, 3), torch.arange(16) % 2
LAYERS: list[Any] = [{"linear": 5}, "tanh", {"linear": 2}]


def by_hand(net: nn.Module, rule: type[torch.optim.Optimizer], steps: int, **options: Any) -> list[Tensor]:
    """Return the first layer's weight before each step of torch's optimiser and after the last."""
    w1, b1, w2, b2 = (p.detach().clone().requires_grad_() for p in net.parameters())
    optimizer = rule([w1, b1, w2, b2], **options)
    course = [w1.detach().clone()]
    for _ in range(steps):
        optimizer.zero_grad()
        hidden = torch.tanh(functional.linear(X.float().double(), w1, b1))
        functional.cross_entropy(functional.linear(hidden, w2, b2), LABELS).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        course.append(w1.detach().clone())
    return course


def test_plain_gradient_descent_moves_by_rate_times_gradient() -> None:
    spec = spec_of(LAYERS, X, LABELS, loss="cross_entropy", optimizer={"sgd": 0.03})
    for layer in inspect(net_of(spec), spec).layers:
        if layer.grad_weight_ratio is not None:
            assert layer.update_ratio == pytest.approx(0.03 * layer.grad_weight_ratio, rel=1e-9)


def test_dropout_and_batch_norm_see_the_same_in_measuring_and_in_stepping() -> None:
    layers = [{"linear": 20}, "batch_norm", "relu", {"dropout": 0.5}, {"linear": 2}]
    spec = spec_of(layers, X, LABELS, loss="cross_entropy", optimizer={"sgd": 0.03})
    found = by_path(inspect(net_of(spec), spec))
    for path in ("linear1", "batch_norm1", "linear2"):
        ratio = found[path].grad_weight_ratio
        assert ratio is not None
        assert found[path].update_ratio == pytest.approx(0.03 * ratio, rel=1e-9)
    kept = found["dropout1"].forward_rms, found["relu1"].forward_rms
    assert None not in kept
    assert kept[0] != kept[1]


@pytest.mark.parametrize(
    ("entry", "rule", "options"),
    [
        ({"adam": 0.01}, torch.optim.Adam, {"lr": 0.01}),
        ({"sgd": {"lr": 0.1, "momentum": 0.9}}, torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}),
    ],
)
@pytest.mark.parametrize("steps", [0, 2])
def test_other_rules_against_torchs(entry: Any, rule: Any, options: dict[str, Any], steps: int) -> None:
    spec = spec_of(LAYERS, X, LABELS, loss="cross_entropy", optimizer=entry, epochs=5)
    net = net_of(spec)
    *_, before, after = by_hand(net, rule, steps + 1, **options)
    result = inspect(net, spec, steps=steps)
    assert result.steps == steps
    assert result.layers[0].weight_norm == pytest.approx(before.norm().item(), rel=1e-9)
    assert result.layers[0].update_ratio == pytest.approx(((after - before).norm() / before.norm()).item(), rel=1e-7)


def test_clipping_bounds_the_step_but_not_the_gradient_that_is_shown() -> None:
    options: dict[str, Any] = {"loss": "cross_entropy", "optimizer": {"sgd": 1.0}}
    free = spec_of([{"linear": {"features": 2, "bias": False}}], X, LABELS, **options)
    clipped = spec_of([{"linear": {"features": 2, "bias": False}}], X, LABELS, clip={"norm": 1e-3}, **options)
    one, other = inspect(net_of(free), free).layers[0], inspect(net_of(clipped), clipped).layers[0]
    assert one.grad_norm == other.grad_norm
    assert other.weight_norm is not None
    assert other.update_ratio == pytest.approx(1e-3 / other.weight_norm, rel=1e-9)


def test_gradients_and_their_noise_are_the_losss_and_the_step_is_the_penaltys_too() -> None:
    layer: list[Any] = [{"linear": {"features": 2, "bias": False}}]
    options: dict[str, Any] = {"loss": "cross_entropy", "optimizer": {"sgd": 0.1}}
    free = spec_of(layer, X, LABELS, batch_size=4, **options)
    pulled = spec_of(layer, X, LABELS, batch_size=4, penalties=[{"l2": 5}], **options)
    one, other = inspect(net_of(free), free), inspect(net_of(pulled), pulled)
    assert one.noise_scale is not None
    assert other.noise_scale == one.noise_scale
    assert other.layers[0].grad_norm == one.layers[0].grad_norm
    whole = spec_of(layer, X, LABELS, batch_size="all", penalties=[{"l2": 5}], **options)
    w = parameter(net_of(whole), "linear1.weight").requires_grad_()
    (g,) = torch.autograd.grad(functional.cross_entropy(X.float().double() @ w.T, LABELS), w)
    expected = float((0.1 * (g + 5 * w)).detach().norm() / w.detach().norm())
    assert inspect(net_of(whole), whole).layers[0].update_ratio == pytest.approx(expected, rel=1e-7)


def test_the_rate_is_the_schedules() -> None:
    """Four steps, half of them warm-up: the first has a third of the rate."""
    spec = spec_of(LAYERS, X, LABELS, loss="cross_entropy", batch_size=4, schedule={"constant": {"warmup": 0.5}})
    layer = inspect(net_of(spec), spec).layers[0]
    assert layer.grad_weight_ratio is not None
    assert layer.update_ratio == pytest.approx(0.1 / 3 * layer.grad_weight_ratio, rel=1e-9)


def test_past_the_recipes_end_its_last_rate_holds() -> None:
    """Eight steps of a cosine: (1 + cos(π s / 8)) / 2 at step s."""
    spec = spec_of(LAYERS, X, LABELS, loss="cross_entropy", batch_size=4, epochs=2, schedule="cosine")
    session = session_of(subject_of(spec, None, ()), torch.device("cpu"), random=False)
    assert session.rate(2) == pytest.approx(0.1 * (1 + cos(pi * 2 / 8)) / 2)
    assert session.rate(100) == session.rate(7) != session.rate(6)
    assert session.rate_share(0) == 1
    assert session.rate_share(2) == pytest.approx((1 + cos(pi * 2 / 8)) / 2)


def test_without_a_recipe_there_is_no_step() -> None:
    layer = inspect(spec_of(LAYERS, X, LABELS)).layers[0]
    assert layer.grad_norm is not None
    assert layer.update_ratio is None


def test_the_network_is_left_as_it_was_bit_for_bit() -> None:
    layers = [{"linear": 20}, "batch_norm", "relu", {"dropout": 0.5}, {"linear": 2}]
    spec = spec_of(layers, X, LABELS, loss="cross_entropy", batch_size=4)
    net = net_of(spec).eval()
    net.get_parameter("linear1.weight").grad = torch.ones(20, 3, dtype=torch.float64)
    twin, random = copy.deepcopy(net.state_dict()), torch.get_rng_state()
    first, second = inspect(net, spec, steps=3), inspect(net, spec, steps=3)
    assert first == second
    assert all(torch.equal(value, twin[name]) for name, value in net.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random)
    assert not any(module.training for module in net.modules())
    gradient = net.get_parameter("linear1.weight").grad
    assert gradient is not None
    assert torch.equal(gradient, torch.ones_like(gradient))
    assert not any(module._forward_hooks for module in net.modules())


def test_a_loss_that_is_not_finite_leaves_the_signals_on_the_way_forward() -> None:
    spec = spec_of(LAYERS, X, LABELS, loss="cross_entropy")
    net = net_of(spec)
    with torch.no_grad():
        parameter(net, "linear2.weight").fill_(torch.inf)
    result = inspect(net, spec)
    first, _, last = result.layers
    assert result.loss != result.loss  # not a number
    assert first.forward_rms is not None
    assert first.forward_rms < 10
    assert first.grad_norm is first.update_ratio is first.delta_rms is None
    assert last.forward_rms != last.forward_rms
    with pytest.raises(DivergedError, match="training diverged: the loss is nan in step 1"):
        inspect(net, spec, steps=1)
