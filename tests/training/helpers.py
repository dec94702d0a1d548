"""Small specs with inline data, and runs of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nnctl.spec.load import loads
from nnctl.spec.sections import Spec
from nnctl.training.reporter import Reporter, StepReport
from nnctl.training.state import StateFolder

RECIPE: dict[str, Any] = {
    "epochs": 3,
    "batch_size": 8,
    "loss": "cross_entropy",
    "optimizer": {"sgd": {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.001}},
}
LAYERS: list[Any] = [{"linear": 6}, "batch_norm", "relu", {"dropout": 0.3}, {"linear": 3}]


def points(n: int = 60) -> dict[str, Any]:
    """Three classes of points around the corners of a triangle."""
    generator = torch.Generator().manual_seed(5)
    labels = [i % 3 for i in range(n)]
    corners = torch.tensor([[0.0, 2.0], [-2.0, -1.0], [2.0, -1.0]])[labels]
    x = (corners + 0.8 * torch.randn(n, 2, generator=generator)).tolist()
    return {"dataset": {"points": {"x": x, "y": labels}}, "validation": 0.25}


def line(n: int = 40) -> dict[str, Any]:
    """Numbers on a line with noise: a regression."""
    generator = torch.Generator().manual_seed(6)
    x = torch.randn(n, 2, generator=generator)
    y = (3 * x[:, 0] - x[:, 1] + 0.5 + 0.1 * torch.randn(n, generator=generator)).tolist()
    return {"dataset": {"points": {"x": x.tolist(), "y": y}}, "validation": 0.25}


def spec_of(
    overrides: Sequence[str] = (), data: dict[str, Any] | None = None, layers: list[Any] | None = None, **recipe: Any
) -> Spec:
    """Return the spec of a small network on `points` with the recipe above, changed by the arguments."""
    document = {
        "name": "small",
        "seed": 3,
        "data": data or points(),
        "model": {"layers": layers or LAYERS},
        "train": {**RECIPE, **recipe},
    }
    return loads(json.dumps(document), overrides)


class Failure(Exception):
    """Stands for anything that ends a process."""


class StopAt(Reporter):
    """Fails after a step, as a crash would."""

    interval = 0.0

    def __init__(self, step: int) -> None:
        self.step = step

    def on_step(self, report: StepReport) -> None:
        if report.step == self.step:
            raise Failure


class Listener(Reporter):
    """Keeps all that it is told."""

    interval = 0.0

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.calls: list[str] = []
        self.steps: list[StepReport] = []
        self.epochs: list[Any] = []

    def on_note(self, text: str) -> None:
        self.notes.append(text)

    def on_start(self, start: Any) -> None:
        self.calls.append("start")

    def on_step(self, report: StepReport) -> None:
        self.calls.append("step")
        self.steps.append(report)

    def on_epoch(self, report: Any) -> None:
        self.calls.append("epoch")
        self.epochs.append(report)

    def on_end(self, result: Any) -> None:
        self.calls.append("end")


def last_tensors(run: str | Path) -> dict[str, Tensor]:
    """Return every tensor of a run's last state but the generators'."""
    states = StateFolder(Path(run) / "state", keep=2)
    state = states.load(states.steps()[-1])
    return {
        f"{group}:{name}": t
        for group, tensors in state.tensors.items()
        if group != "rng"
        for name, t in tensors.items()
    }


def history(run: str | Path, event: str = "epoch") -> list[dict[str, Any]]:
    """Return the lines of metrics.jsonl without what depends on the clock."""
    lines = [json.loads(line) for line in (Path(run) / "metrics.jsonl").read_text().splitlines()]
    clock = ("time", "images_per_second")
    return [{k: v for k, v in line.items() if k not in clock} for line in lines if line["event"] == event]


def assert_same_run(first: str | Path, second: str | Path) -> None:
    """Assert that two runs ended with the same tensors and logged the same measures, to the last bit."""
    one, other = last_tensors(first), last_tensors(second)
    assert one.keys() == other.keys()
    assert [name for name in one if not torch.equal(one[name], other[name])] == []
    assert history(first) == history(second)
