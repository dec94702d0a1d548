"""The training loop, as one would write it by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from math import isfinite
from time import perf_counter
from typing import TYPE_CHECKING

import torch
from torch import nn

from nnctl.admm_step import AdmmStepper
from nnctl.data.order import epoch_order
from nnctl.evaluation.measure import measure
from nnctl.evaluation.meter import Meter, Reading
from nnctl.graph.heads import Answer
from nnctl.kinds.schedules.base import Schedule
from nnctl.kinds.schedules.plateau import Plateau
from nnctl.objective import Objective
from nnctl.posix import Interrupts
from nnctl.spec.sections import Train
from nnctl.step import NotFinite, Stepper
from nnctl.training.choice import Drops, better_of
from nnctl.training.keeper import Keeper
from nnctl.training.progress import Progress
from nnctl.training.reporter import EpochReport, Reporter, StepReport
from nnctl.training.result import Stopped
from nnctl.training.watch import Watch

if TYPE_CHECKING:
    from nnctl.data.bootstrap import Bootstrap
    from nnctl.data.load import Split

LOG_EVERY = 50
"""Steps between two lines of metrics.jsonl; an accelerator is waited for as often."""


@dataclass(frozen=True)
class Job:
    """What is trained, on what, and how: all that stays the same from the first step to the last."""

    net: nn.Module
    step: Stepper | AdmmStepper
    train: Split | Bootstrap
    validation: Split | None
    batches: Sequence[slice]
    """The places of each batch in an epoch's order."""
    recipe: Train
    schedule: Schedule
    reading: Reading
    measured: Objective
    """The objective as far as evaluation can measure it."""
    heads: Mapping[str, Answer]
    """Heads that run in evaluation."""
    monitor: str
    seed: int
    device: torch.device
    watch: Watch | None = None
    """What takes the steps that the recipe wants to see into."""

    def rate(self, step: int, drops: Drops) -> float:
        """Return the learning rate of a step, counted from 0, after the drops at plateaus so far."""
        steps, size = self.recipe.epochs * len(self.batches), self.batches[0].stop
        factor = self.schedule.scale(size) * self.schedule.factor_at(step, steps, len(self.batches))
        return self.recipe.optimizer.lr * factor * drops.factor


def fit(
    job: Job, progress: Progress, meter: Meter, keeper: Keeper, reporter: Reporter, interrupts: Interrupts
) -> Stopped:
    """Train from `progress` to the end of the recipe or an earlier stop; return why it ended.

    Raises NotFinite where a loss, a measure or a weight is infinite or not a number.
    """
    began = perf_counter() - progress.seconds
    while progress.epoch <= job.recipe.epochs:
        _train_epoch(job, progress, meter, keeper, reporter, interrupts, began)
        if interrupts.signal is not None:
            keeper.commit(progress)
            return "interrupted"
        _end_epoch(job, progress, meter, keeper, reporter, began)
        if progress.stopped is not None:
            return progress.stopped
    return "finished"


def _train_epoch(
    job: Job,
    progress: Progress,
    meter: Meter,
    keeper: Keeper,
    reporter: Reporter,
    interrupts: Interrupts,
    began: float,
) -> None:
    """Take the steps that are left of the epoch, or those up to an interrupt."""
    order = epoch_order(len(job.train), job.seed, progress.epoch, job.recipe.sampling)
    job.net.train()
    checked = len(meter.losses)
    resumed = perf_counter()
    next_report = resumed + reporter.interval
    for places in job.batches[progress.batch :]:
        rate = job.rate(progress.step, progress.drops)
        batch = job.train.batch(order[places], step=progress.step)
        if job.watch is not None and job.watch.due(progress.step):
            loss, output, seen = job.watch(batch, progress.step, rate)
            keeper.history.add("inspect", {"step": progress.step + 1, "epoch": progress.epoch, **seen})
        else:
            loss, output = job.step(batch, progress.step, rate)
        meter.add(loss, output, batch.answer)
        progress.step += 1
        progress.batch += 1

        if progress.step % LOG_EVERY == 0:
            _check(meter, checked, progress)
            checked = len(meter.losses)
            now = perf_counter() - began
            line = {"step": progress.step, "epoch": progress.epoch, "time": round(now, 3), "train_loss": loss.item()}
            keeper.history.add("step", line | {"rate": rate})
        if (now := perf_counter()) >= next_report:
            next_report = now + reporter.interval
            speed = meter.samples / (progress.epoch_seconds + now - resumed)
            reporter.on_step(StepReport(progress.step, progress.epoch, progress.batch, loss.item(), rate, speed))
        if interrupts.signal is not None:
            break
        if keeper.due_within_epoch(progress) and progress.batch < len(job.batches):
            progress.epoch_seconds += perf_counter() - resumed
            progress.seconds = perf_counter() - began
            keeper.commit(progress)
            resumed = perf_counter()
    if job.device.type == "cuda":
        torch.cuda.synchronize(job.device)
    progress.epoch_seconds += perf_counter() - resumed
    progress.seconds = perf_counter() - began
    _check(meter, checked, progress)


def _end_epoch(job: Job, progress: Progress, meter: Meter, keeper: Keeper, reporter: Reporter, began: float) -> None:
    """Measure, choose the best, decide whether to stop, and tell."""
    samples, seconds = meter.samples, progress.epoch_seconds
    metrics = {f"train_{name}": value for name, value in meter.result().items()}
    with job.step.average.applied() if job.step.average else nullcontext():
        if job.validation is not None:
            measures, _ = measure(
                job.net,
                job.validation,
                job.measured,
                job.reading,
                heads=job.heads,
                precision=job.recipe.precision,
            )
            metrics |= {f"val_{name}": value for name, value in measures.items()}
        for name, value in metrics.items():
            if not isfinite(value):
                raise NotFinite(f"{name} is {value} after epoch {progress.epoch}", progress.step)
        best = better_of(progress.best, progress.epoch, job.monitor, metrics[job.monitor])
        if improved := best is not progress.best:
            keeper.keep_best(progress, metrics)

    progress.best, progress.metrics = best, metrics
    rate = job.rate(progress.step - 1, progress.drops)
    epoch, speed = progress.epoch, samples / max(seconds, 1e-9)
    progress.close_epoch(samples)
    meter.clear()
    if isinstance(job.schedule, Plateau):
        watched = job.schedule.monitor or job.monitor
        progress.drops = progress.drops.after(job.schedule, watched, metrics[watched])
    if _should_stop(job, progress):
        progress.stopped = "early"
    elif progress.epoch > job.recipe.epochs:
        progress.stopped = "finished"
    progress.seconds = perf_counter() - began
    line = {"epoch": epoch, "step": progress.step, "time": round(progress.seconds, 3), **metrics}
    keeper.history.add("epoch", line | {"rate": rate, "images_per_second": round(speed, 1)})
    if progress.stopped and job.recipe.early_stopping and job.recipe.early_stopping.restore_best:
        keeper.restore_best()
    if progress.stopped or keeper.due_after_epoch(epoch):
        keeper.commit(progress)
    reporter.on_epoch(EpochReport(epoch, progress.step, metrics, rate, speed, progress.seconds, best, improved))


def _should_stop(job: Job, progress: Progress) -> bool:
    rule = job.recipe.early_stopping
    if rule is None:
        return False
    monitor = rule.monitor or job.monitor
    progress.patience = progress.patience.after(monitor, progress.metrics[monitor], rule.min_delta)
    return progress.patience.epochs >= rule.patience


def _check(meter: Meter, checked: int, progress: Progress) -> None:
    """Raise NotFinite for the first unread loss that is not finite; waits for the device."""
    unread = meter.losses[checked:]
    if not unread:
        return
    for number, value in enumerate(torch.stack(unread).tolist()):
        if not isfinite(value):
            raise NotFinite(f"the loss is {value}", progress.step - len(unread) + number + 1)
