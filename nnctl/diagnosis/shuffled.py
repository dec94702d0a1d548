"""What a network knows of labels in random order: nothing, unless they reach it by another way than the loss."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import torch
from torch import Tensor

from nnctl.data.load import Split
from nnctl.data.order import batch_slices
from nnctl.diagnosis.batches import TrainingBatches
from nnctl.diagnosis.measure import in_type
from nnctl.diagnosis.practice import answer_of, practised
from nnctl.diagnosis.result import Check
from nnctl.diagnosis.session import Session
from nnctl.randomness import derive

STEPS, RATE, HELD_OUT = 60, 1e-2, 512
"""Adam's steps with shuffled labels, their rate, and the samples at most that are never trained on."""
SIZES = 16, 128
"""The fewest and the most samples of one of these steps: the recipe's batch may be a single one, or all."""
ORDERS = 10_000
"""Random orders of the labels that chance is read off: it beats all of them once in as many networks."""


def shuffled_labels(session: Session) -> Iterator[Check]:
    """Give every sample another's label, train on some samples, and ask for the labels of the others.

    Labels in random order have nothing to do with the inputs, so that the guesses are right as often as for any other
    order of the same labels, however they depend on each other: a permutation test. The order is drawn before batches
    are made, so that a batch which shows the network its labels shows it these.
    """
    batches = session.batches
    if not isinstance(batches, TrainingBatches) or session.graph.task != "classification":
        return
    samples = batches.samples
    if samples.target.dim() != 1 or len(samples) < 2:
        return
    generator = torch.Generator().manual_seed(derive(session.graph.spec.seed, "shuffled labels"))
    shuffled = copy.copy(samples)
    shuffled.target = samples.target[torch.randperm(len(samples), generator=generator).to(samples.target.device)]
    order = torch.randperm(len(samples), generator=generator)
    count = min(HELD_OUT, len(order) // 2)
    guesses, answers = _guessed(session, shuffled, learned=order[count:], held=order[:count])
    value = float((guesses == answers).double().mean())
    bound = _chance(guesses, answers, generator)
    ok = value <= bound
    cause = "labels in random order are guessed for samples never seen: a batch's inputs tell the network its labels"
    yield Check("shuffled labels drop to chance", ok, value, f"at most {bound:.3g}", None if ok else cause)


def _guessed(session: Session, samples: Split, learned: Tensor, held: Tensor) -> tuple[Tensor, Tensor]:
    """Return the guesses for samples held out, and their labels."""
    stepper = session.stepper()
    least, most = SIZES
    size = min(max(session.batches.at(0).n, least), most)
    slices = batch_slices(len(learned), size, join_single=True)
    batches = (
        in_type(samples.batch(learned[slices[step % len(slices)]], step=step), stepper.net) for step in range(STEPS)
    )
    for _ in practised(stepper.net, stepper.objective, batches, RATE, session):
        pass
    parts = batch_slices(len(held), size, join_single=False)
    tested = [in_type(samples.batch(held[part]), stepper.net) for part in parts]
    with torch.no_grad():
        guesses = torch.cat([answer_of(stepper.net, batch).argmax(1) for batch in tested])
    return guesses.cpu(), torch.cat([batch.answer for batch in tested]).cpu()


def _chance(guesses: Tensor, answers: Tensor, generator: torch.Generator) -> float:
    """Return the largest share of right guesses over random orders of the answers."""
    orders = (torch.randperm(len(answers), generator=generator) for _ in range(ORDERS))
    return max(int((answers[order] == guesses).sum()) for order in orders) / len(answers)
