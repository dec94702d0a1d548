"""What the network and the recipe need of the samples: their shape, enough of them, changes and streams that fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nnctl.document.node import locate
from nnctl.errors import Problem
from nnctl.graph.checks import position_of, subset_size
from nnctl.graph.inputs import main_field, stream_facts
from nnctl.kinds.augmentations.base import Augmentation
from nnctl.kinds.datasets.base import count_of
from nnctl.kinds.layers.shape import Shape, ShapeError

if TYPE_CHECKING:
    from nnctl.graph.build import Graph


def check_samples(graph: Graph, problems: list[Problem], refusals: list[Problem], look: bool) -> None:
    """Add what is wrong with the samples; `refusals` keep a spec from being trained only.

    Without `look` the files of streams, which nothing but training needs, are not looked at.
    """
    data, facts = graph.spec.data, graph.facts
    if data is None or facts is None:
        return
    _check_input(graph, refusals)
    _check_cuts(graph, refusals)
    if data.label_noise and facts.task == "regression":
        message = "`label_noise` is for classes, and the data set's target is a number"
        position = position_of(graph.spec, "data", "label_noise")
        problems.append(Problem("label-noise", message, position, "data.label_noise", hint="remove it"))
    _check_augmentations(graph, data.augment, facts.inputs, ("data",), problems)
    if look:
        _check_streams(graph, problems)


def _check_input(graph: Graph, refusals: list[Problem]) -> None:
    facts = graph.facts
    if facts is None or not facts.inputs or graph.inputs == facts.inputs:
        return
    declared, real = _shapes(graph.inputs), _shapes(facts.inputs)
    message = f"`model.input` is {declared}, the data's samples are {real}"
    position = position_of(graph.spec, "model", "input")
    refusals.append(Problem("input", message, position, "model.input", hint="remove `model.input` to train"))


def _check_cuts(graph: Graph, refusals: list[Problem]) -> None:
    """Add a refusal where `subset` and `validation` leave nothing to train on."""
    data, facts = graph.spec.data, graph.facts
    if data is None or facts is None or facts.train is None:
        return
    samples = subset_size(data, facts.train)
    if count_of(data.validation, samples) < samples:
        return
    key, hint = ("validation", "hold out fewer: `validation: 0.1`") if samples else ("subset", "let `subset` keep more")
    details = (f"the training set has {samples:,} samples, and `validation` takes as many",) if samples else ()
    position = position_of(graph.spec, "data", key)
    message = "no samples are left to train on"
    refusals.append(Problem("no-samples", message, position, f"data.{key}", details, hint))


def _shapes(inputs: dict[str, Shape]) -> str:
    if list(inputs) == ["input"]:
        return str(inputs["input"])
    return ", ".join(f"{name}: {shape}" for name, shape in inputs.items())


def _check_augmentations(
    graph: Graph,
    augment: Sequence[Augmentation],
    inputs: dict[str, Shape],
    path: tuple[str, ...],
    problems: list[Problem],
) -> None:
    name = main_field(inputs)
    if name is None:
        return
    for index, augmentation in enumerate(augment):
        try:
            augmentation.check(inputs[name])
        except ShapeError as error:
            position = locate(graph.spec.document, (*path, "augment", index))
            where, details = f"{'.'.join(path)}.augment[{index}]", (error.detail,) if error.detail else ()
            problems.append(Problem("shape", error.message, position, where, details, error.hint))


def _check_streams(graph: Graph, problems: list[Problem]) -> None:
    """Add a problem for each further set that the network cannot take."""
    data, facts = graph.spec.data, graph.facts
    for name, stream in (data.streams if data else {}).items():
        found = stream_facts(graph.spec, name, problems)
        if found is None or facts is None:
            continue
        path = ("data", "streams", name)
        position, where = position_of(graph.spec, *path), ".".join(path)
        if not found.inputs:
            message = f"the shape of `{name}` is not known before it is read"
            absent = (found.absent,) if found.absent else ()
            cure = "correct the path" if found.absent else "give its `size`"
            problems.append(Problem("missing", message, position, f"{where}.dataset", absent, cure))
        elif found.inputs != facts.inputs:
            details = (f"it has {_shapes(found.inputs)}", f"the data set has {_shapes(facts.inputs)}")
            field = main_field(found.inputs)
            image = field is not None and found.inputs[field].space
            hint = "give the stream a `transform`, such as `resize` or `grayscale`" if image else None
            problems.append(Problem("shape", f"the network cannot take `{name}`", position, where, details, hint))
        else:
            _check_augmentations(graph, stream.augment, found.inputs, path, problems)
