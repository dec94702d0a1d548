"""The learning-rate range test: a short run whose rate grows from step to step shows which rates train.

L. Smith: Cyclical learning rates for training neural networks, 2017.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any

from nnctl.data.load import Batch, Splits, load
from nnctl.data.order import epoch_order
from nnctl.device import reproducible, resolve_device
from nnctl.errors import Problem, SpecError, UsageError
from nnctl.graph.build import Graph
from nnctl.step import NotFinite, stepper_of
from nnctl.training.begin import begin
from nnctl.training.reporter import Reporter
from nnctl.training.run import batches_of, needed

STEPS = 120
LEAST, MOST = 1e-7, 10.0
"""The rates of the first and the last step."""
_SMOOTHING = 0.9  # weight of the past in the average that the loss is read from
_DIVERGED = 4.0  # times the least smoothed loss
_HALF = 7  # steps to either side over which the slope is taken, a decade in all: single batches differ by chance
_BEFORE_BEST = 10.0  # where the loss is least the rate is already about to be too large


@dataclass(frozen=True, slots=True)
class RateRange:
    """What a range test saw, one entry a step."""

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]
    best: float
    """The rate at which the smoothed loss was least."""
    proposed: float
    """Where the smoothed loss fell fastest in the logarithm of the rate, at most a tenth of `best`; two digits."""
    diverged: float | None
    """The rate at which the loss had grown beyond use; None where it never did."""

    def as_json(self) -> dict[str, Any]:
        """Return the object that `--json` prints."""
        return {name: getattr(self, name) for name in ("proposed", "best", "diverged", "rates", "losses", "smoothed")}


def find_rate(graph: Graph, device: str = "auto", reporter: Reporter | None = None) -> RateRange:
    """Take up to STEPS steps of a spec's recipe at rates that grow evenly in their logarithm, on a network of its own.

    Nothing is written. Raises SpecError where the spec cannot be trained, UsageError where no rate lowers the loss.
    """
    recipe, data = needed(graph)
    if recipe.optimizer.gradient_free or recipe.optimizer.needs_closure or recipe.bagging is not None:
        what = "bagging trains several networks" if recipe.bagging else f"`{recipe.optimizer.kind}` finds its own steps"
        raise SpecError(Problem("usage", f"{what}: there is no range of rates to test", where="train"))
    place, reporter = resolve_device(device), reporter or Reporter()
    with reproducible(place):
        splits = load(data, graph.spec.seed, place, splits=("train",), progress=reporter.on_data)
        batches = batches_of(graph, recipe, splits)
        stepper = stepper_of(graph, recipe, begin(graph, splits.train, batches, reporter).to(place).train(), place)
        rates: list[float] = []
        losses: list[float] = []
        for step in range(STEPS):
            rate = LEAST * (MOST / LEAST) ** (step / (STEPS - 1))
            try:
                loss = stepper(_batch(splits, batches, graph.spec.seed, step), step, rate)[0].item()
            except NotFinite:
                return read_range(rates, losses, rate)
            rates.append(rate)
            losses.append(loss)
            smoothed = smooth(losses)
            if not isfinite(loss) or smoothed[-1] > _DIVERGED * min(smoothed):
                return read_range(rates, losses, rate)
            reporter.on_data("testing rates", step + 1, STEPS)
    return read_range(rates, losses, None)


def smooth(losses: list[float]) -> list[float]:
    """Return the exponential average of losses up to each step, its start corrected for."""
    average, smoothed = 0.0, []
    for step, loss in enumerate(losses, start=1):
        average = _SMOOTHING * average + (1 - _SMOOTHING) * loss
        smoothed.append(average / (1 - _SMOOTHING**step))
    return smoothed


def read_range(rates: list[float], losses: list[float], diverged: float | None) -> RateRange:
    """Return what rates and losses of a test say. Raises UsageError where the loss never fell."""
    smoothed = smooth(losses)
    least = min(range(len(rates)), key=smoothed.__getitem__) if rates else 0
    if least < 2:
        message = "the loss fell at no rate: there is none to propose"
        raise UsageError(
            Problem("rate-range", message, hint="look at the network with `nnctl inspect SPEC --preflight`")
        )
    half = min(_HALF, least // 2)
    slopes = {  # of the straight line through each stretch, up to a factor: steps are even in the rate's logarithm
        step: sum(away * smoothed[step + away] for away in range(-half, half + 1))
        for step in range(half, least - half + 1)
    }
    steepest = rates[min(slopes, key=slopes.__getitem__)]
    proposed = min(steepest, rates[least] / _BEFORE_BEST)
    return RateRange(tuple(rates), tuple(losses), tuple(smoothed), rates[least], float(f"{proposed:.1e}"), diverged)


def _batch(splits: Splits, batches: list[slice], seed: int, step: int) -> Batch:
    epoch, number = divmod(step, len(batches))
    return splits.train.batch(epoch_order(len(splits.train), seed, epoch + 1)[batches[number]], step=step)
