"""`train.inspect`: now and then a step is taken under observation, and logged."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from torch import Tensor

from nnctl.diagnosis.judging.judge import verdicts_of
from nnctl.diagnosis.measure import observe
from nnctl.diagnosis.result import InspectResult
from nnctl.graph.build import Graph
from nnctl.step import Stepper

if TYPE_CHECKING:
    from nnctl.data.load import Batch

_LOGGED = (
    "path",
    "forward_rms",
    "delta_rms",
    "grad_norm",
    "weight_norm",
    "grad_weight_ratio",
    "update_ratio",
    "learning",
    "one_signed",
    "dead",
    "zero",
    "saturated",
    "cosine",
)


class Watch:
    """Takes the steps that are due in place of the stepper: the same step, with probes at every layer.

    Which steps are is a function of the step, so that a resumed run logs the same.
    """

    def __init__(self, stepper: Stepper, graph: Graph, every: int) -> None:
        self._stepper, self._graph, self._every = stepper, graph, every

    def due(self, step: int) -> bool:
        """Return whether a step, counted from 0, is observed."""
        return step % self._every == 0

    def __call__(self, batch: Batch, step: int, rate: float) -> tuple[Tensor, Tensor, dict[str, Any]]:
        """Take the step; return loss and output, and what metrics.jsonl is told."""
        loss, output, result = observe(self._stepper, self._graph, batch, step, rate)
        return loss, output, _line(self._graph, result)


def _line(graph: Graph, result: InspectResult) -> dict[str, Any]:
    verdicts = [
        {"code": v.code, "severity": v.severity, "path": v.path, "value": _number(v.value)}
        for v in verdicts_of(graph, result)
    ]
    layers = [{name: _number(getattr(layer, name)) for name in _LOGGED} for layer in result.layers]
    return {"samples": result.samples, "verdicts": verdicts, "layers": layers}


def _number(value: Any) -> Any:
    """Return a value as JSON holds it: numbers that are not finite become null."""
    return None if isinstance(value, float) and not isfinite(value) else value
