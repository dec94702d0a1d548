"""What `inspect` finds, as frozen objects."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class LayerSignals:
    """The statistics of one layer. None stands for what it does not have, or what did not reach it."""

    path: str
    kind: str
    line: int | None
    file: str | None
    """Only where it is not the spec's own file; absent from the JSON object else."""
    forward_rms: float | None
    """Root mean square of the layer's output, over batch and units."""
    delta_rms: float | None
    """Root mean square of δ, the gradient of a sample's own loss at the layer's output."""
    grad_norm: float | None
    """‖∂L/∂W‖ of the batch's mean loss, before clipping, for the layer's weights together; biases are left out."""
    weight_norm: float | None
    """‖W‖ of the same weights."""
    grad_weight_ratio: float | None
    """‖∂L/∂W‖ / ‖W‖; None where W is 0."""
    update_ratio: float | None
    """‖ΔW‖ / ‖W‖ of the step that the optimiser really takes; None where W is 0 or there is no optimiser."""
    dead: float | None
    """For activations: share of units (features, or channels of an image) that were zero for all `samples`."""
    saturated: float | None
    """For activations that work number by number: share of values whose slope |f′| is below 5% of its largest.
    For a ReLU about a half is healthy."""

    def as_json(self) -> dict[str, Any]:
        """Return the layer's object in `--json`."""
        values = asdict(self)
        if self.file is None:
            del values["file"]
        return values


@dataclass(frozen=True, slots=True)
class InspectResult:
    """Signals of all layers, in the order of writing."""

    layers: tuple[LayerSignals, ...]
    data: str
    """The data set's name, or "random"."""
    loss: float
    """Mean loss of the batch, not a number where training would stop at it."""
    steps: int
    """Optimiser steps taken before measuring."""
    batch: int
    """Inputs behind signals and gradients: one step's batch."""
    samples: int
    """Inputs over which dead units and saturated values were counted."""

    def as_json(self) -> dict[str, Any]:
        """Return the object that `--json` prints."""
        own = {name: getattr(self, name) for name in ("data", "loss", "steps", "batch", "samples")}
        return {"layers": [layer.as_json() for layer in self.layers], **own}
