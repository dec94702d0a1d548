"""What a run leaves on the disk, and when: the best weights, curves, and states to resume from."""

from __future__ import annotations

import json
from time import perf_counter

import torch
from torch import Tensor, nn

from nnctl.checkpoint import load_into, read_weights, write_weights
from nnctl.evaluation.meter import Meter
from nnctl.optim.averaging import Average
from nnctl.optim.tensors import optimizer_tensors, restore_optimizer
from nnctl.spec.sections import Checkpoint
from nnctl.step import NotFinite
from nnctl.training.curves import draw_curves
from nnctl.training.finite import all_finite
from nnctl.training.history import History
from nnctl.training.progress import Progress
from nnctl.training.run_directory import RunDirectory
from nnctl.training.state import State

_ALWAYS = 50  # the first epochs end with a saved state each; of thousands of tiny ones not all can


class Keeper:
    """Commits a run's progress to its directory, so that all files speak of the same moment."""

    def __init__(
        self,
        run: RunDirectory,
        history: History,
        rule: Checkpoint,
        net: nn.Module,
        optimizer: torch.optim.Optimizer,
        average: Average | None,
        meter: Meter,
        *,
        metadata: dict[str, str],
        monitor: str,
        title: str,
    ) -> None:
        self.run, self.history, self._rule = run, history, rule
        self._net, self._optimizer, self._average, self._meter = net, optimizer, average, meter
        self._metadata, self._monitor, self._title = metadata, monitor, title
        self._best: tuple[dict[str, Tensor], dict[str, str]] | None = None
        self._last, self._cost = perf_counter(), 0.0

    def resume(self, state: State) -> None:
        """Put all tensors back as they were."""
        self._net.load_state_dict(state.tensors["model"])
        restore_optimizer(self._optimizer, self._net, state.tensors["optimizer"])
        self._meter.restore(state.tensors["meter"])
        if self._average is not None:
            self._average.restore(state.tensors["average"])

    def keep_best(self, progress: Progress, metrics: dict[str, float]) -> None:
        """Remember the network's present weights as the best; the next commit writes them."""
        tensors = {name: t.detach().to("cpu", copy=True) for name, t in self._net.state_dict().items()}
        entries = {"metrics": json.dumps(metrics), "epoch": str(progress.epoch), "step": str(progress.step)}
        self._best = tensors, entries

    def restore_best(self) -> None:
        """Let the network have the best weights."""
        self._write_best()
        load_into(self._net, read_weights(self.run.best))

    def due_within_epoch(self, progress: Progress) -> bool:
        """Return whether the spec asks for a state after this step."""
        every, seconds = self._rule.every, self._rule.seconds
        if every is not None and progress.step % every == 0:
            return True
        return seconds is not None and perf_counter() - self._last >= seconds

    def due_after_epoch(self, epoch: int) -> bool:
        """Return whether a state is due: always, unless many epochs are so short that saving would take most time."""
        return epoch <= _ALWAYS or perf_counter() - self._last >= 2 * self._cost

    def commit(self, progress: Progress) -> None:
        """Write the best weights, the curves and a state. Raises NotFinite rather than save what is not finite."""
        begin = perf_counter()
        if not all_finite(self._net):
            raise NotFinite("weights are not finite", progress.step)
        self._write_best()
        self.run.write_curves(draw_curves(self._title, self.history.epochs, self._monitor))
        tensors = {
            "model": dict(self._net.state_dict()),
            "optimizer": optimizer_tensors(self._optimizer, self._net),
            "meter": self._meter.state(),
            "rng": {"cpu": torch.get_rng_state()},
        }
        if self._average is not None:
            tensors["average"] = self._average.tensors
        record = {"progress": progress.as_record(), "history": self.history.flush(), "data": self._metadata["data"]}
        self.run.states.save(State(progress.step, tensors, record))
        self._last = perf_counter()
        self._cost = self._last - begin

    def _write_best(self) -> None:
        if self._best is not None:
            tensors, entries = self._best
            write_weights(self.run.best, tensors, self._metadata | entries)
            self._best = None
