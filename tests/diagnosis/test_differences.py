"""The parts of a gradient check by themselves: noise, stencils, kinks, verdicts, directions."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from nnctl.diagnosis.gradient.branches import Branches
from nnctl.diagnosis.gradient.check import gradcheck
from nnctl.diagnosis.gradient.differences import Difference, Here, careful, quick
from nnctl.diagnosis.gradient.directions import signs, unit
from nnctl.diagnosis.gradient.function import Function
from nnctl.diagnosis.gradient.joint import check_jointly
from nnctl.diagnosis.gradient.noise import POINTS, noise_level
from nnctl.diagnosis.gradient.sweep import check_tensors
from nnctl.diagnosis.gradient.taylor import taylor
from nnctl.diagnosis.gradient.verdict import judge
from tests.diagnosis.helpers import normal

CPU = torch.device("cpu")


def function_of(of: Callable[..., Tensor], **tensors: Tensor) -> Function:
    own = {name: tensor.double().requires_grad_() for name, tensor in tensors.items()}
    return Function(nn.Module(), lambda: {"loss": of(**own)}, own, device=CPU, seed=0)


def numbers(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def test_the_noise_of_a_table_of_values() -> None:
    """As the root of its mean square over many tables; the largest of three estimates lies a little above."""
    places = torch.arange(POINTS, dtype=torch.float64)[:, None]
    smooth = 5 + 1e-8 * places + 1e-10 * places**2
    found = noise_level(smooth + 3e-9 * normal(POINTS, 4000))
    assert 3e-9 < float(found.square().mean().sqrt()) < 3.6e-9


def test_no_number_is_known_better_than_to_its_last_digit() -> None:
    """Rounding to the nearest is uniform within half a unit: a standard deviation of ulp/√12."""
    found = float(noise_level(torch.full((POINTS, 1), 1.9, dtype=torch.float64)))
    assert found / (1.9 * 2**-52 / sqrt(12)) == pytest.approx(1, rel=0.01)


def test_four_points_are_exact_for_a_polynomial_of_degree_four() -> None:
    here = Here.of(function_of(lambda x: (x**4).sum(), x=numbers(1.5, -0.7)))
    directions = [{"x": numbers(1.0, 0.0)}, {"x": numbers(0.0, 2.0)}]
    exact = [4 * 1.5**3, 2 * 4 * (-0.7) ** 3]
    h = 1e-2
    found = careful(here, directions, h)
    assert found.slopes.flatten().tolist() == pytest.approx(exact, rel=1e-11)
    assert float(found.error) < 1e-11
    # (x + h)⁴ has the odd terms 4x³h + 4xh³ and the even ones 6x²h² + h⁴
    assert float(quick(here, directions[:1], h).slopes) == pytest.approx(4 * 1.5**3 + 4 * 1.5 * h**2, rel=1e-11)
    first = careful(here, directions[:1], h)
    assert float(first.spread) == pytest.approx(4 * 1.5 * h**2, rel=1e-6)
    assert float(first.bend) == pytest.approx(6 * 1.5**2 * h + h**3, rel=1e-6)


@pytest.mark.parametrize("at", [quick, careful])
def test_the_noise_of_a_measured_slope(at: Any) -> None:
    """A function that is noise alone: slopes along it have the deviation that is told."""
    sigma, count = 1e-9, 600
    drawn = iter(normal(8 * count).tolist())
    here = Here.of(function_of(lambda x: x.sum() * 0 + 1, x=numbers(0.0)))
    noisy = function_of(lambda x: x.sum() * 0 + 1, x=numbers(0.0))
    noisy._evaluate = lambda: {"loss": noisy.tensors["x"].sum() * 0 + sigma * next(drawn)}
    here = Here(noisy, here.gradients, numbers(sigma), here.base)
    found = at(here, [{"x": numbers(1.0)}] * count, 1e-3)
    assert float(found.noise) == pytest.approx(float(found.slopes.std()), rel=0.1)


def difference(
    error: float,
    noise: float = 0.0,
    spread: float = 0.0,
    bend: float = 0.0,
    crossed: bool = False,
    finite: bool = True,
    looked: bool = True,
) -> Difference:
    """Return a measurement of a slope of 1."""
    tensors = numbers(error), numbers(1.0)[None], numbers(1 + error), numbers(noise), numbers(spread), numbers(bend)
    return Difference(1e-6, *tensors, crossed, finite, looked)


@pytest.mark.parametrize(
    ("found", "verdict", "reason"),
    [
        (difference(1e-9), "pass", None),
        (difference(1e-7, noise=1e-7), "pass", None),
        (difference(0.0, noise=1e-6), "inconclusive", "small"),  # a wrong gradient would look the same
        (difference(5e-6), "fail", None),
        (difference(5e-6, crossed=True), "pass", None),
        (difference(0.3, crossed=True), "inconclusive", "kink"),
        (difference(0.3, looked=False), "inconclusive", "small"),
        (difference(1e-3, noise=1e-4), "inconclusive", "small"),  # ten deviations of rounding
        (difference(1e-3, noise=1e-5), "fail", None),
        (difference(1e-3, spread=2e-4), "inconclusive", "small"),  # curvature
        (difference(1e-3, spread=2e-5), "fail", None),
        (difference(0.5, bend=0.5), "inconclusive", "kink"),  # just at a kink both sides' mean slope is measured
        (difference(0.5, bend=0.1), "fail", None),
    ],
)
def test_verdicts(found: Difference, verdict: str, reason: str | None) -> None:
    finding = judge([found], 0, 1.0)
    assert (finding.verdict, finding.reason) == (verdict, reason)


def test_one_step_that_agrees_is_enough_and_what_is_not_finite_says_nothing() -> None:
    assert judge([difference(0.3, crossed=True), difference(1e-9)], 0, 1.0).verdict == "pass"
    assert judge([difference(1e-9, finite=False)], 0, 1.0).verdict == "inconclusive"
    nothing, noise = numbers(0.0), numbers(1e-12)
    zero = Difference(1e-6, nothing, nothing[None], nothing, noise, nothing, nothing, crossed=False, finite=True)
    assert judge([zero], 0, 0.0).reason == "zero"


Z = numbers(0.3, -0.2, 1.7, -2.4)
IMAGE = normal(1, 2, 6, 6)
KINKS: dict[str, tuple[Callable[[Tensor], Tensor], Tensor, Tensor]] = {
    # a function, and two points between which it has a kink
    "relu": (functional.relu, Z, -Z),
    "relu in place": (lambda z: functional.relu_(z + 0), Z, -Z),
    "relu6": (functional.relu6, Z * 0 + 5.9, Z * 0 + 6.1),
    "leaky_relu": (functional.leaky_relu, Z, -Z),
    "prelu": (lambda z: functional.prelu(z, numbers(0.2)), Z, -Z),
    "elu": (lambda z: functional.elu(z, 2.0), Z, -Z),
    "abs": (torch.abs, Z, -Z),
    "l1": (lambda z: functional.l1_loss(z, 0 * z), Z, -Z),
    "huber": (lambda z: functional.huber_loss(z, 0 * z), Z * 0 + 0.9, Z * 0 + 1.1),
    "smooth_l1": (lambda z: functional.smooth_l1_loss(z, 0 * z), Z * 0 + 0.9, Z * 0 + 1.1),
    "hardtanh": (functional.hardtanh, Z * 0 + 0.9, Z * 0 + 1.1),
    "hardsigmoid": (functional.hardsigmoid, Z * 0 + 2.9, Z * 0 + 3.1),
    "hardswish": (functional.hardswish, Z * 0 - 2.9, Z * 0 - 3.1),
    "softshrink": (functional.softshrink, Z * 0 + 0.4, Z * 0 + 0.6),
    "threshold": (lambda z: functional.threshold(z, 0.5, 0.0), Z * 0 + 0.4, Z * 0 + 0.6),
    "clamp": (lambda z: z.clamp(-1, 1), Z * 0 + 0.9, Z * 0 + 1.1),
    "clamp below": (lambda z: z.clamp(min=0.0), Z, -Z),
    "clamp above": (lambda z: torch.clamp(z, max=1.0), Z * 0 + 0.9, Z * 0 + 1.1),
    "maximum": (lambda z: torch.maximum(z, 0 * z), Z, -Z),
    "minimum": (lambda z: torch.minimum(z, 0 * z), Z, -Z),
    "max": (lambda z: z.max(), Z, Z.flip(0)),
    "max of rows": (lambda z: z.view(2, 2).max(1).values, Z, Z.flip(0)),
    "amax": (lambda z: z.view(2, 2).amax(1), Z, Z.flip(0)),
    "amin kept": (lambda z: z.view(2, 2).amin(0, keepdim=True), Z, Z.roll(1)),
    "median": (lambda z: z.median(), Z, Z.roll(1)),
    "sort": (lambda z: z.sort().values, Z, Z.flip(0)),
    "where": (lambda z: torch.where(z > 0, z, 2 * z), Z, -Z),
    "max_pool1d": (lambda z: functional.max_pool1d(z[0], 2), IMAGE, IMAGE.flip(-1)),
    "max_pool2d": (lambda z: functional.max_pool2d(z, 2), IMAGE, IMAGE.flip(-1)),
    "max_pool3d": (lambda z: functional.max_pool3d(z, (1, 2, 2)), IMAGE, IMAGE.flip(-1)),
    "adaptive_max_pool": (lambda z: functional.adaptive_max_pool2d(z, 2), IMAGE, IMAGE.flip(-1)),
}


@pytest.mark.parametrize("grad", [True, False])
@pytest.mark.parametrize("name", KINKS)
def test_a_kink_in_between_is_seen(name: str, grad: bool) -> None:
    of, one, other = KINKS[name]
    digests = []
    for point in (one, one * 1.0001, other):
        with torch.set_grad_enabled(grad), Branches() as branches:
            of(point.clone().requires_grad_(grad))
        digests.append(branches.digest)
    assert digests[0] == digests[1] != digests[2]


def test_directions_see_two_entries_exchanged() -> None:
    """E u² = 1, so that slopes tell norms; sizes differ, so that e = (1, −1) is never missed."""
    drawn = torch.stack([signs(torch.zeros(2), 0, number) for number in range(2000)]).double()
    assert float(drawn.square().mean()) == pytest.approx(1, abs=0.03)
    assert abs(float(drawn.mean())) < 0.05
    apart = (drawn[:, 0] - drawn[:, 1]).abs()
    assert float((apart < 1e-3).double().mean()) < 0.01


def test_steps_are_measured_in_the_tensors_own_size() -> None:
    assert unit(torch.full((3,), 1e-8)) == pytest.approx(1e-8)
    assert unit(torch.full((3,), -1e8)) == pytest.approx(1e8)
    assert unit(torch.full((3,), 0.01)) == unit(torch.zeros(3)) == 1.0
    small = function_of(lambda x: (1e5 * x).square().sum() + (1e5 * x).exp().sum(), x=1e-5 * normal(4))
    finding = check_tensors(Here.of(small), ["x"], 4, 0)["x"].finding
    assert (finding.verdict, finding.step) == ("pass", 1e-6)  # the first, quick look is enough


def twisted(size: float, wrong: bool) -> Function:
    """Return a loss of one tensor of ordinary and one of very small gradient, which may be wrong by a tenth."""

    class Scaled(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            return x * 1

        @staticmethod
        def backward(ctx: Any, error: Any) -> Any:
            return 1.1 * error if wrong else error

    def loss(large: Tensor, small: Tensor) -> Tensor:
        turned: Tensor = Scaled.apply(small)
        return large.sin().sum() + size * turned.sin().sum()

    return function_of(loss, large=normal(5), small=normal(5, seed=1))


@pytest.mark.parametrize(
    ("size", "wrong", "verdict"),
    [(1e-2, False, "pass"), (1e-2, True, "fail"), (1e-7, False, "pass"), (1e-9, True, "inconclusive")],
)
def test_a_small_gradient_beside_a_large_one(size: float, wrong: bool, verdict: str) -> None:
    """A joint step is stretched along it, at most a thousand times; what is too small even then is not passed."""
    function = twisted(size, wrong)
    found = check_jointly(Here.of(function), list(function.tensors), 4, 0)
    assert found["large"].finding.verdict == "pass"
    assert found["small"].finding.verdict == verdict


def test_taylors_slope_leaves_out_steps_over_a_kink() -> None:
    """|x| from 0.003: longer steps reach past 0, where it adds a straight remainder; else there is that of x² alone."""
    x = numbers(*[0.003, -0.003] * 4, 5.0)
    here = Here.of(function_of(lambda x: (x**2).sum() + 0.2 * x.abs().sum(), x=x))
    found = taylor(here, 0)
    assert found.slope == pytest.approx(2, abs=0.02)


def test_dropout_is_the_same_at_every_point() -> None:
    net = nn.Sequential(nn.Linear(6, 20), nn.Dropout(0.5), nn.Tanh(), nn.Linear(20, 3)).double().train()
    result = gradcheck(net, (normal(4, 6), torch.arange(4) % 3), functional.cross_entropy, device="cpu")
    assert result.verdict == "pass"


def test_forward_and_reverse_mode_are_compared_relative_to_their_size() -> None:
    net = nn.Sequential(nn.Linear(6, 20), nn.Tanh(), nn.Linear(20, 3)).double()
    with torch.no_grad():
        net[2].weight.mul_(1e9)  # type: ignore[operator]  # torch's own type of an entry is a module or a tensor
    error = gradcheck(net, (normal(4, 6), normal(4, 3)), functional.l1_loss, device="cpu").adjoint.error
    assert error is not None
    assert error < 1e-13
