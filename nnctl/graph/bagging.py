"""What bagging needs of the rest of a recipe: nothing that several networks trained side by side would share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nnctl.errors import Problem
from nnctl.graph.checks import loss_place, loss_position, position_of

if TYPE_CHECKING:
    from nnctl.graph.build import Graph

COMPARING = ("contrastive", "triplet", "mmd")
"""Losses of pairs of a batch's samples, not of each sample alone."""
_SHARED_LOSSES = dict.fromkeys(COMPARING, "compares samples of one batch, which belong to different members") | {
    "adversarial": "looks for the inputs that are worst for all members together",
    "contrastive_divergence": "trains a single network's `rbm`",
}


def check_bagging(graph: Graph) -> Iterator[Problem]:
    """Yield a problem for each part of the recipe that members would share."""
    train, model = graph.spec.train, graph.spec.model
    if train is None or train.bagging is None:
        return
    hint = "remove it, or `train.bagging`"
    shared = [
        ("clip.norm", "bounds all members' gradients together", train.clip is not None and train.clip.norm is not None),
        ("optimizer", "looks for one step of all members together", train.optimizer.needs_closure),
        ("optimizer", "trains a single network", train.optimizer.gradient_free),
        ("pretrain", "trains a single network", train.pretrain is not None),
        ("inspect", "looks into a single network", train.inspect is not None),
    ]
    for name, what, wrong in shared:
        if wrong:
            position = position_of(graph.spec, "train", *name.split("."))
            yield Problem("bagging", f"`train.{name}` {what}", position, f"train.{name}", hint=hint)
    for index, loss in enumerate(train.loss):
        if loss.kind in _SHARED_LOSSES:
            message = f"`{loss.kind}` {_SHARED_LOSSES[loss.kind]}"
            place = loss_place(graph.spec, index)
            yield Problem("bagging", message, loss_position(graph.spec, index), place, hint=hint)
    if model.pretrained is not None:
        position = position_of(graph.spec, "model", "pretrained")
        message = "`model.pretrained` would let all members start alike"
        yield Problem("bagging", message, position, "model.pretrained", hint=hint)
