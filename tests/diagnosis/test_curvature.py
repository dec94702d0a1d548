"""What kind of point it is, what is left undecided, and the line between two networks."""

from __future__ import annotations

from math import inf, nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import nnctl
from nnctl.diagnosis.surface.barrier import barrier_of
from nnctl.diagnosis.surface.convexity import is_nonconvex
from nnctl.diagnosis.surface.curvature import curvature_of
from nnctl.diagnosis.surface.density import spectral_density
from nnctl.diagnosis.surface.grid import Record, along_line
from nnctl.diagnosis.surface.hessian import Loss, Part
from nnctl.diagnosis.surface.lanczos import Ritz, extremes
from nnctl.diagnosis.surface.result import Barrier, Curvature
from nnctl.diagnosis.surface.sampling import describe, measure_slice, wish_of
from nnctl.diagnosis.surface.setting import Setting, setting_of_spec
from nnctl.diagnosis.surface.slices import line_between
from nnctl.errors import UsageError
from tests.diagnosis.helpers import normal, spec_of

CPU = torch.device("cpu")


def curved(of: Any, numbers: int = 2) -> Curvature:
    net = nn.ParameterList([nn.Parameter(torch.zeros(numbers, dtype=torch.float64))])
    loss = Loss(net, [Part(1, lambda: of(net[0]))])
    return curvature_of(loss, top=1, steps=10, seed=0, rate=None, progress=lambda *_: None)


@pytest.mark.parametrize(("gain", "point"), [(0.012, "slope"), (0.008, "minimum")])
@pytest.mark.parametrize("steepest", [1.0, 50.0])
def test_a_slope_is_where_one_step_gains_over_a_hundredth(gain: float, point: str, steepest: float) -> None:
    """a w²/2 + g w has its minimum g²/2a below 0: as much as a step of 1/a along the gradient gains."""
    gradient = (2 * steepest * gain) ** 0.5
    assert curved(lambda w: 1 + steepest * w.square().sum() / 2 + gradient * w[0]).point == point


def test_an_eigenvalue_that_may_be_rounding_makes_no_minimum() -> None:
    assert curved(lambda w: 1 + w[0] ** 2 + 1e-13 * w[1] ** 2).point == "flat"
    assert curved(lambda w: 1 + w[0] ** 2 + 1e-6 * w[1] ** 2).point == "minimum"
    assert curved(lambda w: 1 + w[0] ** 2 - 1e-13 * w[1] ** 2).point == "flat"
    assert curved(lambda w: 1 + w[0] ** 2 - 1e-6 * w[1] ** 2).point == "saddle"


def test_what_few_steps_do_not_tell_from_0_is_said() -> None:
    """Half of a random symmetric matrix's eigenvalues are below 0, many of them near it."""
    a = normal(500, 500)
    a = (a + a.T) / 1000**0.5
    true = float((torch.linalg.eigvalsh(a) < 0).double().mean())
    undecided = []
    for steps in (10, 40):
        density = spectral_density(lambda v: a @ v, 500, probes=5, steps=steps, seed=0)
        share, open_ = density.certain_share(), density.undecided_share()
        assert share.error is not None
        assert share.value - 3 * share.error < true < share.value + open_.value + 3 * share.error
        undecided.append(open_.value)
    assert undecided[0] > 0.2 > undecided[1] > 0.02
    flat = curved(lambda w: w[0] ** 2 + 0 * w.sum(), numbers=4)
    assert (flat.negative_share, flat.undecided_share) == (0, 0.75)


@pytest.mark.parametrize("size", [40, 300])
def test_bounds_hold_for_products_in_single_precision(size: int) -> None:
    q, _ = torch.linalg.qr(normal(size, size, seed=2))
    exact = q @ torch.diag(torch.cat([torch.tensor([-3.0, 8.0, 10.0]), torch.linspace(0, 1, size - 3)]).double()) @ q.T
    single = exact.float()
    density = spectral_density(lambda v: (single @ v.float()).double(), size, 3, 25, 0, rounding=1e-5)
    true = torch.linalg.eigvalsh(exact)
    for one in extremes(density.runs, 2):
        assert float((true - one.value).abs().min()) <= one.bound
    assert extremes(density.runs, 2)[0].bound < 1e-2


def test_of_several_runs_the_one_that_reaches_furthest_counts() -> None:
    def run(*values: float) -> Ritz:
        found = torch.tensor(values, dtype=torch.float64)
        return Ritz(found, found * 0, found * 0 + 1 / len(values))

    found = extremes([run(-1, 2, 3), run(0, 2, 5), run(-4, 2, 2.5)], 1)
    assert [one.value for one in found] == [5, -4]


def test_random_vectors_are_those_of_the_seed() -> None:
    a = normal(60, 60)
    traces = [
        spectral_density(lambda v: (a + a.T) @ v, 60, probes=2, steps=8, seed=seed).trace().value for seed in (0, 0, 1)
    ]
    assert traces[0] == traces[1] != traces[2]


def test_a_record_of_another_grid_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    Record(path, {"seed": 1}).add((0, 2), 0.5)
    assert Record(path, {"seed": 1}).known == {(0, 2): 0.5}
    assert Record(path, {"seed": 2}).known == {}
    assert len(path.read_text().splitlines()) == 1


def test_rounding_makes_no_slice_nonconvex() -> None:
    """Losses in single precision have seven digits."""
    assert not is_nonconvex({(0,): 3.0, (1,): 3.000001, (2,): 3.0})
    assert is_nonconvex({(0,): 3.0, (1,): 3.001, (2,): 3.0})


X, LABELS = normal(24, 4), torch.arange(24) % 3
NORMED = [{"linear": {"features": 6, "bias": False}}, "batch_norm", "tanh", {"linear": 3}]


def setting(seed: int, loss: Any = "cross_entropy", **parts: Any) -> Setting:
    spec = spec_of(NORMED, X, LABELS, loss=loss, **parts)
    net = nnctl.compile_model(spec)
    torch.manual_seed(seed)
    with torch.no_grad():
        for tensor in net.state_dict().values():
            if tensor.is_floating_point():
                tensor.copy_(torch.rand(tensor.shape) + 0.5)
    return setting_of_spec(net, spec, 24, (), CPU)


def test_the_line_leads_from_one_network_to_the_other() -> None:
    begin, end = setting(0), setting(1)
    found = measure_slice(begin, end, wish_of(None, 5, 1.0, False, "frozen", 0, line=True), CPU, None, lambda *_: None)
    assert found.grid.x == pytest.approx([-0.5, 0, 0.5, 1, 1.5])
    assert found.grid.y is None
    assert found.loss[1] == pytest.approx(begin.loss(CPU).value(), rel=1e-6)
    assert found.loss[3] == pytest.approx(end.loss(CPU).value(), rel=1e-6)
    assert abs(begin.loss(CPU).value() - end.loss(CPU).value()) > 1e-3


def test_running_statistics_move_between_the_two_and_not_beyond() -> None:
    """A variance beyond either end might be negative."""
    begin, end = setting(0).net, setting(1).net.state_dict()
    start = {name: tensor.clone() for name, tensor in begin.state_dict().items()}
    line = line_between(begin, end, ["line"])
    for place, inside in ((-3.0, 0.0), (0.0, 0.0), (0.25, 0.25), (1.0, 1.0), (3.0, 1.0)):
        line.move(place)
        for name in ("batch_norm1.running_mean", "batch_norm1.running_var"):
            expected: Tensor = start[name] + inside * (end[name] - start[name])
            torch.testing.assert_close(begin.get_buffer(name), expected)
        name = "linear1.weight"
        torch.testing.assert_close(begin.get_parameter(name).detach(), start[name] + place * (end[name] - start[name]))


def test_rate_and_chance_are_told_where_they_mean_something() -> None:
    assert setting(0, optimizer={"sgd": {"lr": 0.2, "momentum": 0.9}}).rate == 0.2
    assert setting(0, optimizer={"adam": 0.2}).rate is None  # each weight has a rate of its own
    assert setting(0).chance == pytest.approx(1.0986123)
    assert setting(0, loss={"cross_entropy": {"weight": 2.0}}).chance == pytest.approx(2 * 1.0986123)
    assert setting(0, loss={"cross_entropy": {"weights": [1.0, 2.0, 3.0]}}).chance is None
    assert setting(0, loss="bce").chance is None


@pytest.mark.parametrize(("line", "ends"), [(True, (0.0, 1.0)), (False, (0.0,))])
@pytest.mark.parametrize("span", [0.5, 0.7, 1.0, 3.0])
@pytest.mark.parametrize("points", [None, 11, 20, 51, 52])
def test_the_weights_themselves_are_among_the_points(
    line: bool, ends: tuple[float, ...], span: float, points: int | None
) -> None:
    begin, end = setting(0), setting(1)
    wish = wish_of(1, points, span, False, "frozen", 0, line=line)
    axes: Any = describe(begin, end if line else None, wish)["axes"]
    (axis,) = axes
    middle = 0.5 if line else 0.0
    assert all(place in axis for place in ends)
    assert wish.points <= len(axis) <= wish.points + 2 * max(span, 1) + 1
    assert axis[0] <= middle - span + 1e-12
    assert axis[-1] >= middle + span - 1e-12
    assert axis[0] + axis[-1] == pytest.approx(2 * middle)
    steps = torch.tensor(axis, dtype=torch.float64).diff()
    torch.testing.assert_close(steps, steps.mean().expand_as(steps))


def test_a_barrier_is_how_far_the_loss_rises_between_the_ends() -> None:
    """16 x²(1 − x)² + x, from 0 to 1, is furthest above the line at ½, by 1; its own top is the root of its slope."""
    x = along_line(1.0, 4001)
    found = barrier_of(x, [16 * a**2 * (1 - a) ** 2 + a for a in x])
    assert found is not None
    assert found.above_line == pytest.approx(1, abs=1e-6)
    top = max(root.real for root in np.roots([64, -96, 32, 1]) if abs(root.imag) < 1e-9 and root.real < 0.9)
    assert found.at == pytest.approx(top, abs=1e-3)
    assert found.height == pytest.approx(16 * top**2 * (1 - top) ** 2 + top - 1, abs=1e-6)


def test_what_lies_beyond_the_ends_is_no_barrier() -> None:
    x = (-0.5, 0.0, 0.5, 1.0, 1.5)
    assert barrier_of(x, (9.0, 2.0, 1.5, 1.0, 9.0)) == Barrier(0.0, 0.0, 0.0)
    assert barrier_of(x, (9.0, 2.0, 1.75, 1.0, 9.0)) == Barrier(0.0, 0.25, 0.0)
    assert barrier_of(x, (nan, 2.0, nan, 1.0, 9.0)) == Barrier(inf, inf, 0.5)
    assert barrier_of(x, (9.0, 2.0, 3.0, nan, 9.0)) is None


@pytest.mark.parametrize(
    ("span", "points", "message"), [(0.4, None, "does not reach them"), (3.0, 6, "6 points are too few")]
)
def test_a_line_has_both_ends(span: float, points: int | None, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        wish_of(None, points, span, False, "frozen", 0, line=True)


@pytest.mark.parametrize(("gain", "point"), [(2e-6, "slope"), (0.5e-6, "minimum")])
@pytest.mark.parametrize(("scale", "mean"), [(1.0, 0.0), (30.0, 0.0), (1.0, 1000.0)])
def test_a_gain_that_single_precision_loses_is_no_slope(gain: float, point: str, scale: float, mean: float) -> None:
    """Least squares with an exact solution. A step of 1/λ max along a displacement in the steepest direction gains all
    of the loss; a network that tells no samples apart has the targets' variance, whatever their mean."""
    x = normal(50, 3)
    line = nn.Linear(3, 1).double()
    y = (line(x).detach() - line.bias.detach()) * scale + mean
    rows = torch.cat([x, torch.ones(50, 1).double()], 1)
    values, vectors = torch.linalg.eigh(2 / 50 * rows.T @ rows)
    moved = vectors[:, -1] * (2 * gain * float(y.var(correction=0)) / float(values[-1])) ** 0.5
    with torch.no_grad():
        line.weight.mul_(scale).add_(moved[:3])
        line.bias.fill_(mean).add_(moved[3])
    assert nnctl.landscape(line, (x, y), nn.functional.mse_loss, surface=False, device="cpu").point == point


def test_a_network_that_fits_all_samples_lies_on_no_slope() -> None:
    torch.manual_seed(0)
    x, y = normal(10, 40), normal(10, 3, seed=1)
    net = nn.Sequential(nn.Linear(40, 10), nn.Tanh(), nn.Linear(10, 3)).double()
    last = net[2]
    assert isinstance(last, nn.Linear)
    hidden = torch.cat([net[:2](x), torch.ones(10, 1).double()], 1).detach()
    with torch.no_grad():
        solution = torch.linalg.lstsq(hidden, y).solution
        last.weight.copy_(solution[:-1].T)
        last.bias.copy_(solution[-1])
    found = nnctl.landscape(net, (x, y), nn.functional.mse_loss, surface=False, steps=10, device="cpu")
    assert found.centre < 1e-20
    assert found.gradient_norm is not None
    assert found.gradient_norm > 0
    assert found.point == "flat"  # 443 weights for 30 numbers: most of them lead nowhere


def hessian_of(activation: nn.Module, taken: int) -> Tensor:
    """Return all of the Hessian of a small network, trained for some steps."""
    torch.manual_seed(1)
    net = nn.Sequential(nn.Linear(8, 10), activation, nn.Linear(10, 10), activation, nn.Linear(10, 3)).double()
    x, y = normal(60, 8), torch.randint(3, (60,))
    loss = Loss(net, [Part(60, lambda: nn.functional.cross_entropy(net(x), y))])
    for _ in range(taken):
        for p, g in zip(net.parameters(), torch.autograd.grad(loss.parts[0].value(), [*net.parameters()]), strict=True):
            p.data -= 0.3 * g
    return torch.stack([loss.hessian_times(unit) for unit in torch.eye(loss.dimension).double()])


def test_the_share_below_zero_is_that_of_the_whole_spectrum() -> None:
    """The error is an honest one, and less than half of what counting Ritz values on one side leaves."""
    apart, counted = [], []
    for activation in (nn.Tanh(), nn.ReLU()):
        for taken in (0, 150):
            h = hessian_of(activation, taken)
            true = torch.linalg.eigvalsh((h + h.T) / 2)
            below = float((true < -1e-10 * true.abs().max()).double().mean())
            for steps in (15, 30):
                density = spectral_density(h.mv, len(h), 3, steps, 0)
                share, certain = density.negative_share(), density.certain_share()
                assert share.error is not None
                assert abs(share.value - below) < 2 * share.error
                assert share.error < 0.3
                assert certain.value < below < certain.value + density.undecided_share().value
                apart.append(abs(share.value - below))
                counted.append(abs(sum(float(r.weights[r.values < 0].sum()) for r in density.runs) / 3 - below))
    assert sum(apart) < 0.5 * sum(counted)


def test_a_share_that_nothing_is_open_of_has_the_error_of_its_vectors() -> None:
    """Of a gap about 0 all is told; and what is 0 but for rounding is not below it."""
    q, _ = torch.linalg.qr(normal(300, 300, seed=3))
    values = torch.cat([torch.full((60,), -2.0), torch.zeros(90), torch.full((150,), 1.0)]).double()
    h = q @ torch.diag(values) @ q.T
    density = spectral_density(lambda v: h @ v, 300, 4, 10, 0)
    share = density.negative_share()
    assert share == density.certain_share()
    assert share.value == pytest.approx(0.2, abs=0.08)
    positive = spectral_density(lambda v: h @ (h @ v), 300, 4, 10, 0).negative_share()
    assert (positive.value, positive.error) == (0, 0)


def test_small_networks_have_their_whole_spectrum_told() -> None:
    x = normal(40, 8)
    y = torch.arange(40) % 3
    net = nn.Sequential(nn.Linear(8, 4), nn.Tanh(), nn.Linear(4, 3)).double()
    found = nnctl.landscape(net, (x, y), nn.functional.cross_entropy, surface=False, steps=5, device="cpu")
    assert found.parameters == 51
    assert found.negative_share_error is None
    assert found.negative_share == found.negative_share_certain
    assert found.negative_share * 51 == pytest.approx(round(found.negative_share * 51))  # type: ignore[operator]
    rest = nnctl.landscape(net, (x, y), nn.functional.cross_entropy, surface=False, steps=4, device="cpu")
    assert rest.negative_share_error is not None
