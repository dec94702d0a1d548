"""`--preflight`: what should hold before a long training is worth its time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import sqrt

import torch
from torch import Tensor, nn

from nnctl.data.load import Batch
from nnctl.diagnosis.loss_at_start import loss_at_start
from nnctl.diagnosis.measure import in_type
from nnctl.diagnosis.norms import norm, wide
from nnctl.diagnosis.result import Check
from nnctl.diagnosis.session import Session
from nnctl.objective import OUTPUT, Objective, outputs_of
from nnctl.randomness import derive
from nnctl.step import generator_of

FEW, STEPS, RATES = 16, 300, (1e-3, 1e-2)
"""Samples that are learned by heart, Adam's steps for it at most, and the rates of which one has to do."""
LEARNED = 0.1
"""Share of the first loss that is left when they are."""
SAME = 1e-4
"""Relative differences below this are rounding."""
SHUFFLED_STEPS, HELD_OUT = 60, 512
"""Adam's steps with shuffled labels, and the samples that they are tested on."""


def preflight_checks(session: Session) -> tuple[Check, ...]:
    """Return the answers: the loss at the start against that of guessing, one batch learned by heart, samples that do
    not see each other, an output that depends on the input, and no knowledge gained from shuffled labels.

    Questions that make no sense for the losses or the data are left out. Everything happens on copies.
    """
    stepper = session.stepper()
    batch = in_type(session.batches.at(0), stepper.net)
    checks = [*loss_at_start(session, batch), _one_batch(session, batch)]
    checks += [_independent(stepper.net, batch), _input_used(stepper.net, batch)]
    checks += _shuffled_labels(session)
    return tuple(checks)


def _one_batch(session: Session, batch: Batch) -> Check:
    """A few samples can be learned by heart where network, loss and labels fit together."""
    few = batch.part(slice(0, min(FEW, batch.n)))
    best = 1.0
    for rate in RATES:
        stepper = session.stepper()
        first, last = 0.0, 0.0
        for step, loss in enumerate(_trained(stepper.net, stepper.objective, [few] * STEPS, rate, session)):
            first, last = loss if step == 0 else first, loss
            if first <= 0 or last <= LEARNED * first:
                break
        best = min(best, last / first) if first > 0 else 0.0
        if best <= LEARNED:
            break
    ok = best <= LEARNED
    cause = (
        f"{few.n} samples cannot be learned by heart in {STEPS} steps of Adam: the network is too small, it passes no "
        "gradients on, equal inputs have different labels, or the loss does not fit the output"
    )
    expected = f"at most {LEARNED:g} of the first loss left"
    return Check("one batch learned by heart", ok, best, expected, None if ok else cause)


@torch.no_grad()
def _independent(net: nn.Module, batch: Batch) -> Check:
    """In eval mode, which leaves batch norm's sharing aside, a sample's output is the same in any company."""
    inputs = {name: torch.cat((x[:1], x.roll(1, 0)[1:])) for name, x in batch.inputs.items()}
    alone, other = _output(net, batch), _output(net, replace(batch, inputs=inputs))
    difference = norm(wide(alone[0]) - wide(other[0]))
    value = difference / (norm(wide(alone[0])) or 1.0)
    ok = value <= SAME
    cause = "samples see each other: an axis of the batch is mixed with another, as a wrong reshape does"
    return Check("samples are independent", ok, value, "the same output in any batch", None if ok else cause)


@torch.no_grad()
def _input_used(net: nn.Module, batch: Batch) -> Check:
    """Different inputs have different outputs."""
    output = wide(_output(net, batch))
    value = norm(output - output.mean(0)) / (norm(output) or 1.0) if len(output) > 1 else 1.0
    ok = value > SAME
    cause = "the output is the same whatever the input: it is lost on its way through the layers"
    return Check("the input is used", ok, value, f"outputs that vary by more than {SAME:g}", None if ok else cause)


def _shuffled_labels(session: Session) -> Iterator[Check]:
    """Who learned from labels in random order knows nothing about others."""
    graph = session.graph
    batches = [in_type(session.batches.at(step), session.subject.net) for step in range(SHUFFLED_STEPS)]
    labels = batches[0].answer
    if session.batches.name == "random" or graph.task != "classification" or labels.dim() != 1:
        return
    held, seen = [], 0
    for batch in session.batches.others(0):
        if seen >= HELD_OUT:
            break
        held.append(in_type(batch, session.subject.net))
        seen += batch.n
    tested = held or batches[:1]
    seed = derive(graph.spec.seed, "shuffled labels")
    shuffled = [
        replace(
            batch,
            target=batch.answer[
                torch.randperm(batch.n, generator=torch.Generator().manual_seed(seed + step)).to(batch.answer.device)
            ],
            labels=None,
        )
        for step, batch in enumerate(batches)
    ]
    stepper = session.stepper()
    for _ in _trained(stepper.net, stepper.objective, shuffled, RATES[0], session):
        pass
    answers = torch.cat([batch.answer for batch in tested])
    with torch.no_grad():
        guesses = torch.cat([_output(stepper.net, batch).argmax(1) for batch in tested])
    value = float((guesses == answers).double().mean())
    chance = float(answers.bincount().max()) / len(answers)
    bound = chance + 4 * sqrt(chance * (1 - chance) / len(answers))
    ok = value <= bound
    cause = "a network trained on shuffled labels knows the true ones: something besides the labels tells the answers"
    yield Check("shuffled labels drop to chance", ok, value, f"at most {bound:.3g}", None if ok else cause)


def _trained(
    net: nn.Module, objective: Objective, batches: Sequence[Batch], rate: float, session: Session
) -> Iterator[float]:
    """Train a network by Adam on one batch after the other; yield each loss before its step."""
    parameters = [p for p in net.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(parameters, lr=rate)
    for step, batch in enumerate(batches):
        generator_of(session.device).manual_seed(derive(session.graph.spec.seed, "preflight", step))
        loss = objective(objective.forward(net, batch))
        yield float(loss.detach())
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()


def _output(net: nn.Module, batch: Batch) -> Tensor:
    mode = net.training
    net.eval()
    output = outputs_of(net, batch, False)[OUTPUT]
    net.train(mode)
    return output
