"""What the recipe needs of the network and the data: losses that fit, monitors that are measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.document.node import locate
from nnctl.document.suggest import did_you_mean
from nnctl.errors import NOWHERE, Position, Problem
from nnctl.graph.heads import measured_heads
from nnctl.kinds.datasets.base import Facts, count_of
from nnctl.kinds.layers.shape import Shape, ShapeError
from nnctl.kinds.losses.base import Loss, Task
from nnctl.spec.monitors import measured
from nnctl.spec.sections import Data, Spec

if TYPE_CHECKING:
    from nnctl.graph.build import Graph


def task_of(spec: Spec, facts: Facts | None) -> Task | None:
    """Return what the network's output answers: the target's task, or None where no loss compares it with that.

    Without a recipe it is the data set's task.
    """
    task: Task | None = facts.task if facts else None
    if spec.train is None:
        return task
    answering = [
        loss for loss in spec.train.loss if loss.at in (None, "output") and loss.target in (None, "data.target")
    ]
    if not any(loss.uses_target and loss.answers for loss in answering):
        return None
    if task is None:
        task = "classification" if any(loss.kind == "cross_entropy" for loss in answering) else "regression"
    return task


def has_validation(data: Data | None, facts: Facts | None) -> bool:
    """Return whether anything is held out: a share that comes to less than one sample means none."""
    if data is None:
        return False
    if facts is None or facts.train is None:
        return data.validation > 0
    return count_of(data.validation, subset_size(data, facts.train)) >= 1


def subset_size(data: Data, samples: int) -> int:
    """Return how many of the training set's samples `subset` keeps."""
    return samples if data.subset is None else count_of(data.subset, samples)


def position_of(spec: Spec, *path: str | int) -> Position:
    """Return where a field stands in the spec, or the nearest thing above it."""
    return locate(spec.document, path)


def check_recipe(graph: Graph, problems: list[Problem], refusals: list[Problem]) -> None:
    """Add what is wrong between recipe and network; `refusals` keep a spec from being trained only."""
    train = graph.spec.train
    if train is None:
        return
    if not graph.trainable:
        where, message = "freeze", "every layer with weights is frozen: nothing is left to train"
        hint = "leave the last layer out of `freeze`"
        if not graph.parameters:
            where, message = "layers", "the network has nothing to train"
            hint = "add a layer with weights, such as `linear: $classes`"
        position = position_of(graph.spec, "model", where)
        refusals.append(Problem("no-parameters", message, position, f"model.{where}", hint=hint))
    _check_statistics(graph, problems)
    for index, loss in enumerate(train.loss):
        _check_loss(graph, loss, index, problems, refusals)
    _check_lasting(graph, problems)
    check_monitors(graph.spec, graph.facts, graph.task, list(measured_heads(graph, graph.facts)), problems)


def check_monitors(
    spec: Spec, facts: Facts | None, task: Task | None, heads: list[str], problems: list[Problem]
) -> None:
    """Add a problem for each monitor that is never measured."""
    train = spec.train
    if train is None:
        return
    known = measured(task, has_validation(spec.data, facts), heads)
    stopping = train.early_stopping.monitor if train.early_stopping else None
    dropping = getattr(train.schedule, "monitor", None)
    for name, path in (
        (train.monitor, ("train", "monitor")),
        (stopping, ("train", "early_stopping", "monitor")),
        (dropping, ("train", "schedule", "plateau", "monitor")),
    ):
        if name is None or name in known:
            continue
        hint = did_you_mean(name, known, "measured")
        if name.startswith("val_") and not any(measure.startswith("val_") for measure in known):
            hint = "nothing is held out: set `data.validation`, or monitor a train_ measure"
        where = ".".join(path)
        problems.append(Problem("monitor", f"`{name}` is never measured", position_of(spec, *path), where, hint=hint))


def _check_statistics(graph: Graph, problems: list[Problem]) -> None:
    """Add a problem where a batch norm would have to learn a variance from a single number."""
    train = graph.spec.train
    if train is None or train.batch_size != 1:
        return
    for leaf in graph.leaves:
        shape = leaf.input.shape
        if leaf.layer.is_batch_norm and leaf.path not in graph.frozen and shape.size == shape.features:
            message = f"with `batch_size: 1` `{leaf.path}` sees one number of each feature, which has no variance"
            position = position_of(graph.spec, "train", "batch_size")
            hint = "take larger batches, or use `layer_norm`"
            problems.append(Problem("batch-norm", message, position, "train.batch_size", hint=hint))
            return


def _check_lasting(graph: Graph, problems: list[Problem]) -> None:
    """Add a problem where no loss is left to evaluate by."""
    train = graph.spec.train
    if train is None or not all(loss.training_only for loss in train.loss):
        return
    kinds = " and ".join(f"`{loss.kind}`" for loss in train.loss)
    message = f"{kinds} alone: in evaluation no loss is left"
    hint = "add the loss that the network is for, such as `- cross_entropy`"
    problems.append(Problem("loss", message, position_of(graph.spec, "train", "loss"), "train.loss", hint=hint))


def _check_loss(graph: Graph, loss: Loss, index: int, problems: list[Problem], refusals: list[Problem]) -> None:
    spec = graph.spec
    position, where = loss_position(spec, index), loss_place(spec, index)
    shape = graph.output.shape
    if loss.at not in (None, "output"):
        assert loss.at is not None
        known = [*graph.heads, *graph.tag_signals]
        signal = graph.heads[loss.at].output if loss.at in graph.heads else graph.tag_signals.get(loss.at)
        if signal is None:
            hint = did_you_mean(loss.at, known, "tags and heads")
            problems.append(Problem("unknown-tag", f"there is no tag or head `{loss.at}`", position, where, hint=hint))
            return
        shape = signal.shape
    unknown = [name for name in loss.streams() if spec.data is None or name not in spec.data.streams]
    if unknown:
        streams = spec.data.streams if spec.data else {}
        hint = "name it under `data`: `streams: {NAME: {dataset: …}}`"
        if streams:
            hint = did_you_mean(unknown[0], streams, "streams")
        message = f"there is no stream `{unknown[0]}`"
        problems.append(Problem("unknown-stream", message, position, where, hint=hint))
        return
    fields = ["data.target", *(f"data.{name}" for name in graph.inputs)]
    if loss.target is not None and loss.target not in fields:
        hint = did_you_mean(loss.target, fields, "targets")
        problems.append(Problem("target", f"there is no `{loss.target}`", position, where, hint=hint))
        return
    try:
        loss.check_layers({leaf.path: leaf.layer for leaf in graph.leaves})
    except ShapeError as error:
        problems.append(Problem("layers", error.message, position, where, (error.detail,), error.hint))
    if not _check_values(graph, loss, shape, position, where, problems) or not loss.uses_target:
        return
    if loss.target not in (None, "data.target"):
        assert loss.target is not None
        wanted = graph.inputs[loss.target.removeprefix("data.")]
        if not wanted.dims and wanted.vocabulary is not None and "classification" in loss.tasks:  # further labels
            if not _names_classes(shape, wanted.vocabulary, loss):
                details = (f"the loss gets {shape}", f"`{loss.target}` has {wanted.vocabulary} classes")
                hint = f"end with `linear: {wanted.vocabulary}`"
                message = "the value does not have one number for each class"
                problems.append(Problem("classes", message, position, where, details, hint))
        elif wanted.dims != shape.dims:
            details = (f"the loss gets {shape}", f"its target `{loss.target}` is {wanted}")
            problems.append(Problem("shape", f"`{loss.kind}` compares unlike shapes", position, where, details))
        return
    facts = graph.facts
    if facts is None:
        return
    if facts.task not in loss.tasks:
        hint = "use mse or l1" if facts.task == "regression" else "use cross_entropy"
        message = f"`{loss.kind}` is not for {facts.task}, which the data set's target is"
        problems.append(Problem("target", message, position, where, hint=hint))
        return
    if facts.task == "regression" and loss.answers and shape.dims != (facts.targets,):
        details = (f"the loss gets {shape}", f"the data has {facts.targets} number(s) to predict per sample")
        hint = f"end with `linear: {facts.targets}`"
        refusals.append(Problem("outputs", "the output does not match the target", position, where, details, hint))
    if facts.classes == 1:
        name = f", `{facts.class_names[0]}`" if facts.class_names else ""
        hint = "give it a second class, or compare with the input: `target: data.input`"
        message = f"the data set has a single class{name}: there is nothing to tell apart"
        problems.append(Problem("classes", message, position, where, hint=hint))
        return
    named = not loss.answers or facts.classes is None or _names_classes(shape, facts.classes, loss)
    if facts.task == "classification" and not named:
        details = (f"the loss gets {shape}", f"the data has {facts.classes} classes")
        hint = "end with `linear: $classes`"
        message = "the output does not have one number for each class"
        refusals.append(Problem("classes", message, position, where, details, hint))


def _check_values(
    graph: Graph, loss: Loss, shape: Shape, position: Position, where: str, problems: list[Problem]
) -> bool:
    """Return whether the loss can be computed from values of this shape, and add a problem if not."""
    try:
        loss.check_values(shape, graph.facts.classes if graph.facts else None, graph.inputs)
    except ShapeError as error:
        details = (error.detail,) if error.detail else ()
        problems.append(Problem("loss", error.message, position, where, details, error.hint))
        return False
    return True


def _names_classes(shape: Shape, classes: int, loss: Loss) -> bool:
    """Return whether an output can name a class: a number for each, or a single one that tells two apart."""
    single = shape.features == 1 and classes <= 2 and loss.kind != "cross_entropy"
    return len(shape.dims) == 1 and (shape.features >= classes or single)


def loss_position(spec: Spec, index: int) -> Position:
    """Return where a loss of the recipe stands."""
    position = position_of(spec, "train", "loss", index)
    return position if position != NOWHERE else position_of(spec, "train", "loss")


def loss_place(spec: Spec, index: int) -> str:
    """Return the field that a loss of the recipe is."""
    assert spec.train is not None
    return f"train.loss[{index}]" if len(spec.train.loss) > 1 else "train.loss"
