"""`predict`: what a trained network says of new photos, rows and texts."""

from __future__ import annotations

import os
import sys
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nnctl.checkpoint import load_into, read_weights
from nnctl.data.fresh import Fresh
from nnctl.data.gaps import filled
from nnctl.data.split import Split, numeric_field
from nnctl.data.standardise import Standardisation, recorded
from nnctl.device import reproducible, resolve_device
from nnctl.errors import STDIN, CheckpointError, DataError, Problem, UsageError
from nnctl.evaluation.measure import BATCH, reading_of
from nnctl.evaluation.meter import Reading
from nnctl.evaluation.probabilities import probabilities_of
from nnctl.graph.build import Graph, build
from nnctl.kinds.datasets._folder import photos_in
from nnctl.network.compile import compile_whole
from nnctl.objective import OUTPUT, Objective, in_fp32
from nnctl.spec.load import loads
from nnctl.spec.roots import data_root
from nnctl.spec.sections import Data, Train
from nnctl.step import autocast

_AT_ONCE = 256  # files that are read before the network sees them
_TABLES = frozenset({".csv", ".tsv", ".txt"})


@dataclass(frozen=True, slots=True)
class Choice:
    """One class and how probable it is."""

    label: str
    probability: float | None
    """None where the network's output is no probability."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the network says of one sample: a class, or a number in the target's own units."""

    file: str
    row: int | None = None
    """The row of a table, counted from 1 below the heading."""
    label: str | None = None
    probability: float | None = None
    top: tuple[Choice, ...] | None = None
    """The most likely classes, the first of which is `label`."""
    value: float | tuple[float, ...] | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the object that `--json` prints."""
        found: dict[str, Any] = {"file": self.file}
        for key in ("row", "label", "probability", "value"):
            if getattr(self, key) is not None:
                found[key] = getattr(self, key)
        if self.top is not None:
            found["top"] = [
                {"label": one.label} | ({} if one.probability is None else {"probability": one.probability})
                for one in self.top
            ]
        return found


@dataclass(frozen=True, slots=True)
class PredictResult:
    """Predictions in the order of the files and rows, and what could not be read."""

    predictions: tuple[Prediction, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...] = ()
    """What had to be changed about files so that the network could take them, in words."""

    def as_json(self) -> dict[str, Any]:
        """Return the object that `--json` prints."""
        errors = {"errors": [problem.as_json() for problem in self.problems]} if self.problems else {}
        notes = {"notes": list(self.notes)} if self.notes else {}
        return {"predictions": [one.as_json() for one in self.predictions], **notes, **errors}


def predict(
    checkpoint: str | Path,
    files: Sequence[str | Path],
    top: int = 5,
    overrides: Sequence[str] = (),
    device: str = "auto",
) -> PredictResult:
    """Return what a checkpoint's network, or the best one of a run directory, says of new samples.

    Files are photos, tables or texts, whatever it was trained on; a folder stands for those below it, `-` for what
    is piped in. Size, transforms, standardisation, categories and classes are those of the training; its data is not
    needed. What cannot be read is among the result's problems, and the rest is predicted all the same. Raises
    CheckpointError where the checkpoint cannot be used.
    """
    if top < 1:
        raise UsageError(Problem("usage", f"`top` is {top}, expected a whole number of at least 1"))
    if list(map(str, files)).count(STDIN) > 1:
        raise UsageError(Problem("usage", f"`{STDIN}` is given twice", hint="what is piped in can be read once"))
    weights = read_weights(checkpoint)
    spec = loads(weights.text("spec"), overrides, name=str(weights.path))
    graph = build(spec, look=False)
    if spec.data is None or spec.train is None or graph.facts is None:
        raise CheckpointError(Problem("missing", f"the spec in {weights.path} has no data or no losses"))
    place = resolve_device(device)
    net = compile_whole(graph)
    load_into(net, weights)
    names = weights.value("class_names")
    network = _Network(graph, spec.data, spec.train, net.to(place).eval(), recorded(weights), names, top, place)
    predictions, problems, notes = list[Prediction](), list[Problem](), Counter[str]()
    with reproducible(place), ThreadPoolExecutor(os.cpu_count()) as pool, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about details of EXIF and the like
        for some in _some(_expanded(files, network.takes_photos, problems)):
            good = list[Fresh]()
            for fresh in pool.map(network.read, some):
                problems += fresh.problems
                notes.update(fresh.notes)
                if len(fresh):
                    good.append(fresh)
            predictions += network.answers(_together(good)) if good else []
    told = (f"{count} of {len(predictions)} {'is' if count == 1 else 'are'} {note}" for note, count in notes.items())
    return PredictResult(tuple(predictions), tuple(problems), tuple(told))


@dataclass(frozen=True)
class _Network:
    """A trained network with all that lies between a file and an answer."""

    graph: Graph
    data: Data
    recipe: Train
    net: nn.Module
    standardisation: Standardisation
    names: Sequence[str] | None
    top: int
    device: torch.device

    def __post_init__(self) -> None:
        if self._reading.task is None:
            message = "this network's output is no answer to its data's target"
            raise CheckpointError(Problem("task", message, hint="`predict` is for classes and numbers"))

    @property
    def _reading(self) -> Reading:
        assert self.graph.facts is not None
        return reading_of(self.graph, self.recipe.loss, self.graph.facts)

    @property
    def takes_photos(self) -> bool:
        """Return whether a sample is a photo, and not a row or a line."""
        assert self.graph.facts is not None
        return any(len(shape.dims) == 3 for shape in self.graph.facts.inputs.values())

    def read(self, file: str) -> Fresh:
        """Return the samples of a file, or why there are none."""
        try:
            content = sys.stdin.buffer.read() if file == STDIN else None
            return self.data.dataset.fresh(Path(data_root(self.data)), file, content)
        except DataError as error:
            return Fresh({}, (), error.problems)

    def answers(self, fresh: Fresh) -> list[Prediction]:
        """Return what the network says of some samples."""
        samples, found = self._samples(fresh), list[Prediction]()
        for begin in range(0, len(fresh), BATCH):
            piece = slice(begin, min(begin + BATCH, len(fresh)))
            with torch.inference_mode(), autocast(self.device, self.recipe.precision):
                seen = Objective([]).forward(self.net, samples.batch(piece))
            output = in_fp32(seen, self.recipe.precision).outputs[OUTPUT].cpu()
            found += self._named(fresh.places[piece], output)
        return found

    def _samples(self, fresh: Fresh) -> Split:
        fields, main = dict(fresh.fields), numeric_field(fresh.fields)
        if main is not None and self.standardisation.fill:
            fields[main] = filled(fields[main], self.standardisation.fill)
        n = len(fresh)
        return Split(
            "new",
            fields,
            torch.arange(n),
            torch.zeros(n),
            self.standardisation,
            device=self.device,
            transforms=self.data.transform,
        )

    def _named(self, places: Sequence[tuple[str, int | None]], output: Tensor) -> list[Prediction]:
        if self._reading.task == "regression":
            rows = [row[0] if len(row) == 1 else tuple(row) for row in output.tolist()]
            return [Prediction(file, row, value=value) for (file, row), value in zip(places, rows, strict=True)]
        scores = self._reading.scores(output)
        likely = probabilities_of(self.graph, self.recipe.loss, output)
        order = scores.topk(min(self.top, scores.shape[1]), 1).indices
        shares = likely.gather(1, order).tolist() if likely is not None else [[None] * order.shape[1]] * len(places)
        found = []
        for (file, row), labels, share in zip(places, order.tolist(), shares, strict=True):
            top = tuple(Choice(self._name(label), p) for label, p in zip(labels, share, strict=True))
            found.append(Prediction(file, row, top[0].label, top[0].probability, top))
        return found

    def _name(self, label: int) -> str:
        return self.names[label] if self.names and label < len(self.names) else str(label)


def _expanded(files: Sequence[str | Path], photos: bool, problems: list[Problem]) -> Iterator[str]:
    """Yield the files, in place of a folder those in it that the network takes."""
    for given in map(str, files):
        if not os.path.isdir(given):
            yield given
            continue
        found = False
        for file in _files_in(given, photos):
            found = True
            yield file
        if not found:
            what = "photos" if photos else "tables or texts"
            problems.append(Problem("empty", f"{given} has no {what}, which the network takes"))


def _files_in(folder: str, photos: bool) -> Iterator[str]:
    """Yield the photos at any depth, or the tables and texts in the folder itself."""
    if photos:
        yield from photos_in(Path(folder))
        return
    for name in sorted(os.listdir(folder)):
        if os.path.splitext(name)[1].lower() in _TABLES:
            yield os.path.join(folder, name)


def _some(files: Iterator[str]) -> Iterator[list[str]]:
    some = list[str]()
    for file in files:
        some.append(file)
        if len(some) == _AT_ONCE:
            yield some
            some = []
    yield some


def _together(fresh: Sequence[Fresh]) -> Fresh:
    fields = {name: torch.cat([one.fields[name] for one in fresh]) for name in fresh[0].fields}
    return Fresh(fields, tuple(place for one in fresh for place in one.places))
