"""`--preflight`: what should hold before a long training is worth its time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor, nn

from nnctl.data.load import Batch
from nnctl.diagnosis.among_inputs import labels_among_inputs
from nnctl.diagnosis.loss_at_start import loss_at_start
from nnctl.diagnosis.measure import in_type
from nnctl.diagnosis.norms import norm, wide
from nnctl.diagnosis.practice import answer_of, practised
from nnctl.diagnosis.result import Check
from nnctl.diagnosis.session import Session
from nnctl.diagnosis.shuffled import shuffled_labels
from nnctl.objective import OUTPUT

FEW, STEPS, RATES = 16, 300, (1e-3, 1e-2, 1e-1)
"""Samples that are learned by heart, Adam's steps for it at most, and the rates of which one has to do."""
LEARNED = 0.1
"""Share of the first loss that is left when they are."""
SAME, ROUNDING = 1e-4, 1e-6
"""Relative differences between outputs: below the first a network has lost its input, below the second one of them."""


def preflight_checks(session: Session) -> tuple[Check, ...]:
    """Return the answers: the loss at the start against that of guessing, one batch learned by heart, samples that do
    not see each other, an output that depends on the input, labels that are not among the inputs, and no knowledge
    gained from shuffled labels.

    Questions that make no sense for the losses or the data are left out. Everything happens on copies.
    """
    stepper = session.stepper()
    batch = in_type(session.batches.at(0), stepper.net)
    checks = [*loss_at_start(session, batch), *_one_batch(session, batch)]
    checks += [_independent(stepper.net, batch), _input_used(session, batch)]
    return (*checks, *labels_among_inputs(session), *shuffled_labels(session))


def _one_batch(session: Session, batch: Batch) -> Iterator[Check]:
    """A few samples can be learned by heart where network, loss and labels fit together.

    What has fewer weights than there are numbers to learn, such as a straight line, is not asked.
    """
    few = batch.part(slice(0, min(FEW, batch.n)))
    weights = sum(p.numel() for p in session.subject.net.parameters() if p.requires_grad)
    if weights < few.target.numel():
        return
    best, right = 1.0, False
    for rate in RATES:
        stepper = session.stepper()
        first, last = 0.0, 0.0
        for step, loss in enumerate(practised(stepper.net, stepper.objective, [few] * STEPS, rate, session)):
            first, last = loss if step == 0 else first, loss
            if first <= 0 or last <= LEARNED * first:
                break
        best = min(best, last / first) if first > 0 else 0.0
        right = best <= LEARNED or _knows(session, stepper.net, few)
        if right:
            break
    cause = (
        f"{few.n} samples cannot be learned by heart in {STEPS} steps of Adam: the network is too small, it passes no "
        "gradients on, equal inputs have different labels, or the loss does not fit the output"
    )
    expected = f"at most {LEARNED:g} of the first loss left, or every label right, with Adam at a rate of its own"
    expected += ", not the recipe's" if session.recipe else ""
    yield Check("one batch learned by heart", right, best, expected, None if right else cause)


@torch.no_grad()
def _knows(session: Session, net: nn.Module, batch: Batch) -> bool:
    """Return whether every label is right: a loss with smoothed labels cannot fall to a tenth."""
    output, labels = answer_of(net, batch), batch.answer
    if session.graph.task != "classification" or labels.dim() != 1 or output.dim() != 2:
        return False
    return bool((output.argmax(1) == labels).all())


@torch.no_grad()
def _independent(net: nn.Module, batch: Batch) -> Check:
    """In eval mode, which leaves batch norm's sharing aside, a sample's output is the same in any company."""
    inputs = {name: torch.cat((x[:1], x.roll(1, 0)[1:])) for name, x in batch.inputs.items()}
    alone, other = answer_of(net, batch), answer_of(net, replace(batch, inputs=inputs))
    difference = norm(wide(alone[0]) - wide(other[0]))
    value = difference / (norm(wide(alone[0])) or 1.0)
    ok = value <= SAME
    cause = "samples see each other: an axis of the batch is mixed with another, as a wrong reshape does"
    return Check("samples are independent", ok, value, "the same output in any batch", None if ok else cause)


def _input_used(session: Session, batch: Batch) -> Check:
    """Different inputs have different outputs, and each of several fields counts: at the start, or where a last layer
    starts at 0, after a step."""
    stepper = session.stepper()
    if _variation(stepper.net, batch) <= SAME or _without_effect(session, stepper.net, batch):
        for _ in practised(stepper.net, stepper.objective, [batch], RATES[0], session):
            pass
    value, expected = _variation(stepper.net, batch), f"outputs that vary by more than {SAME:g}"
    if value <= SAME:
        cause = "the output is the same whatever the input: it is lost on its way through the layers"
    elif idle := _without_effect(session, stepper.net, batch):
        value, expected = 0.0, "outputs that vary with every field of the data"
        cause = f"the output is the same whatever {' and '.join(idle)} holds: no layer takes it, or it is lost"
    else:
        return Check("the input is used", True, value, expected, None)
    return Check("the input is used", False, value, expected, cause)


@torch.no_grad()
def _without_effect(session: Session, net: nn.Module, batch: Batch) -> list[str]:
    """Return those of several fields that may be exchanged between samples without any effect on the output.

    A loss at another place may be what a field is there for, and so may a loss's target.
    """
    if len(batch.inputs) == 1 or any(loss.place != OUTPUT for loss in session.losses):
        return []
    targets = {loss.target for loss in session.losses}
    usual = wide(answer_of(net, batch))

    def matters(name: str, x: Tensor) -> bool:
        other = replace(batch, inputs=batch.inputs | {name: x.roll(1, 0)})
        return norm(wide(answer_of(net, other)) - usual) > ROUNDING * norm(usual)

    return [
        f"`data.{name}`"
        for name, x in batch.inputs.items()
        if f"data.{name}" not in targets and not torch.equal(x, x.roll(1, 0)) and not matters(name, x)
    ]


@torch.no_grad()
def _variation(net: nn.Module, batch: Batch) -> float:
    """Return the size of what differs between the outputs, as a share of theirs."""
    output = wide(answer_of(net, batch))
    return norm(output - output.mean(0)) / (norm(output) or 1.0) if len(output) > 1 else 1.0
