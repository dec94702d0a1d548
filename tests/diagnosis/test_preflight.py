"""The questions of `--preflight`, to networks whose answers are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from nnctl.data.split import Batch, Split
from nnctl.diagnosis.preflight import preflight_checks
from nnctl.diagnosis.result import Check
from nnctl.diagnosis.session import session_of
from nnctl.diagnosis.shuffled import shuffled_labels
from nnctl.diagnosis.subject import subject_of
from nnctl.network.compile import compile_model
from nnctl.spec.load import loads
from nnctl.spec.resolved import to_yaml
from nnctl.spec.sections import Spec
from tests.diagnosis.helpers import normal, spec_of

SPECS = Path(__file__).parents[2] / "specs"
X, LABELS = normal(60, 6), torch.arange(60) % 3
BY_HEART, USED, START = "one batch learned by heart", "the input is used", "loss at initialisation"
SHUFFLED, ALONE = "shuffled labels drop to chance", "samples are independent"
WRITTEN = "labels are not among the inputs"


def checks_of(spec: Spec, net: nn.Module | None = None) -> dict[str, Check]:
    subject = subject_of(spec if net is None else net, None if net is None else spec, ())
    session = session_of(subject, torch.device("cpu"), random=False)
    return {check.check: check for check in preflight_checks(session)}


def classifier(layers: list[Any], loss: Any = "cross_entropy", **parts: Any) -> Spec:
    return spec_of(layers, X, LABELS, loss=loss, batch_size=20, **parts)


def test_a_last_layer_that_starts_at_zero_uses_its_input_after_a_step() -> None:
    last = {"linear": {"features": 3, "init": "zero"}}
    found = checks_of(classifier([{"linear": 20}, "relu", last]))
    assert all(check.ok for check in found.values())
    assert found[START].value == pytest.approx(1.0986123)
    assert checks_of(classifier([last]))[USED].ok


def test_an_input_that_is_lost_stays_lost() -> None:
    deep = [{"repeat": {"times": 20, "layers": [{"linear": 8}, "sigmoid"]}}, {"linear": 3}]
    found = checks_of(classifier(deep, model={"init": "xavier"}))
    assert not found[USED].ok
    assert not found[BY_HEART].ok
    assert found[ALONE].ok


def test_smoothed_labels_are_learned_by_heart_although_their_loss_stays() -> None:
    """Its least is the entropy of the smoothed labels: 0.485 with three classes and 0.2, beside ln 3 = 1.1."""
    found = checks_of(classifier([{"linear": 60}, "tanh", {"linear": 3}], {"cross_entropy": {"label_smoothing": 0.2}}))
    assert found[BY_HEART].ok
    assert found[BY_HEART].value > 0.3


def test_equal_inputs_with_different_labels_are_not_learned() -> None:
    spec = spec_of([{"linear": 60}, "tanh", {"linear": 3}], X * 0 + 1, LABELS, loss="cross_entropy")
    assert not checks_of(spec)[BY_HEART].ok


def test_what_cannot_hold_its_samples_is_not_asked_for_them() -> None:
    """A line through 16 points."""
    x = normal(60, 1)
    few = checks_of(spec_of([{"linear": 1}], x, 3 * x[:, 0] ** 2, loss="mse"))
    assert BY_HEART not in few
    assert few[USED].ok
    many = checks_of(spec_of([{"linear": 40}, "tanh", {"linear": 1}], x, x[:, 0], loss="mse"))
    assert many[BY_HEART].ok


@pytest.mark.parametrize("weight", [0.05, 20.0])
def test_a_losses_weight_is_no_knowledge(weight: float) -> None:
    found = checks_of(classifier([{"linear": 20}, "relu", {"linear": 3}], {"cross_entropy": {"weight": weight}}))
    assert found[START].ok
    assert 0.5 < found[START].value < 3


@pytest.mark.parametrize(("scale", "ok"), [(1.0, True), (300.0, False)])
def test_a_start_that_prefers_classes(scale: float, ok: bool) -> None:
    spec = classifier([{"linear": 3}])
    net = compile_model(spec)
    with torch.no_grad():
        net.get_parameter("linear1.weight").mul_(scale)
    assert checks_of(spec, net)[START].ok is ok


def test_who_knows_the_labels_before_starts_with_too_small_a_loss() -> None:
    x = torch.nn.functional.one_hot(LABELS, 3).double()
    spec = spec_of([{"linear": 3}], x, LABELS, loss="cross_entropy", batch_size=20)
    net = compile_model(spec)
    assert checks_of(spec, net)[START].ok
    with torch.no_grad():
        net.get_parameter("linear1.weight").copy_(10 * torch.eye(3))
    found = checks_of(spec, net)[START]
    assert not found.ok
    assert "knows the answers before training" in str(found.cause)


@pytest.mark.parametrize("batch_size", [1, 20, "all"])
def test_labels_in_random_order_are_not_guessed_however_alike_samples_are(batch_size: int | str) -> None:
    """Three points only: all samples at one have one guess, so that right guesses come by twenties, or not at all."""
    points = 3 * torch.eye(3, dtype=torch.float64)[LABELS] + 0.01 * normal(60, 3)
    for seed in range(10):
        spec = spec_of([{"linear": 8}, "tanh", {"linear": 3}], points, LABELS, loss="cross_entropy")
        spec = loads(to_yaml(spec), [f"seed={seed}", f"train.batch_size={batch_size}"])
        (found,) = shuffled_labels(session_of(subject_of(spec, None, ()), torch.device("cpu"), random=False))
        assert found.ok


def test_a_batch_that_shows_the_network_its_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Inputs that the labels are added to when a batch is made."""
    made = Split.batch

    def leaking(self: Split, indices: Any, **options: Any) -> Batch:
        batch = made(self, indices, **options)
        told = batch.inputs["input"] + torch.nn.functional.one_hot(batch.target, 6)
        return replace(batch, inputs={"input": told})

    x, labels = normal(400, 6), torch.arange(400) % 3
    spec = spec_of([{"linear": 20}, "relu", {"linear": 3}], x, labels, loss="cross_entropy", batch_size=20)
    assert checks_of(spec)[SHUFFLED].ok
    monkeypatch.setattr(Split, "batch", leaking)
    found = checks_of(spec)[SHUFFLED]
    assert not found.ok
    assert found.value > 0.5


@pytest.mark.parametrize(
    ("column", "ok"),
    [
        (lambda y: y[:, None], False),
        (lambda y: torch.nn.functional.one_hot(y, 3), False),
        (lambda y: -7.5 * (y[:, None] + 1) ** 2, False),  # under other numbers
        (lambda y: (y[:, None] == 1).int(), True),  # tells one class, not all
        (lambda y: y[:, None] + 0.1 * normal(len(y), 1), True),  # told well, but measured
        (lambda y: torch.where(torch.arange(len(y)) == 3, 0, y + 1)[:, None], True),  # but for one sample
    ],
)
def test_labels_that_stand_in_a_column(column: Callable[[torch.Tensor], torch.Tensor], ok: bool) -> None:
    x = torch.cat((X, column(LABELS).double()), 1)
    assert checks_of(spec_of([{"linear": 3}], x, LABELS, loss="cross_entropy"))[WRITTEN].ok is ok


def test_few_samples_say_nothing_of_columns() -> None:
    x, labels = X[:20, :2].sign(), torch.arange(20) // 12
    assert WRITTEN not in checks_of(spec_of([{"linear": 2}], x, labels, loss="cross_entropy"))


@pytest.mark.parametrize(("start", "idle"), [("data.numbers", "data.color"), ("data.color", "data.numbers")])
def test_a_field_that_no_layer_takes(tmp_path: Path, start: str, idle: str) -> None:
    rows = "".join(f"{a:.3f},{b:.3f},{'rgb'[i % 3]},{i % 2}\n" for i, (a, b) in enumerate(normal(90, 2).tolist()))
    (tmp_path / "t.csv").write_text("a,b,color,y\n" + rows, encoding="utf-8")
    columns = "{a: number, b: number, color: {category: 3}}"
    taken = "embedding: 4" if start == "data.color" else "linear: 8"
    text = f"""\
name: fields
data: {{dataset: {{csv: {{path: {tmp_path}/t.csv, target: y, columns: {columns}}}}}, validation: 0}}
model:
  layers:
    - from: {start}
    - {taken}
    - flatten
    - linear: $classes
train: {{epochs: 1, batch_size: 20, loss: cross_entropy, optimizer: {{sgd: 0.1}}}}
"""
    found = checks_of(loads(text))[USED]
    assert not found.ok
    assert str(found.cause).startswith(f"the output is the same whatever `{idle}` holds")


def test_targets_far_from_zero_are_learned_by_heart() -> None:
    """152 ± 77, and weights that start at 0.01: a large rate alone gets there in the steps that there are."""
    subject = subject_of(SPECS / "diabetes.yaml", None, ["seed=1"])
    found = preflight_checks(session_of(subject, torch.device("cpu"), random=False))
    assert all(check.ok for check in found)
