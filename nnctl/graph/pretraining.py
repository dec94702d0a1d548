"""What layer-wise pretraining needs: stages that learn, on the way from input to output, in its order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nnctl.document.suggest import did_you_mean
from nnctl.errors import Problem
from nnctl.graph.checks import position_of
from nnctl.graph.nodes import Head

if TYPE_CHECKING:
    from nnctl.graph.build import Graph


def check_pretrain(graph: Graph) -> Iterator[Problem]:
    """Yield what is wrong with the stages, and with the optimiser that is to train them."""
    train = graph.spec.train
    if train is None or train.pretrain is None:
        return
    where = "train.pretrain.autoencoder.stages"
    position = position_of(graph.spec, *where.split("."))
    heads = [step.path for step in graph.network.steps if isinstance(step, Head)]
    entries = [step.path for step in graph.network.steps if hasattr(step, "path") and step.path not in heads]
    weighted = {row.path.partition(".")[0] for row in graph.rows if row.params}
    learning = {row.path.partition(".")[0] for row in graph.rows if row.params and row.path not in graph.frozen}
    known = [entry for entry in entries if entry in learning]
    stages = train.pretrain.autoencoder.stages
    for stage in stages:
        if stage in heads:
            hint = "name the layers that lead to the output"
            yield Problem("head", f"`{stage}` is a head, beside the way to the output", position, where, hint=hint)
        elif stage not in entries:
            hint = did_you_mean(stage, known, "entries with weights")
            yield Problem("unknown-path", f"`model.layers` has no entry `{stage}`", position, where, hint=hint)
        elif stage not in learning:
            message = f"`{stage}` is frozen" if stage in weighted else f"`{stage}` has nothing to learn"
            hint = f"entries with weights that learn: {', '.join(known)}"
            yield Problem("no-parameters", message, position, where, hint=hint)
    places = [entries.index(stage) for stage in stages if stage in entries]
    if not stages or places != sorted(set(places)):
        hint = "each stage learns from what the ones before it make of the data"
        yield Problem("order", "stages are not named in the order of the layers", position, where, hint=hint)
    if train.optimizer.needs_closure or train.optimizer.gradient_free:
        message = f"`{train.optimizer.kind}` cannot train the stages of `train.pretrain`"
        place = position_of(graph.spec, "train", "optimizer")
        yield Problem("pretrain", message, place, "train.optimizer", hint="use sgd or adam")
