"""Every optimiser, schedule and penalty of the catalogue survives resume, at an epoch's end and within an epoch."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from nnctl.component.family import names
from nnctl.spec.load import loads
from nnctl.training.run import train
from tests.training.helpers import Failure, StopAt, assert_same_run, history, last_tensors

SPEC = """
name: matrix
data: {dataset: iris}
model:
  layers: [{linear: 6}, relu, {linear: $classes}]
train:
  epochs: 2
  batch_size: 36
  loss: cross_entropy
  optimizer: {sgd: {lr: 0.1, momentum: 0.9}}
  checkpoint: {every: 2, keep: 10}
"""
SEARCHED = ("train.batch_size=54",)

OPTIMIZERS: dict[str, list[str]] = {
    "adagrad": ["adagrad", "{adagrad: {form: notes}}"],
    "adam": ["{adam: {lr: 0.01, weight_decay: 0.01}}"],
    "adamw": ["{adamw: {lr: 0.01}}"],
    "apg": ["{apg: 0.1}", "{apg: {lr: 0.1, weight_decay: 0.01}}"],
    "bfgs": ["bfgs"],
    "conjugate_gradient": ["conjugate_gradient", "{conjugate_gradient: {formula: fletcher_reeves}}"],
    "lbfgs": ["{lbfgs: {history: 2}}"],
    "newton": ["{newton: {damping: 0.1}}"],
    "rmsprop": [
        "{rmsprop: {lr: 0.01}}",
        "{rmsprop: {lr: 0.01, momentum: 0.9}}",
        "{rmsprop: {lr: 0.01, form: notes}}",
        "{rmsprop: {lr: 0.01, momentum: 0.9, form: notes}}",
        "{rmsprop: {lr: 0.01, momentum: 0.9, nesterov: true, form: notes}}",
    ],
    "scalable_admm": ["{scalable_admm: {warm: 1}}"],
    "sgd": [
        "{sgd: 0.1}",
        "{sgd: {lr: 0.1, momentum: 0.9, weight_decay: 0.01, decay_on: all}}",
        "{sgd: {lr: 0.1, momentum: 0.9, nesterov: true}}",
        "{sgd: {lr: 0.1, momentum: 0.9, form: notes}}",
        "{sgd: {lr: 0.1, momentum: 0.9, nesterov: true, form: notes}}",
    ],
    "stochastic_admm": [
        "{stochastic_admm: {lr: 0.5, l1: 1e-2}}",
        "{stochastic_admm: {lr: 0.5, l1: 1e-2, grid: [2, 2]}}",
    ],
}
NEEDED = dict.fromkeys(("bfgs", "conjugate_gradient", "lbfgs", "newton"), SEARCHED) | {
    "scalable_admm": ("train.batch_size=all", "train.loss=hinge", "train.epochs=5", "train.checkpoint.every=1"),
}
SCHEDULES = {
    "constant": "{constant: {warmup: 0.5}}",
    "cosine": "{cosine: {final: 0.1, warmup: 0.2}}",
    "exponential": "{exponential: 0.5}",
    "one_cycle": "one_cycle",
    "plateau": "{plateau: {factor: 0.5, patience: 1, min_delta: 10, cooldown: 1, monitor: train_loss}}",
    "polynomial": "{polynomial: {power: 2, base_batch: 18}}",
    "step": "{step: 1}",
}
PENALTIES = {
    "group": "{group: 0.1}",
    "l1": "{l1: 0.1}",
    "l2": "{l2: 0.1}",
    "max_norm": "{max_norm: {bound: 0.5, every: 3}}",
    "orthogonal": "{orthogonal: 0.1}",
    "singular_value_bounding": "{singular_value_bounding: {epsilon: 0.1, every: 3}}",
    "unit_norm": "{unit_norm: {of: spectral, every: 3}}",
}
TOGETHER: dict[str, tuple[str, ...]] = {
    "members, uniform average, parts, bounds": (
        "train.bagging=2",
        "train.ema={uniform: true, start: 0.5}",
        "train.accumulate=3",
        "train.clip={value: 0.1}",
        "train.penalties=[{l1: 0.1}, {max_norm: {bound: 0.5, every: 3}}]",
        "train.sampling=draw",
        "data.augment=[mixup]",
    ),
    "proximal steps, watched, averaged": (
        "train.optimizer={apg: 0.1}",
        "train.penalties=[{l1: 0.1}, {l2: 0.1}, {orthogonal: 0.1}, {max_norm: 0.5}]",
        "train.ema=0.5",
        "train.inspect=2",
        "train.accumulate=2",
        "train.clip={norm: 0.5}",
    ),
    "search, watched, averaged": (
        *SEARCHED,
        "train.optimizer=lbfgs",
        "train.penalties=[{l2: 0.1}, {max_norm: 0.5}]",
        "train.ema=0.5",
        "train.inspect=2",
        "train.accumulate=2",
    ),
    "stages learned before, plateau, a further set": (
        "train.pretrain={autoencoder: {stages: [linear1], epochs: 1}}",
        "train.optimizer={sgd: {lr: 0.1, momentum: 0.9, nesterov: true, form: notes}}",
        "train.schedule=" + SCHEDULES["plateau"],
        "train.epochs=4",
        "train.loss=[cross_entropy, {mmd: other}]",
        "data.streams={other: iris}",
    ),
    "bf16 with dropout and batch norm": (
        "train.precision=bf16",
        "model.layers=[{linear: {features: 6, bias: false}}, batch_norm, relu, {dropout: 0.3}, {linear: $classes}]",
        "data.label_noise=0.2",
    ),
}


def assert_resumes(folder: Path, overrides: tuple[str, ...]) -> Path:
    """Assert that runs cut short, once for each kind of state, end like one that was not; return that one."""
    spec = loads(SPEC, overrides)
    steps = train(spec, run=folder / "whole").steps
    states = sorted(int(path.name.removeprefix("step-")) for path in (folder / "whole" / "state").iterdir())
    for step in states[-3:-1]:  # an epoch's end and a step within an epoch, but where an epoch is a single step
        cut = folder / f"cut{step}"
        with pytest.raises(Failure):
            train(spec, run=cut, reporter=StopAt(step + 1))
        assert train(spec, run=cut, resume=True).steps == steps
        assert_same_run(folder / "whole", cut)
        assert history(folder / "whole", "inspect") == history(cut, "inspect")
    return folder / "whole"


def test_every_kind_has_a_case() -> None:
    assert sorted(OPTIMIZERS) == names("optimizers")
    assert sorted(SCHEDULES) == names("schedules")
    assert sorted(PENALTIES) == names("penalties")


@pytest.mark.parametrize(
    ("kind", "entry"), [(kind, entry) for kind, entries in OPTIMIZERS.items() for entry in entries]
)
def test_optimizers(tmp_path: Path, kind: str, entry: str) -> None:
    assert_resumes(tmp_path, (f"train.optimizer={entry}", *NEEDED.get(kind, ())))


@pytest.mark.parametrize("kind", SCHEDULES)
def test_schedules(tmp_path: Path, kind: str) -> None:
    epochs = 4 if kind == "plateau" else 2  # the first is always better than none: it drops after the second
    whole = assert_resumes(tmp_path, (f"train.schedule={SCHEDULES[kind]}", f"train.epochs={epochs}"))
    assert len({line["rate"] for line in history(whole)}) > 1, "the rate changes"


@pytest.mark.parametrize("kind", PENALTIES)
def test_penalties(tmp_path: Path, kind: str) -> None:
    whole = assert_resumes(tmp_path, (f"train.penalties=[{PENALTIES[kind]}]",))
    train(loads(SPEC), run=tmp_path / "without")
    weight, free = (last_tensors(run)["model:linear1.weight"] for run in (whole, tmp_path / "without"))
    assert not torch.allclose(weight, free, rtol=0.01), "the penalty has an effect"


@pytest.mark.parametrize("overrides", TOGETHER.values(), ids=TOGETHER.keys())
def test_features_together(tmp_path: Path, overrides: tuple[str, ...]) -> None:
    assert_resumes(tmp_path, overrides)
