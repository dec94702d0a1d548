"""What an optimiser needs of network and recipe is told by `check`, at the line that is at fault."""

from __future__ import annotations

import pytest

from nnctl.errors import Problem, SpecError
from nnctl.graph.build import build_text

MLP = "flatten, {linear: 20}, relu, {linear: 20}, hard_sigmoid, {linear: $classes}"


def text(optimizer: str, layers: str = MLP, data: str = "dataset: digits", model: str = "", **recipe: str) -> str:
    fields = {"epochs": "2", "batch_size": "all", "loss": "hinge", "optimizer": optimizer, **recipe}
    train = "".join(f"  {key}: {value}\n" for key, value in fields.items())
    entries = "".join(f"    - {entry}\n" for entry in layers.split(", "))
    return f"name: test\ndata: {{{data}}}\nmodel:\n{model}  layers:\n{entries}train:\n{train}"


def error(spec: str) -> Problem:
    with pytest.raises(SpecError) as caught:
        build_text(spec)
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize("layers", [MLP, "{linear: 5}, relu, {linear: 3}", "{linear: $classes}"])
def test_perceptrons_can_be_solved(layers: str) -> None:
    data = "dataset: digits" if layers == MLP else "dataset: iris"
    for loss in ("hinge", "mse", "{mse: {form: half_sum}}"):
        assert build_text(text("scalable_admm", layers, data, loss=loss)).warnings == ()


@pytest.mark.parametrize(
    ("layers", "line", "said"),
    [
        ("{conv: 4}, relu, flatten, {linear: $classes}", 5, "expects a `linear` that learns here, not `conv`"),
        (
            "flatten, {linear: 9}, sigmoid, {linear: $classes}",
            7,
            "expects `relu` or `hard_sigmoid` here, not `sigmoid`",
        ),
        ("flatten, {linear: 9}, batch_norm, relu, {linear: $classes}", 7, "not `batch_norm`"),
        ("flatten, {linear: 9}, relu, relu, {linear: $classes}", 8, "expects a `linear` that learns here, not `relu`"),
        (
            "flatten, {linear: $classes}, relu",
            7,
            "the last layer is `relu`; `scalable_admm` ends with a `linear` layer",
        ),
        (
            "flatten, {linear: 9}, relu, {residual: {body: [{linear: 9}]}}, {linear: $classes}",
            8,
            "trains layers one behind the other",
        ),
    ],
)
def test_other_layers_are_refused_with_their_line(layers: str, line: int, said: str) -> None:
    problem = error(text("scalable_admm", layers))
    assert problem.code == "solver"
    assert said in problem.message
    assert problem.position.line == line
    assert problem.hint


@pytest.mark.parametrize(
    ("fields", "code", "said"),
    [
        ({"batch_size": "32"}, "full-batch", "solves for all training samples at once"),
        ({"loss": "cross_entropy"}, "solver", "no closed form for this loss"),
        ({"loss": "[hinge, mse]"}, "solver", "no closed form for this loss"),
        ({"loss": "{mse: {target: data.input}}"}, None, ""),
        ({"clip": "{norm: 1}"}, "solver", "`clip` has no place in `scalable_admm`"),
        ({"accumulate": "2"}, "solver", "`accumulate` has no place"),
        ({"precision": "bf16"}, "solver", "`precision` has no place"),
        ({"sampling": "draw"}, "solver", "`sampling` has no place"),
        ({"data": "dataset: digits, augment: [horizontal_flip]"}, "solver", "unknowns for each sample"),
        ({"model": "  freeze: [linear1]\n"}, "solver", "expects a `linear` that learns here"),
    ],
)
def test_what_has_no_place_without_gradients_is_refused(fields: dict[str, str], code: str | None, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        build_text(text("scalable_admm", **fields))
    problem = caught.value.problems[0]
    assert code is None or problem.code == code
    assert said in problem.message


def test_a_line_search_is_not_clipped() -> None:
    problem = error(text("lbfgs", clip="{norm: 1}"))
    assert problem.code == "clip"
    assert "the line search of `lbfgs`" in problem.message


def test_a_grid_fits_some_weights() -> None:
    assert build_text(text("{stochastic_admm: {grid: [8, 8]}}")).warnings == ()
    problem = error(text("{stochastic_admm: {grid: [9, 9]}}"))
    assert problem.message == "no layer's units have 81 inputs, as `grid: [9, 9]` asks for"
    assert problem.details == ("linear1: 64 inputs", "linear2: 20 inputs", "linear3: 20 inputs")


@pytest.mark.parametrize("kind", ["lbfgs", "bfgs", "conjugate_gradient", "newton"])
def test_mini_batches_under_a_line_search_warn(kind: str) -> None:
    (warning,) = build_text(text(kind, batch_size="64", loss="cross_entropy")).warnings
    assert warning.code == "full-batch"
    assert warning.hint == "write `batch_size: all`"
    assert build_text(text(kind, loss="cross_entropy")).warnings == ()


def test_a_noisy_objective_under_a_line_search_warns() -> None:
    layers = "flatten, {linear: 20}, relu, {dropout: 0.2}, {linear: $classes}"
    (warning,) = build_text(text("lbfgs", layers)).warnings
    assert (warning.code, warning.where) == ("noisy-objective", "dropout1")
    (warning,) = build_text(text("lbfgs", data="dataset: digits, augment: [horizontal_flip]")).warnings
    assert warning.where == "data.augment"
    assert build_text(text("adam", layers)).warnings == ()
