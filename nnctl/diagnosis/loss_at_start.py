"""Whether the loss before training is that of a network which knows nothing yet, and has nothing to unlearn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import log

import torch
from torch import Tensor

from nnctl.data.load import Batch
from nnctl.diagnosis.measure import in_type
from nnctl.diagnosis.result import Check
from nnctl.diagnosis.session import Session
from nnctl.graph.nodes import Leaf
from nnctl.kinds.layers.base import Weighted
from nnctl.objective import OUTPUT, Pass
from nnctl.randomness import derive
from nnctl.step import generator_of

_NAME = "loss at initialisation"
_REGRESSIONS = frozenset({"mse", "l1", "huber"})
_ENOUGH = 512
"""Samples that tell how targets are spread."""
_FAR = 10.0
"""How many times the loss of the targets' mean a start may have: outputs about 0 and targets with a mean of less than
three deviations stay below it."""


def loss_at_start(session: Session, batch: Batch) -> Iterator[Check]:
    """Yield the check for the losses that say what guessing comes to: cross-entropy, and distances to numbers."""
    if len(session.losses) > 1 or session.losses[0].place != OUTPUT:
        return
    (loss,) = session.losses
    if not loss.weight:
        return
    if loss.kind == "cross_entropy":
        yield _of_classes(session, batch)
    elif loss.kind in _REGRESSIONS and loss.target in (None, "data.target"):
        yield from _of_numbers(session, batch)


def _of_classes(session: Session, batch: Batch) -> Check:
    """Logits near 0 say that all classes are alike: the loss is ln C."""
    classes, weight = session.graph.output.shape.features, session.losses[0].weight
    value = float(_losses(session, [batch])[0][0]) / weight
    guess = log(classes)
    ok = guess / 2 <= value <= 2 * guess + 1
    cause = (
        "the network prefers some classes before it has seen any: its last layer starts too large, "
        "or its inputs are not standardised"
        if value > guess
        else "the network knows the answers before training: the target is among its inputs, or weights are trained"
    )
    return Check(_NAME, ok, value, f"about ln {classes} = {guess:.3g}", None if ok else cause)


def _of_numbers(session: Session, batch: Batch) -> Iterator[Check]:
    """Who knows nothing answers the targets' mean; with mse the loss is then their variance."""
    batches = [batch]
    others = session.batches.others(0)
    while sum(one.n for one in batches) < _ENOUGH and (more := next(others, None)) is not None:
        batches.append(in_type(more, session.subject.net))
    losses, outputs = _losses(session, batches)
    targets = torch.cat([one.target for one in batches]).to(outputs)
    if not batch.target.is_floating_point() or targets.numel() != outputs.numel():
        return
    targets = targets.reshape(outputs.shape)
    objective = session.stepper().objective
    answer = {OUTPUT: targets.mean(0, keepdim=True).expand_as(targets)}
    guess = float(objective(Pass(session.subject.net, replace(batch, target=targets), answer, {})))
    if guess <= 0:
        return
    value = float((losses * torch.tensor([one.n for one in batches])).sum() / len(targets))
    ok = value <= _FAR * guess
    expected = f"at most {_FAR:g} times that of answering the targets' mean, {guess:.3g}"
    yield Check(_NAME, ok, value, expected, None if ok else _far_off(outputs, targets, session.graph.leaves[-1]))


def _far_off(outputs: Tensor, targets: Tensor, last: Leaf) -> str:
    """Say whether it is the targets or the outputs that are far from 0, and what to do."""
    about, start, spread = float(targets.mean()), float(outputs.mean()), float(outputs.std())
    seen = f"targets are {about:.3g} ± {float(targets.std()):.3g} and outputs start at {start:.3g} ± {spread:.3g}"
    if float(outputs.square().mean()) > float(targets.square().mean()):
        return f"{seen}: the last layer starts too large, or the inputs are not standardised"
    cure = "standardise them in the data"
    if targets[0].numel() == 1 and getattr(last.layer, "bias", False) and isinstance(last.layer, Weighted):
        cure = f"start at their mean, with `init: {{bias: {{constant: {about:.4g}}}}}` in {last.path}, or {cure}"
    return f"{seen}: the targets are not standardised; {cure}"


@torch.no_grad()
def _losses(session: Session, batches: list[Batch]) -> tuple[Tensor, Tensor]:
    """Return the loss of each batch, and the outputs for all of them."""
    stepper = session.stepper()
    generator_of(session.device).manual_seed(derive(session.graph.spec.seed, "preflight"))
    passes = [stepper.objective.forward(stepper.net, batch) for batch in batches]
    losses = torch.stack([stepper.objective(seen) for seen in passes]).double().cpu()
    return losses, torch.cat([seen.outputs[OUTPUT] for seen in passes])
