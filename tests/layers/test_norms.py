"""Norms against their formulas, against torch, and against each other."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from nnctl.kinds.layers.base import Shape
from tests.components import image, layer, materialise, normal, tokens

DIMS = [(4, 5), (4, 3, 5), (4, 2, 3, 2)]


def made(text: str, x: Shape, affine: bool = True) -> nn.Module:
    """Return the layer in float64, with a γ and a β for each feature that no default would give."""
    module = materialise(layer(text), x).double()
    if affine:
        state = module.state_dict()
        state["weight"] = normal(len(state["weight"]), seed=5, dtype=torch.float64)
        state["bias"] = normal(len(state["bias"]), seed=6, dtype=torch.float64)
        module.load_state_dict(state)
    return module


def batch_of(*dims: int, size: int = 6) -> Tensor:
    """Return a batch whose channels and samples differ in mean and size."""
    batch = normal(size, *dims, dtype=torch.float64)
    ramp = torch.arange(1.0, dims[0] + 1).double().view(-1, *[1] * (len(dims) - 1))
    return batch * ramp + ramp.square() + torch.arange(size).double().view(-1, *[1] * len(dims))


def standardised(batch: Tensor, axes: tuple[int, ...], eps: float = 1e-5) -> Tensor:
    values = batch.numpy()
    deviation = np.sqrt(values.var(axes, keepdims=True) + eps)
    return torch.from_numpy((values - values.mean(axes, keepdims=True)) / deviation)


def scaled(batch: Tensor, module: nn.Module) -> Tensor:
    shape = (-1, *[1] * (batch.dim() - 2))
    weight, bias = (module.get_parameter(name).detach().view(shape) for name in ("weight", "bias"))
    return batch * weight + bias


def test_the_notes_matrix_of_features_by_samples() -> None:
    matrix = batch_of(4, size=6).T  # rows are features, columns samples
    rows = materialise(layer("batch_norm"), image(4)).double()(matrix.T).T
    torch.testing.assert_close(rows.detach(), standardised(matrix, (1,)))
    columns = materialise(layer("layer_norm"), image(4)).double()(matrix.T).T
    torch.testing.assert_close(columns.detach(), standardised(matrix, (0,)))
    blocks = materialise(layer("group_norm: 2"), image(4)).double()(matrix.T).T
    for half in (slice(0, 2), slice(2, 4)):
        torch.testing.assert_close(blocks[half].detach(), standardised(matrix[half], (0,)))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("dims", DIMS)
def test_norms_of_images_are_their_formulas(dims: tuple[int, ...], training: bool) -> None:
    batch, space = batch_of(*dims), tuple(range(2, 1 + len(dims)))
    grouped = batch.view(len(batch), 2, -1)
    for text, expected in (
        ("layer_norm", standardised(batch, (1, *space))),
        ("instance_norm", standardised(batch, space)),
        ("group_norm: 2", standardised(grouped, (2,)).view_as(batch)),
        ("group_norm: {groups: 1, eps: 0.1}", standardised(batch, (1, *space), eps=0.1)),
    ):
        module = made(text, image(*dims)).train(training)
        torch.testing.assert_close(module(batch).detach(), scaled(expected, module))


def test_layer_norm_takes_each_token_by_itself() -> None:
    batch = batch_of(3, 5)
    module = made("layer_norm: {eps: 1e-6}", tokens(3, 5))
    state = module.state_dict()
    torch.testing.assert_close(
        module(batch).detach(), standardised(batch, (2,), eps=1e-6) * state["weight"] + state["bias"]
    )


def test_without_affine_nothing_is_learned() -> None:
    for kind in (
        "layer_norm: {affine: false}",
        "instance_norm: {affine: false}",
        "group_norm: {groups: 2, affine: false}",
    ):
        assert not list(materialise(layer(kind), image(4, 3)).parameters())
        assert layer(kind).parameters(image(4, 3)) == 0


@pytest.mark.parametrize("size", [1, 2, 3, 5, 9])
def test_local_response_norm_is_the_notes_formula(size: int) -> None:
    batch = normal(2, 6, 3, 2, dtype=torch.float64) * 10
    expected = torch.empty_like(batch)
    for channel in range(6):
        below, above = size // 2, (size - 1) // 2
        near = batch[:, max(0, channel - below) : channel + above + 1]
        expected[:, channel] = batch[:, channel] / (2 + 1e-4 * near.square().sum(1)) ** 0.75
    module = materialise(layer(f"local_response_norm: {size}"), image(6, 3, 2))
    torch.testing.assert_close(module(batch), expected)


def test_local_response_norms_defaults_are_torchs_with_alpha_times_n() -> None:
    batch = normal(2, 8, 3, 3) * 10
    module = materialise(layer("local_response_norm"), image(8, 3, 3))
    torch.testing.assert_close(module(batch), functional.local_response_norm(batch, 5, alpha=5e-4, beta=0.75, k=2.0))


ONE_HOT = {"instance": [200.0, 0, 0], "layer": [0, 200.0, 0], "batch": [0, 0, 200.0]}
NORMS = {"instance": "instance_norm", "layer": "layer_norm", "batch": "batch_norm"}


def switched(x: Shape, mean: str, var: str) -> nn.Module:
    module = made("switchable_norm", x)
    chosen = {"mean_weight": torch.tensor(ONE_HOT[mean]), "var_weight": torch.tensor(ONE_HOT[var])}
    module.load_state_dict(module.state_dict() | chosen)
    return module


@pytest.mark.parametrize("dims", DIMS)
@pytest.mark.parametrize("which", ONE_HOT)
def test_switchable_norm_with_one_hot_weights_is_that_norm(which: str, dims: tuple[int, ...]) -> None:
    module, other = switched(image(*dims), which, which), made(NORMS[which], image(*dims))
    for scale in (1.0, 2.0):
        batch = batch_of(*dims) * scale
        assert (module(batch) - other(batch)).abs().max() < 1e-6
    batch = batch_of(*dims) * 3
    assert (module.eval()(batch) - other.eval()(batch)).abs().max() < 1e-6


def test_switchable_norm_mixes_means_and_variances_by_softmaxes_of_their_own() -> None:
    batch, x = batch_of(4, 3, 5), image(4, 3, 5)
    module = made("switchable_norm: {eps: 0.01}", x)
    logits = {"mean_weight": torch.tensor([0.3, -1.0, 0.5]), "var_weight": torch.tensor([2.0, 0.1, -0.4])}
    module.load_state_dict(module.state_dict() | logits)
    values = batch.numpy()
    axes = ((2, 3), (1, 2, 3), (0, 2, 3))
    parts = {
        "mean_weight": [values.mean(axis, keepdims=True) for axis in axes],
        "var_weight": [values.var(axis, keepdims=True) for axis in axes],
    }
    mixed = {}
    for name, statistics in parts.items():
        shares = np.exp(logits[name].numpy())
        mixed[name] = sum(share * each for share, each in zip(shares / shares.sum(), statistics, strict=True))
    expected = torch.from_numpy((values - mixed["mean_weight"]) / np.sqrt(mixed["var_weight"] + 0.01))
    torch.testing.assert_close(module(batch).detach(), scaled(expected, module), rtol=1e-6, atol=1e-6)


def test_switchable_norm_starts_with_equal_shares() -> None:
    state = materialise(layer("switchable_norm"), image(3, 2, 2)).state_dict()
    assert list(state) == [
        "weight",
        "bias",
        "mean_weight",
        "var_weight",
        "running_mean",
        "running_var",
        "num_batches_tracked",
    ]
    for name in ("mean_weight", "var_weight"):
        torch.testing.assert_close(state[name].softmax(0), torch.full((3,), 1 / 3))


def test_the_six_backward_formulas_of_batch_norm() -> None:
    eps, size = 1e-3, 7
    module = made(f"batch_norm: {{eps: {eps}}}", image(3))
    x = batch_of(3, size=size).requires_grad_()
    y = module(x)
    dy = normal(size, 3, seed=9, dtype=torch.float64)
    (dx,) = torch.autograd.grad(y, x, dy, retain_graph=True)
    gamma, beta = module.get_parameter("weight"), module.get_parameter("bias")
    dgamma, dbeta = torch.autograd.grad(y, (gamma, beta), dy)
    with torch.no_grad():
        mean, var = x.mean(0), x.var(0, correction=0)
        hat = (x - mean) / (var + eps).sqrt()
        d_hat = dy * gamma
        d_var = (d_hat * (x - mean) * -0.5 * (var + eps) ** -1.5).sum(0)
        d_mean = (d_hat * -1 / (var + eps).sqrt()).sum(0) + d_var * (-2 * (x - mean)).mean(0)
        torch.testing.assert_close(dx, d_hat / (var + eps).sqrt() + d_var * 2 * (x - mean) / size + d_mean / size)
        torch.testing.assert_close(dgamma, (dy * hat).sum(0))
        torch.testing.assert_close(dbeta, dy.sum(0))


def test_bounded_batch_norm_is_torchs_until_a_step_bounds_its_scales() -> None:
    module, plain = made("bounded_batch_norm: 0.5", image(4, 3, 3)), nn.BatchNorm2d(4).double()
    plain.load_state_dict(module.state_dict())
    batch = batch_of(4, 3, 3)
    torch.testing.assert_close(module(batch), plain(batch), rtol=0, atol=0)
    torch.testing.assert_close(module.eval()(batch), plain.eval()(batch), rtol=0, atol=0)


def test_bounded_batch_norm_clips_each_scale_to_a_factor_of_their_mean() -> None:
    module = made("bounded_batch_norm: 0.5", image(4), affine=False)
    gamma, var = np.array([0.2, 1.0, 1.2, 6.0]), np.array([1.0, 4.0, 0.25, 1.0])
    module.load_state_dict({**module.state_dict(), "weight": torch.tensor(gamma), "running_var": torch.tensor(var)})
    scales = gamma / np.sqrt(var + 1e-5)
    mean = scales.mean()
    assert min(scales) < mean / 1.5 < mean * 1.5 < max(scales)
    module.after_step()  # type: ignore[operator]
    expected = np.clip(scales, mean / 1.5, mean * 1.5) * np.sqrt(var + 1e-5)
    np.testing.assert_allclose(module.get_parameter("weight").detach().numpy(), expected, rtol=1e-12)
    bounded = module.get_parameter("weight").detach().numpy() / np.sqrt(var + 1e-5)
    assert max(bounded) / min(bounded) <= 1.5**2 * (1 + 1e-12)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_bounded_batch_norm_leaves_scales_alone_in_evaluation_and_around_a_negative_mean(sign: float) -> None:
    module = made("bounded_batch_norm: 0.5", image(3), affine=False)
    gamma = sign * torch.tensor([0.1, 1.0, 9.0], dtype=torch.float64)
    module.load_state_dict({**module.state_dict(), "weight": gamma})
    module.train(sign < 0).after_step()  # type: ignore[operator]
    assert torch.equal(module.get_parameter("weight"), gamma)
