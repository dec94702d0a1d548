"""Recipes that cannot work are told by `check`: the reason, the line, the cure."""

from __future__ import annotations

import pytest

from nnctl.errors import Problem
from nnctl.graph.build import build_text
from tests.frontend.helpers import problem_of

LINES = {
    "name": "test",
    "data": "{dataset: digits}",
    "model": "{layers: [flatten, {linear: {features: 9, name: first}}, sigmoid, {linear: $classes}]}",
    "train": "",
    "  epochs": "2",
    "  batch_size": "32",
    "  loss": "cross_entropy",
    "  optimizer": "{sgd: 0.1}",
}


def text(**changes: str) -> str:
    """Return a spec of one line a field; fields of `train` need no indent, new ones come last."""
    lines = dict(LINES)
    for name, value in changes.items():
        lines[name if name in ("data", "model") else f"  {name}"] = value
    return "\n".join(f"{name}: {value}" for name, value in lines.items())


def line_of(spec: str, field: str) -> int:
    return next(number for number, line in enumerate(spec.split("\n"), 1) if line.strip().startswith(f"{field}:"))


def with_layers(layers: str) -> str:
    return f"{{layers: [flatten, {layers}, {{linear: $classes}}]}}"


RBM = with_layers("{linear: 9}, sigmoid, {rbm: 5}")
STREAM = "{dataset: digits, streams: {other: digits}}"
HEAD = with_layers("{linear: 9}, relu, {head: {name: aux, layers: [{linear: $classes}]}}")
STAGES = "{autoencoder: {stages: [%s]}}"


@pytest.mark.parametrize(
    ("field", "changes", "message", "hint"),
    [
        ("optimizer", {"optimizer": "{sgd: -0.1}"}, "`lr` is -0.1, expected a number above 0", ""),
        ("optimizer", {"optimizer": "{adam: 0}"}, "`lr` is 0, expected a number above 0", ""),
        (
            "optimizer",
            {"optimizer": "{sgd: {lr: 0.1, momentum: 1.0}}"},
            "`momentum` is 1.0, expected a number from 0 to below 1",
            "",
        ),
        ("optimizer", {"optimizer": "{adam: {beta2: 1}}"}, "`beta2` is 1, expected a number from 0 to below 1", ""),
        ("optimizer", {"optimizer": "{rmsprop: {rho: 1.5}}"}, "`rho` is 1.5, expected a number from 0 to below 1", ""),
        ("optimizer", {"optimizer": "{sgd: {lr: 0.1, weight_decay: -1}}"}, "`weight_decay` is -1", ""),
        (
            "model",
            {"model": with_layers("{dropout: {keep: 0}}")},
            "`keep` is 0, expected a number above 0, up to 1",
            "",
        ),
        ("model", {"model": with_layers("{dropout: {keep: 1.1}}")}, "`keep` is 1.1, expected", ""),
        ("schedule", {"schedule": "{exponential: 1.1}"}, "`gamma` is 1.1, expected a number above 0, up to 1", ""),
        ("schedule", {"schedule": "{plateau: {factor: 1}}"}, "`factor` is 1, expected a number between 0 and 1", ""),
        ("schedule", {"schedule": "{polynomial: {power: 0}}"}, "`power` is 0, expected a number above 0", ""),
        (
            "schedule",
            {"schedule": "{plateau: {monitor: val_acuracy}}"},
            "`val_acuracy` is never measured",
            "did you mean `val_accuracy`?",
        ),
        (
            "schedule",
            {"schedule": "{plateau: {monitor: val_loss}}", "data": "{dataset: digits, validation: 0}"},
            "`val_loss` is never measured",
            "nothing is held out: set `data.validation`, or monitor a train_ measure",
        ),
        ("penalties", {"penalties": "[{l1: -1}]"}, "`strength` is -1, expected a number of at least 0", ""),
        ("penalties", {"penalties": "[{max_norm: 0}]"}, "`bound` is 0, expected a number above 0", ""),
        ("ema", {"ema": "1"}, "`decay` is 1, expected a number from 0 to below 1", ""),
        ("ema", {"ema": "{uniform: true, start: 1}"}, "`start` is 1, expected a number from 0 to below 1", ""),
        ("ema", {"ema": "{uniform: true, decay: 0.5}"}, "all steps count the same: leave out `decay`", ""),
        ("batch_size", {"batch_size": "0"}, "`batch_size` is 0", ""),
        (
            "batch_size",
            {"batch_size": "1", "model": with_layers("{linear: {features: 9, bias: false}}, batch_norm, relu")},
            "with `batch_size: 1` `batch_norm1` sees one number of each feature",
            "take larger batches, or use `layer_norm`",
        ),
        ("bagging", {"bagging": "1"}, "`members` is 1, expected a whole number from 2 to 1000", ""),
        (
            "optimizer",
            {"bagging": "3", "optimizer": "lbfgs", "batch_size": "all"},
            "`train.optimizer` looks for one step of all members together",
            "remove it, or `train.bagging`",
        ),
        ("pretrain", {"bagging": "3", "pretrain": STAGES % "first"}, "`train.pretrain` trains a single network", ""),
        ("inspect", {"bagging": "3", "inspect": "5"}, "`train.inspect` looks into a single network", ""),
        (
            "loss",
            {"bagging": "3", "loss": "[cross_entropy, triplet]"},
            "`triplet` compares samples of one batch, which belong to different members",
            "remove it, or `train.bagging`",
        ),
        ("loss", {"bagging": "3", "loss": "[cross_entropy, contrastive]"}, "`contrastive` compares samples", ""),
        ("loss", {"bagging": "3", "loss": "[cross_entropy, {mmd: other}]", "data": STREAM}, "`mmd` compares", ""),
        (
            "loss",
            {"bagging": "3", "loss": "[cross_entropy, {adversarial: {epsilon: 0.1}}]"},
            "`adversarial` looks for the inputs that are worst for all members together",
            "",
        ),
        (
            "loss",
            {"bagging": "3", "loss": "[cross_entropy, contrastive_divergence]", "model": RBM},
            "`contrastive_divergence` trains a single network's `rbm`",
            "",
        ),
        (
            "pretrain",
            {"model": HEAD, "pretrain": STAGES % "aux"},
            "`aux` is a head, beside the way to the output",
            "name the layers that lead to the output",
        ),
        (
            "pretrain",
            {"model": LINES["model"][:-1] + ", freeze: [first]}", "pretrain": STAGES % "first"},
            "`first` is frozen",
            "entries with weights that learn: linear2",
        ),
        (
            "optimizer",
            {"optimizer": "bfgs", "batch_size": "all", "pretrain": STAGES % "first"},
            "`bfgs` cannot train the stages of `train.pretrain`",
            "use sgd or adam",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_work_is_refused(field: str, changes: dict[str, str], message: str, hint: str) -> None:
    spec = text(**changes)
    problem = problem_of(spec)
    assert message in problem.message
    assert problem.position.line == line_of(spec, field)
    assert hint in (problem.hint or "")


def warned(**changes: str) -> tuple[Problem, ...]:
    return build_text(text(**changes)).warnings


def test_batches_of_one_have_no_statistics_for_vectors_alone() -> None:
    image = "{layers: [{conv: {channels: 3, bias: false}}, batch_norm, relu, flatten, {linear: $classes}]}"
    (warning,) = warned(batch_size="1", model=image)
    assert warning.code == "tiny-batches"
    frozen = with_layers("{linear: {features: 9, bias: false}}, batch_norm, relu")[:-1] + ", freeze: [batch_norm1]}"
    assert warned(batch_size="1", model=frozen) == ()


def test_parts_of_a_batch_warn() -> None:
    (warning,) = warned(accumulate="33")
    assert warning.message == "`accumulate` is 33: a batch of 32 can be computed in 32 parts at most"
    assert warned(accumulate="32") == ()
    (warning,) = warned(accumulate="4", loss="[cross_entropy, triplet]")
    assert warning.message == "`triplet` compares samples within each of the 4 parts of a batch alone"
    assert warning.position.line == line_of(text(accumulate="4"), "accumulate")
    (warning,) = warned(batch_size="1", loss="[cross_entropy, triplet]")
    assert (warning.code, warning.message) == (
        "nothing-to-compare",
        "`triplet` compares samples of a batch, which has one",
    )
    assert warned(loss="[cross_entropy, triplet]") == ()


def test_what_a_machine_dreams_is_no_function_to_search_along() -> None:
    (warning,) = warned(optimizer="lbfgs", batch_size="all", loss="[cross_entropy, contrastive_divergence]", model=RBM)
    assert warning.code == "noisy-objective"
    assert "`contrastive_divergence` makes another one of it at each step" in warning.message
