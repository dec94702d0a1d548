"""Slices, their records, running statistics, contours and sheets."""

from __future__ import annotations

import copy
import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from math import hypot, inf, isnan, log, nan
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import nnctl
from nnctl.diagnosis.surface.batch_norm import norms_of, recalibrate
from nnctl.diagnosis.surface.contours import contour, levels
from nnctl.diagnosis.surface.convexity import is_nonconvex
from nnctl.diagnosis.surface.directions import filter_normalised
from nnctl.diagnosis.surface.hessian import Part
from nnctl.diagnosis.surface.picture import Boxes, Lines, Picture, Words
from nnctl.diagnosis.surface.slices import random_slice
from nnctl.errors import CheckpointError, SpecError, UsageError
from tests.diagnosis.helpers import normal, spec_of

CLASSES = 3


def data(n: int = 24, features: int = 4) -> tuple[Tensor, Tensor]:
    return normal(n, features), torch.arange(n) % CLASSES


def classifier(*middle: Any, **parts: Any) -> Any:
    """Return a spec of three classes on inline points."""
    x, y = data()
    return spec_of([{"linear": 6}, *middle, {"linear": 3}], x, y, loss="cross_entropy", **parts)


def walk(net: nn.Module, at: tuple[float, ...], seed: int = 0) -> list[float]:
    x, y = data()
    net = copy.deepcopy(net).double()
    slice_ = random_slice(net, 1, seed)
    losses = []
    for coordinate in at:
        slice_.move(coordinate)
        losses.append(nn.functional.cross_entropy(net(x), y).item())
    return losses


def test_each_filter_of_a_direction_is_as_long_as_that_of_the_weights() -> None:
    weights = [normal(5, 3, 2, 2), normal(4, 7, seed=1), normal(6, seed=2)]
    weights[1][2] = 0
    directions = filter_normalised(weights, torch.Generator().manual_seed(0))
    for weight, direction in zip(weights[:2], directions, strict=False):
        torch.testing.assert_close(direction.flatten(1).norm(dim=1), weight.flatten(1).norm(dim=1))
    assert not directions[1][2].any()
    assert not directions[2].any()


def test_scaling_one_layer_up_and_the_next_down_leaves_the_slice_as_it_is() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, CLASSES))
    scaled = copy.deepcopy(net)
    for name, factor in (("0.weight", 8), ("0.bias", 8), ("2.weight", 1 / 8)):
        scaled.get_parameter(name).data.mul_(factor)
    at = (-1.0, -0.3, 0.0, 0.5, 2.0)
    assert walk(scaled, at) == pytest.approx(walk(net, at), rel=1e-12)
    assert walk(net, at, seed=1) != pytest.approx(walk(net, at), rel=1e-3)


def test_the_grid_holds_the_loss_at_its_own_coordinates() -> None:
    spec = classifier("tanh")
    net = nnctl.compile_model(spec)
    found = nnctl.landscape(net, spec, points=5, span=0.5, curvature=False, device="cpu")
    assert found.grid is not None
    assert found.loss is not None
    assert found.grid.x == pytest.approx([-0.5, -0.25, 0, 0.25, 0.5])
    live = random_slice(net, 2, 0)
    x, y = data()
    live.move(found.grid.x[3], found.grid.y[1])  # type: ignore[index]
    expected = nn.functional.cross_entropy(net(x.float()), y).item()
    assert found.loss[1][3] == pytest.approx(expected, rel=1e-5)  # type: ignore[index]
    assert found.chance == pytest.approx(log(3))
    assert found.grid.cosine is not None
    assert abs(found.grid.cosine) < 0.6


def test_a_stopped_grid_goes_on_where_it_was(tmp_path: Path) -> None:
    spec = classifier("tanh")
    net = nnctl.compile_model(spec)
    asked: dict[str, Any] = {"points": 5, "curvature": False, "device": "cpu"}
    whole = nnctl.landscape(net, spec, **asked)

    def stop(what: str, done: int, total: int | None) -> None:
        if done == 12:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        nnctl.landscape(net, spec, folder=tmp_path, progress=stop, **asked)
    (record,) = tmp_path.glob("*.jsonl")
    assert len(record.read_text().splitlines()) == 13
    record.write_text(record.read_text() + '{"at": [4, 4], "lo')  # cut off in the middle of a line
    seen: list[int] = []
    again = nnctl.landscape(net, spec, folder=tmp_path, progress=lambda what, done, total: seen.append(done), **asked)
    assert again.loss == whole.loss
    assert seen == list(range(13, 26))
    assert [Path(file).suffix for file in again.files or ()] == [".jsonl", ".svg", ".png"]
    seen.clear()
    assert nnctl.landscape(net, spec, folder=tmp_path, progress=lambda *_: seen.append(1), **asked).loss == whole.loss
    assert not seen
    with torch.no_grad():
        next(net.parameters()).mul_(2)  # other weights: another record
    nnctl.landscape(net, spec, folder=tmp_path, **asked)
    assert len(list(tmp_path.glob("*.jsonl"))) == 2


def test_losses_that_are_not_finite_are_kept_as_such(tmp_path: Path) -> None:
    spec = classifier({"leaky_relu": 0.1})
    net = nnctl.compile_model(spec)
    found = [
        nnctl.landscape(net, spec, dims=1, points=3, span=1e30, curvature=False, folder=tmp_path, device="cpu")
        for _ in range(2)
    ]
    for one in found:
        assert one.loss is not None
        assert not isinstance(one.loss[0], tuple)
        assert isnan(one.loss[0]) or one.loss[0] == inf or one.loss[0] > 1e20
    assert Path((found[1].files or ())[1]).read_text().endswith("</svg>\n")


def test_recalibrated_statistics_are_those_of_all_samples() -> None:
    torch.manual_seed(0)
    norm = nn.BatchNorm1d(3).double().eval()
    x = normal(12, 3) * 4 + 1
    with torch.no_grad():
        assert norm.running_mean is not None
        norm.running_mean.fill_(nan)
    recalibrate(norms_of(norm), [Part(8, lambda: norm(x[:8]).sum()), Part(4, lambda: norm(x[8:]).sum())])
    torch.testing.assert_close(norm.running_mean, x.mean(0))
    variances = (8 * x[:8].var(0) + 4 * x[8:].var(0)) / 12
    torch.testing.assert_close(norm.running_var, variances)
    assert (norm.training, norm.momentum) == (False, 0.1)


def test_batch_norm_frozen_or_recalibrated() -> None:
    """Scaling weights before batch norm changes nothing if its statistics follow; frozen ones do not."""
    x, y = data()
    spec = spec_of(
        [{"linear": {"features": 6, "bias": False}}, "batch_norm", {"linear": 3}], x, y, loss="cross_entropy"
    )
    net = nnctl.compile_model(spec)
    state = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    asked: dict[str, Any] = {"dims": 1, "points": 5, "curvature": False, "device": "cpu"}
    frozen = nnctl.landscape(net, spec, **asked)
    fresh = nnctl.landscape(net, spec, batch_norm="recalibrate", **asked)
    assert frozen.batch_norm == "frozen"
    assert frozen.loss is not None
    assert fresh.loss is not None
    assert frozen.loss[2] == pytest.approx(frozen.centre, rel=1e-6)
    assert fresh.loss != pytest.approx(frozen.loss, rel=1e-3)
    assert all(torch.equal(state[name], tensor) for name, tensor in net.state_dict().items())
    net.get_parameter("linear1.weight").data.mul_(5)
    scaled = nnctl.landscape(net, spec, batch_norm="recalibrate", **asked)
    assert scaled.loss == pytest.approx(fresh.loss, rel=1e-3)
    assert nnctl.landscape(net, spec, **asked).loss != pytest.approx(frozen.loss, rel=1e-3)


def test_a_network_of_two_weights_over_both() -> None:
    """y = σ(w₂ σ(w₁)) at x = 1 for the target 0.5: the loss is (y − ½)², its Hessian known."""
    spec = nnctl.load_spec("specs/labs/two_weights.yaml")
    net = nnctl.compile_model(spec)
    found = nnctl.landscape(net, spec, weights=True, points=9, span=4, device="cpu")
    assert found.grid is not None
    assert (found.grid.x_name, found.grid.y_name) == ("linear1.weight", "linear2.weight")

    def exact(w: Tensor) -> Tensor:
        return (torch.sigmoid(w[1] * torch.sigmoid(w[0])) - 0.5) ** 2

    for i, w2 in enumerate(found.grid.y or ()):
        for j, w1 in enumerate(found.grid.x):
            expected = float(exact(torch.tensor([w1, w2])))
            assert found.loss[i][j] == pytest.approx(expected, abs=1e-7)  # type: ignore[index]
    hessian = torch.autograd.functional.hessian(exact, torch.ones(2).double())  # type: ignore[no-untyped-call]
    low, high = torch.linalg.eigvalsh(hessian).tolist()
    assert [one.value for one in found.eigenvalues or ()] == pytest.approx([high, low], abs=1e-12)
    assert low < 0
    assert found.nonconvex
    with pytest.raises(UsageError, match="a network of exactly two, this one learns 51"):
        nnctl.landscape(classifier(), weights=True, device="cpu")


def quadratic(places: list[tuple[int, int]], of: Callable[[int, int], float]) -> dict[tuple[int, ...], float]:
    return {(i, j): of(i, j) for i, j in places}


def test_convexity_of_slices() -> None:
    places = [(i, j) for i in range(-3, 4) for j in range(-3, 4)]
    assert not is_nonconvex(quadratic(places, lambda i, j: i * i + i * j + j * j))
    assert is_nonconvex(quadratic(places, lambda i, j: i * j + 10))  # straight along both axes, bent along a diagonal
    assert not is_nonconvex(quadratic(places, lambda i, j: nan if i == j == 0 else i * i + j * j))
    assert is_nonconvex({(0,): 1.0, (1,): 2.0, (2,): 1.0})


def test_contours_of_a_cone_are_circles() -> None:
    size, middle = 41, 20.0
    rows = [[hypot(j - middle, i - middle) for j in range(size)] for i in range(size)]
    for radius in (5.0, 12.5):
        pieces = contour(rows, radius)
        assert all(abs(hypot(x - middle, y - middle) - radius) < 0.06 for piece in pieces for x, y in piece)
        length = sum(hypot(x2 - x1, y2 - y1) for (x1, y1), (x2, y2) in pieces)
        assert length == pytest.approx(2 * torch.pi * radius, rel=0.01)


def test_contours_of_a_saddle_keep_apart_what_its_middle_keeps_apart() -> None:
    high, low = [[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]
    for rows in (high, low):
        for level in (0.4, 0.6):
            pieces = contour(rows, level)
            assert len(pieces) == 2
            for (x1, y1), (x2, y2) in pieces:  # each piece cuts off a corner that the middle, 0.5, is unlike
                corner = rows[round((y1 + y2) / 2)][round((x1 + x2) / 2)]
                assert (corner >= level) != (level <= 0.5)
    assert contour([[0.0, 1.0], [nan, 1.0]], 0.5) == []


def test_levels_are_tenths_of_a_decade_or_even() -> None:
    assert levels([[1.0, 10.0]]) == pytest.approx([10 ** (k / 10) for k in range(11)])
    assert levels([[1e-6, 1e6]]) == pytest.approx([10.0**k for k in range(-6, 7)])
    assert levels([[-1.0, 1.0]])[0] < 0 < levels([[-1.0, 1.0]])[-1]
    assert levels([[2.0, 2.0], [nan, 2.0]]) == []


def test_a_picture_is_the_same_in_both_forms() -> None:
    shapes = (Boxes([(10, 5, 20, 10)], "#ff0000"), Lines([[(0, 30), (40, 30)]], "#0000ff", 4), Words(20, 28, "a < b"))
    picture = Picture(40, 40, shapes)
    root = ElementTree.fromstring(picture.as_svg())
    assert (root.get("width"), root.get("height")) == ("40", "40")
    assert [child.tag.rpartition("}")[2] for child in root] == ["rect", "path", "path", "text"]
    image = picture.as_image()
    assert image.size == (80, 80)
    assert image.getpixel((40, 20)) == (255, 0, 0)
    assert image.getpixel((40, 60)) == (0, 0, 255)
    assert image.getpixel((70, 70)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"dims": 3}, "expected 1 or 2 dimensions, found 3"),
        ({"points": 2}, "at least 3 points"),
        ({"span": 0.0}, "a span above 0"),
        ({"span": nan}, "a span above 0"),
        ({"weights": True, "dims": 1}, "--dims asks for 1"),
        ({"steps": 0}, "expected steps of at least 1"),
        ({"samples": -1}, "expected samples of at least 1"),
    ],
)
def test_what_cannot_be_asked_for(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        nnctl.landscape(classifier(), device="cpu", **asked)


def test_networks_that_have_no_surface() -> None:
    with pytest.raises(SpecError, match="no `data`"):
        nnctl.landscape(spec_of([{"linear": 3}], model={"input": [4]}), device="cpu")
    x, y = data()
    with pytest.raises(UsageError, match="no weights to learn"):
        nnctl.landscape(spec_of(["relu"], x, y, loss="output"), device="cpu")
    zero = spec_of([{"linear": 3}], x, y, loss="cross_entropy", model={"init": "zero"})
    with pytest.raises(UsageError, match="no filter-normalised direction leads anywhere"):
        nnctl.landscape(zero, device="cpu")
    spec = classifier()
    net = nnctl.compile_model(spec)
    with torch.no_grad():
        net.get_parameter("linear2.bias")[1] = inf
    with pytest.raises(UsageError, match=r"`linear2.bias` has 1 of 3 numbers that are not finite"):
        nnctl.landscape(net, spec, device="cpu")
    with pytest.raises(CheckpointError, match="there is no file nowhere"):
        nnctl.landscape("nowhere.safetensors")


def test_json_holds_what_was_asked_for() -> None:
    spec = classifier()
    value = nnctl.landscape(spec, surface=False, top=2, steps=10, device="cpu").as_json()
    assert "grid" not in value
    assert {"value", "bound"} == set(value["eigenvalues"][0])
    assert 0 <= value["negative_share"] <= 1
    value = json.loads(json.dumps(nnctl.landscape(spec, curvature=False, points=3, device="cpu").as_json()))
    assert "eigenvalues" not in value
    assert [len(row) for row in value["loss"]] == [3, 3, 3]
    assert len(value["grid"]["x"]) == len(value["grid"]["y"]) == 3
