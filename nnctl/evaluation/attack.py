"""How much of a network's accuracy is left when its inputs are changed to mislead it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn

from nnctl.errors import Problem, UsageError
from nnctl.evaluation.measure import BATCH
from nnctl.evaluation.meter import Meter, Reading
from nnctl.kinds.losses.base import OUTPUT, Loss, Pass
from nnctl.modules.adversarial import Attack, attacked, pgd
from nnctl.objective import Objective, in_fp32
from nnctl.randomness import derive
from nnctl.step import autocast, generator_of

if TYPE_CHECKING:
    from nnctl.data.load import Batch, Split


@dataclass(frozen=True, slots=True)
class Robustness:
    """Measures at attacked inputs."""

    attack: str
    """The attack as it was asked for, such as `pgd:0.1:10`."""
    loss: float
    accuracy: float


def parse_attack(text: str) -> Attack:
    """Return the attack of `fgsm:EPSILON` or `pgd:EPSILON[:STEPS]`; ε may be a fraction. Raises UsageError."""
    kind, *numbers = text.split(":")
    most = {"fgsm": 1, "pgd": 2}.get(kind)
    try:
        if most is None or not 1 <= len(numbers) <= most:
            raise ValueError
        epsilon = float(Fraction(numbers[0]))
        steps = int(numbers[1]) if len(numbers) == 2 else None
        if not isfinite(epsilon) or epsilon <= 0 or (steps is not None and steps < 1):
            raise ValueError
    except (ValueError, ZeroDivisionError, OverflowError):
        message = f"`{text}` is no attack"
        hint = "write fgsm:EPSILON or pgd:EPSILON:STEPS, such as fgsm:0.1, pgd:8/255 or pgd:0.1:20; ε is above 0"
        raise UsageError(Problem("attack", message, where="--attack", hint=hint)) from None
    return Attack(epsilon) if kind == "fgsm" else pgd(epsilon, steps)


def measure_robustness(
    net: nn.Module,
    split: Split,
    losses: Sequence[Loss],
    reading: Reading,
    text: str,
    *,
    seed: int,
    precision: Literal["fp32", "bf16"] = "fp32",
) -> Robustness:
    """Return the measures of `net` on all samples of `split`, each changed by the attack that `text` names.

    The attack raises the first loss that compares the output with the target. Raises UsageError where none does, or
    the network's inputs are all codes.
    """
    attack = parse_attack(text)
    answering = next((loss for loss in losses if _answers(loss)), None)
    numbers = any(x.is_floating_point() for x in split.batch(slice(0, 1)).inputs.values())
    if answering is None or reading.task != "classification" or not numbers:
        message = "an attack needs a network that names classes, from inputs that are numbers"
        raise UsageError(Problem("attack", message, where="--attack", hint="measure without `--attack`"))
    objective = Objective([answering.model_copy(update={"weight": 1.0})])  # a weight of 0 would leave nothing to raise
    meter = Meter(reading)
    device = split.target.device if (first := next(net.parameters(), None)) is None else first.device
    generator, training = generator_of(device), net.training

    def forward(batch: Batch, inputs: dict[str, Tensor]) -> Pass:
        with autocast(device, precision):
            return in_fp32(objective.forward(net, replace(batch, inputs=inputs)), precision)

    def loss(batch: Batch, inputs: dict[str, Tensor]) -> Tensor:
        return objective(forward(batch, inputs))

    net.eval()
    for begin in range(0, len(split), BATCH):
        batch = split.batch(slice(begin, min(begin + BATCH, len(split))))
        generator.manual_seed(derive(seed, "attack", begin))
        worst = attacked(attack, net, batch.inputs, partial(loss, batch))
        with torch.no_grad():
            seen = forward(batch, worst)
            meter.add(objective(seen), seen.outputs[OUTPUT], batch.target)
    net.train(training)
    found = meter.result()
    return Robustness(text, found["loss"], found["accuracy"])


def _answers(loss: Loss) -> bool:
    own = loss.at in (None, OUTPUT) and loss.target in (None, "data.target")
    return own and loss.uses_target and loss.answers and not loss.training_only
