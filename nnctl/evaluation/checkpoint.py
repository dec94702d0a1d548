"""`evaluate`: what a checkpoint's network is worth on one split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import torch

from nnctl.checkpoint import Weights, load_into, read_weights
from nnctl.data.load import Split, Splits, Standardisation, load
from nnctl.device import reproducible, resolve_device
from nnctl.environment import describe_environment, differences, recorded_environment
from nnctl.errors import CheckpointError, Problem, UsageError
from nnctl.evaluation.measure import measure, measured_heads, measured_objective, reading_of
from nnctl.graph.build import build
from nnctl.network.compile import compile_graph
from nnctl.spec.load import loads
from nnctl.spec.sections import Data, Spec, Train

SplitName: TypeAlias = Literal["train", "validation", "test"]


@dataclass(frozen=True, slots=True)
class ClassResult:
    """One class's share of right answers."""

    name: str
    n: int
    """Samples of the class."""
    correct: int
    accuracy: float | None
    """None where the split has no sample of the class."""


@dataclass(frozen=True, slots=True)
class EvalResult:
    """Measures of a network on a split. What was not measured is None here and absent from the JSON object."""

    split: SplitName
    n: int
    """Samples."""
    loss: float | None = None
    accuracy: float | None = None
    error: float | None = None
    top5: float | None = None
    rmse: float | None = None
    mae: float | None = None
    r2: float | None = None
    heads: dict[str, float] | None = None
    """Accuracy of each head that runs in evaluation."""
    per_class: tuple[ClassResult, ...] | None = None
    confusion: tuple[tuple[int, ...], ...] | None = None
    """Samples by true class (rows) and class named (columns)."""
    agrees_with_log: bool | None = None
    """For the best weights of a run on its validation split, in the recorded environment on the same data: whether
    every measure is to the last bit the one that training logged. None elsewhere."""

    def as_json(self) -> dict[str, Any]:
        """Return the object that `--json` prints."""
        return {key: value for key, value in asdict(self).items() if value is not None}


def evaluate(
    checkpoint: str | Path, split: SplitName | None = None, overrides: Sequence[str] = (), device: str = "auto"
) -> EvalResult:
    """Measure a checkpoint's network, or the best one of a run directory, on a split of its data.

    `split` is `test` if not given, or `train` where the data has no other. Spec, data pipeline and standardisation
    are those of the training; `overrides` change the spec, for data that has moved. Raises CheckpointError
    where the file cannot be used, UsageError where the split does not exist.
    """
    weights = read_weights(checkpoint)
    spec = loads(weights.text("spec"), overrides, name=str(weights.path))
    recipe, data = _sections(spec, weights)
    name: SplitName = split or ("test" if data.dataset.test_exists else "train")
    place = resolve_device(device)
    standardisation = Standardisation(tuple(weights.value("mean")), tuple(weights.value("std")))
    splits = load(data, spec.seed, place, splits=(name,), standardisation=standardisation)
    samples = _split(splits, name, spec)

    graph = build(spec)
    net = compile_graph(graph)
    load_into(net, weights)
    with reproducible(place):
        measures, meter = measure(
            net.to(place),
            samples,
            measured_objective(graph, recipe.loss),
            reading_of(graph, recipe.loss, splits.facts),
            heads=measured_heads(graph, splits.facts),
            precision=recipe.precision,
            confusion=True,
        )
    confusion = meter.confusion.tolist() if meter.confusion is not None else None
    comparable = name == "validation" and not overrides and weights.text("data") == splits.digest
    heads = {key.removesuffix("_accuracy"): value for key, value in measures.items() if key.endswith("_accuracy")}
    usual = {key: value for key, value in measures.items() if not key.endswith("_accuracy")}
    return EvalResult(
        split=name,
        n=len(samples),
        **usual,
        heads=heads or None,
        per_class=_per_class(confusion, splits.class_names) if confusion else None,
        confusion=tuple(tuple(row) for row in confusion) if confusion else None,
        agrees_with_log=_agrees(weights, measures, place) if comparable else None,
    )


def _sections(spec: Spec, weights: Weights) -> tuple[Train, Data]:
    if spec.train is None or spec.data is None:
        message = f"the spec in {weights.path} has no data or no losses to measure"
        raise CheckpointError(Problem("missing", message))
    return spec.train, spec.data


def _split(splits: Splits, name: SplitName, spec: Spec) -> Split:
    found: Split | None = getattr(splits, name)
    if found is None:
        others = [other for other in ("train", "validation", "test") if getattr(splits, other) is not None]
        hint = f"it has {' and '.join(others)}" if others else None
        raise UsageError(Problem("split", f"the data of {spec.name} has no {name} split", hint=hint))
    return found


def _per_class(confusion: list[list[int]], names: Sequence[str] | None) -> tuple[ClassResult, ...]:
    results = []
    for number, row in enumerate(confusion):
        n, correct = sum(row), row[number]
        name = names[number] if names and number < len(names) else str(number)
        results.append(ClassResult(name, n, correct, correct / n if n else None))
    return tuple(results)


def _agrees(weights: Weights, measures: dict[str, float], device: torch.device) -> bool | None:
    """Compare with what training logged, where the environment beside the weights is the present one."""
    recorded = recorded_environment(weights.path.parent)
    if recorded is None or differences(recorded, describe_environment(device)):
        return None
    logged = {key: value for key, value in weights.value("metrics").items() if key.startswith("val_")}
    return logged == {f"val_{key}": value for key, value in measures.items()} if logged else None
