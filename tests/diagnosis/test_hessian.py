"""Hessian products against closed forms, dense Hessians and the symmetries of networks."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

import nnctl
from nnctl.diagnosis.surface.curvature import curvature_of
from nnctl.diagnosis.surface.hessian import Loss, Part
from nnctl.errors import UsageError
from tests.diagnosis.helpers import normal


def loss_of(net: nn.Module, *batches: tuple[Tensor, Tensor]) -> Loss:
    parts = [Part(len(x), lambda x=x, y=y: nn.functional.cross_entropy(net(x), y)) for x, y in batches]  # type: ignore[misc]
    return Loss(net, parts)


def dense(loss: Loss) -> Tensor:
    return torch.stack([loss.hessian_times(unit) for unit in torch.eye(loss.dimension, dtype=torch.float64)])


def labels(n: int, classes: int) -> Tensor:
    return torch.arange(n) * 7 % classes


def small_net() -> nn.Module:
    """295 parameters."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(9, 14), nn.Tanh(), nn.Linear(14, 9), nn.Tanh(), nn.Linear(9, 2)).double()


def test_softmax_regression_at_zero() -> None:
    """H = (I/C − 11ᵀ/C²) ⊗ XᵀX/n, whatever the labels."""
    n, features, classes = 40, 5, 4
    net = nn.Linear(features, classes, bias=False).double()
    nn.init.zeros_(net.weight)
    x = normal(n, features)
    exact = torch.kron(torch.eye(classes).double() / classes - 1 / classes**2, x.T @ x / n)
    loss = loss_of(net, (x[:15], labels(n, classes)[:15]), (x[15:], labels(n, classes)[15:]))
    torch.testing.assert_close(dense(loss), exact, rtol=0, atol=1e-14)
    found = curvature_of(loss, top=3, steps=20, seed=0, rate=0.5, progress=lambda *_: None)
    true = torch.linalg.eigvalsh(exact)
    assert [one.value for one in found.eigenvalues[:3]] == pytest.approx(true.flip(0)[:3].tolist(), abs=1e-12)
    assert found.trace == pytest.approx(float(exact.trace()))
    assert found.negative_share == 0
    assert found.sharpness is not None
    assert found.sharpness.ratio == pytest.approx(float(true[-1]) / (2 / 0.5))


def test_a_small_network_against_the_dense_hessian_of_torch() -> None:
    net = small_net()
    x, y = normal(30, 9), labels(30, 2)
    names, shapes = zip(*((name, p.shape) for name, p in net.named_parameters()), strict=True)

    def at(flat: Tensor) -> Tensor:
        parts = torch.split(flat, [shape.numel() for shape in shapes])
        weights = {n: part.view(s) for n, part, s in zip(names, parts, shapes, strict=True)}
        return nn.functional.cross_entropy(functional_call(net, weights, (x,)), y)

    flat = torch.cat([p.detach().flatten() for p in net.parameters()])
    exact = torch.autograd.functional.hessian(at, flat)  # type: ignore[no-untyped-call]
    loss = loss_of(net, (x, y))
    assert loss.dimension == 295
    torch.testing.assert_close(dense(loss), exact, rtol=0, atol=1e-12)
    (gradient,) = torch.autograd.grad(at(flat.requires_grad_()), flat)
    torch.testing.assert_close(loss.gradient(), gradient, rtol=0, atol=1e-14)
    true = torch.linalg.eigvalsh(exact)
    found = curvature_of(loss, top=2, steps=80, seed=0, rate=None, progress=lambda *_: None)
    expected = [*true.flip(0)[:2].tolist(), *true.flip(0)[-2:].tolist()]
    assert [one.value for one in found.eigenvalues] == pytest.approx(expected, abs=1e-8)
    assert found.trace == pytest.approx(float(true.sum()), abs=1e-8)
    assert found.trace_error is None  # a network of so few weights is computed whole
    few = curvature_of(loss, top=2, steps=20, seed=0, rate=None, progress=lambda *_: None)
    assert few.trace_error is not None
    assert abs(few.trace - float(true.sum())) < 5 * few.trace_error
    assert all(min((true - one.value).abs()) <= one.bound for one in few.eigenvalues)


def test_the_same_samples_twice_or_cut_otherwise_change_nothing() -> None:
    net = small_net()
    x, y = normal(30, 9), labels(30, 2)
    v = normal(sum(p.numel() for p in net.parameters()), seed=3)
    whole = loss_of(net, (x, y))
    for other in (loss_of(net, (x, y), (x, y)), loss_of(net, (x[:4], y[:4]), (x[4:], y[4:]))):
        assert other.value() == pytest.approx(whole.value(), rel=1e-13)
        torch.testing.assert_close(other.gradient(), whole.gradient(), rtol=0, atol=1e-15)
        torch.testing.assert_close(other.hessian_times(v), whole.hessian_times(v), rtol=0, atol=1e-13)


def test_weights_before_batch_norm_have_no_gradient_along_themselves_and_curvature_falls_with_their_square() -> None:
    """⟨w, ∇L⟩ = 0 and H(cw) = H(w)/c² for weights whose scale batch norm takes away."""
    torch.manual_seed(1)
    norm = nn.BatchNorm1d(4, eps=1e-12, affine=False)
    net = nn.Sequential(nn.Linear(3, 4, bias=False), norm, nn.Tanh(), nn.Linear(4, 2).requires_grad_(False)).double()
    loss = loss_of(net, (normal(16, 3), labels(16, 2)))
    weight = loss.parameters[0]
    assert float(loss.gradient() @ weight.detach().flatten()) == pytest.approx(0, abs=1e-11)
    before = dense(loss)
    with torch.no_grad():
        weight.mul_(3)
    torch.testing.assert_close(dense(loss), before / 9, rtol=1e-9, atol=1e-13)


def test_weights_without_influence_count_as_flat_directions() -> None:
    net = nn.ModuleDict({"used": nn.Linear(2, 2, bias=False), "unused": nn.Linear(1, 1, bias=False)}).double()
    x = normal(5, 2)
    loss = Loss(net, [Part(5, lambda: net["used"](x).square().mean())])
    hessian = dense(loss)
    assert hessian[4].tolist() == [0] * 5
    assert bool(hessian[:4, :4].any())
    linear = Loss(net, [Part(5, lambda: net["used"](x).mean())])
    assert not dense(linear).any()


def test_attention_and_recurrence_have_second_derivatives() -> None:
    torch.manual_seed(0)
    attention = nn.MultiheadAttention(4, 2, batch_first=True).double()
    lstm = nn.LSTM(3, 4, batch_first=True).double()
    x, z = normal(2, 5, 4), normal(2, 5, 3)
    for loss in (
        Loss(attention, [Part(2, lambda: attention(x, x, x)[0].square().mean())]),
        Loss(lstm, [Part(2, lambda: lstm(z)[0].square().mean())]),
    ):
        u, v = normal(loss.dimension, seed=1), normal(loss.dimension, seed=2)
        assert float(u @ loss.hessian_times(v)) == pytest.approx(float(v @ loss.hessian_times(u)), abs=1e-12)


POINTS = {  # a loss of two weights, and what kind of point 0 is
    "minimum": lambda w: w[0] ** 2 + 3 * w[1] ** 2 + 1,
    "saddle": lambda w: w[0] ** 2 - 3 * w[1] ** 2 + 1,
    "flat": lambda w: w[0] ** 2 + w[1] ** 4 + 1,
    "slope": lambda w: w[0] ** 2 + w[1] + 1,
}


@pytest.mark.parametrize("point", POINTS)
def test_kinds_of_points(point: str) -> None:
    net = nn.ParameterList([nn.Parameter(torch.zeros(2, dtype=torch.float64))])
    loss = Loss(net, [Part(1, lambda: POINTS[point](net[0]))])
    found = curvature_of(loss, top=1, steps=10, seed=0, rate=None, progress=lambda *_: None)
    assert found.point == point
    assert found.negative_share == (0.5 if point == "saddle" else 0)


def test_a_loss_of_many_numbers_or_of_none_that_is_finite() -> None:
    net = nn.Linear(2, 3).double()
    with pytest.raises(UsageError, match=r"the loss is a tensor of shape \(4, 3\)"):
        Loss(net, [Part(4, lambda: net(normal(4, 2)))]).value()
    bad = Loss(net, [Part(4, lambda: net(normal(4, 2)).sum() * float("inf"))])
    with pytest.raises(UsageError, match="they have no curvature"):
        curvature_of(bad, top=1, steps=5, seed=0, rate=None, progress=lambda *_: None)


def test_any_module_beside_a_batch_and_a_loss() -> None:
    net, x, y = small_net(), normal(30, 9), labels(30, 2)
    before = [p.detach().clone() for p in net.parameters()]
    found = nnctl.landscape(net, (x, y), nn.functional.cross_entropy, points=5, steps=10, device="cpu")
    assert found.loss is not None
    assert found.loss[2][2] == pytest.approx(found.centre, abs=1e-12)  # type: ignore[index]
    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))
    with pytest.raises(UsageError, match=r"the loss is a tensor of shape \(30,\)"):
        nnctl.landscape(net, (x, y), nn.CrossEntropyLoss(reduction="none"), points=5, device="cpu")
    with pytest.raises(UsageError, match="no weights to learn"):
        nnctl.landscape(nn.ReLU(), (x, y), nn.functional.cross_entropy)
    with torch.no_grad():
        net[0].weight[0, 0] = float("nan")  # type: ignore[index]
    with pytest.raises(UsageError, match="not finite"):
        nnctl.landscape(net, (x, y), nn.functional.cross_entropy)
