"""`evaluate`: what a checkpoint's network is worth on one split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import torch

from nnctl.checkpoint import Weights, load_into, read_weights
from nnctl.data.load import Split, Splits, load
from nnctl.data.standardise import recorded
from nnctl.device import reproducible, resolve_device
from nnctl.environment import describe_environment, differences, recorded_environment
from nnctl.errors import CheckpointError, DataError, Problem, UsageError
from nnctl.evaluation.attack import measure_robustness, parse_attack
from nnctl.evaluation.ensemble import EnsembleResult, measure_ensemble
from nnctl.evaluation.measure import measure, reading_of
from nnctl.graph.build import build
from nnctl.graph.heads import measured_heads
from nnctl.network.compile import compile_whole
from nnctl.network.ensemble import Ensemble
from nnctl.objective import measured_objective
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
    ensemble: EnsembleResult | None = None
    """For ensembles: what averaging is worth."""
    attack: str | None = None
    """How inputs were attacked for what follows, such as `fgsm:0.1`."""
    robust_accuracy: float | None = None
    robust_loss: float | None = None
    notes: tuple[str, ...] | None = None
    """What should be known of the samples, such as that none was there at training."""
    agrees_with_log: bool | None = None
    """For the best weights of a run on its validation split, in the recorded environment on the same data: whether
    every measure is to the last bit the one that training logged. None elsewhere."""

    def __str__(self) -> str:
        """Return the measures in a line: `per_class` and `confusion` have the rest."""
        names = ("loss", "accuracy", "rmse", "mae", "r2", "robust_accuracy", "robust_loss")
        found = [f"{name} {value:.4g}" for name in names if (value := getattr(self, name)) is not None]
        return ", ".join([f"{self.split}: {self.n:,} samples", *found])

    def as_json(self) -> dict[str, Any]:
        """Return the object that `--json` prints."""
        return {key: value for key, value in asdict(self).items() if value is not None}


def evaluate(
    checkpoint: str | Path,
    split: SplitName | None = None,
    overrides: Sequence[str] = (),
    device: str = "auto",
    attack: str | None = None,
) -> EvalResult:
    """Measure a checkpoint's network, or the best one of a run directory, on a split of its data.

    `split` is `test` if not given, or `train` where the data has no other. Spec, data pipeline and standardisation
    are those of the training; `overrides` change the spec, for data that has moved or is new. What they name is
    recognised by its content: data that has only moved is split as it was, of new data everything is the test, but
    for a set with a test split of its own. `attack` is `fgsm:EPSILON` or `pgd:EPSILON:STEPS`, ε in units of the
    standardised input: the accuracy at inputs changed so is told beside. Raises CheckpointError where the file cannot
    be used, UsageError where the split does not exist or the attack cannot be made, DataError where new data has
    other classes.
    """
    if attack is not None:
        parse_attack(attack)  # a mistake is told before anything is read
    weights = read_weights(checkpoint)
    spec = loads(weights.text("spec"), overrides, name=str(weights.path))
    recipe, data = _sections(spec, weights)
    name: SplitName = split or ("test" if data.dataset.test_exists else "train")
    place = resolve_device(device)
    given = any(override.startswith("data.") for override in overrides)
    splits = load(
        data,
        spec.seed,
        place,
        splits=(name,),
        standardisation=recorded(weights),
        trained_on=weights.text("data") if given else None,
    )
    _check_classes(splits, weights)
    samples = _split(splits, name, spec)

    graph = build(spec, look=False)  # streams are for training alone
    net = compile_whole(graph)
    load_into(net, weights)
    reading, robust = reading_of(graph, recipe.loss, splits.facts), None
    with reproducible(place):
        measures, meter = measure(
            net.to(place),
            samples,
            measured_objective(graph, recipe.loss),
            reading,
            heads=measured_heads(graph, splits.facts),
            precision=recipe.precision,
            confusion=True,
        )
        if attack is not None:
            robust = measure_robustness(
                net, samples, recipe.loss, reading, attack, seed=spec.seed, precision=recipe.precision
            )
        answers = meter.reading.task is not None
        ensemble = measure_ensemble(net, samples) if isinstance(net, Ensemble) and answers else None
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
        attack=attack,
        robust_accuracy=robust.accuracy if robust else None,
        robust_loss=robust.loss if robust else None,
        notes=_notes(splits, weights, given) or None,
        ensemble=ensemble,
        agrees_with_log=_agrees(weights, measures, place) if comparable else None,
    )


def _sections(spec: Spec, weights: Weights) -> tuple[Train, Data]:
    if spec.train is None or spec.data is None:
        message = f"the spec in {weights.path} has no data or no losses to measure"
        raise CheckpointError(Problem("missing", message))
    return spec.train, spec.data


def _check_classes(splits: Splits, weights: Weights) -> None:
    """Raise DataError where the samples have other classes than those that the network was trained on."""
    trained, found = weights.value("class_names"), splits.class_names
    if trained is None or found is None or list(found) == trained:
        return
    details = (f"trained on: {', '.join(trained[:10])}", f"found: {', '.join(found[:10])}")
    message = "the data has other classes than those that the network was trained on"
    raise DataError(Problem("classes", message, details=details, hint="give data with the same classes"))


def _notes(splits: Splits, weights: Weights, given: bool) -> tuple[str, ...]:
    """Return what should be known of the samples where they are not what the network was trained on."""
    if weights.text("data") == splits.digest:
        return splits.notes
    if not given:
        return (*splits.notes, "the data has changed since training: there may be training samples in this split")
    return (*splits.notes, "this data is not that of the training")


def _split(splits: Splits, name: SplitName, spec: Spec) -> Split:
    found: Split | None = getattr(splits, name)
    if found is None or not len(found):
        others = [other for other in ("train", "validation", "test") if getattr(splits, other) is not None]
        hint = f"it has {' and '.join(other for other in others if len(getattr(splits, other)))}" if others else None
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
