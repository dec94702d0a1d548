"""What `inspect` finds, as frozen objects."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeAlias

from nnctl.diagnosis.spectrum import Jacobian, Spectrum
from nnctl.diagnosis.theory.prediction import Prediction
from nnctl.diagnosis.verdict import Overall, Verdict, overall

__all__ = ["Check", "InspectResult", "LayerSignals", "Learning", "Trained", "Verdict"]

Learning: TypeAlias = Literal["learns", "zero", "none", "frozen"]
"""What a layer's weights got: a gradient, one that is exactly 0, none at all; or they are not to learn."""


@dataclass(frozen=True, slots=True)
class LayerSignals:
    """The statistics of one layer. None stands for what it does not have, or what did not reach it."""

    path: str
    kind: str
    line: int | None
    file: str | None
    """Only where it is not the spec's own file; absent from the JSON object else."""
    units: int
    """Numbers that leave the layer for one sample."""
    input_rms: float | None
    """For layers with weights: root mean square of what arrives."""
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
    learning: Learning | None
    """Whether a gradient arrived at the weights; None without weights."""
    one_signed: float | None
    """Share of units all of whose weights' gradients have one sign, as behind inputs that are all positive."""
    noise_scale: float | None
    """tr Σ / |G|² of the weights' gradients over batches (McCandlish et al., 2018), in samples; None where the
    batches are too few, or too noisy, to tell."""
    dead: float | None
    """For activations: share of units (features, or channels of an image) that were zero for all `samples`."""
    zero: float | None
    """For activations: share of values that are zero. For a ReLU about a half is healthy."""
    saturated: float | None
    """For activations that work number by number: share of values whose slope |f′| is below 5% of its largest.
    For a ReLU about a half is healthy."""
    cosine: float | None
    """Mean cosine between the outputs for different inputs; 1 where the layer no longer tells them apart."""
    nonfinite: float
    """Share of the output that is infinite or not a number."""
    underflow: float | None
    """Share of δ that is not 0 and smaller than the smallest normal number of its type; not counted in training."""
    prediction: Prediction | None
    """What mean-field theory expects here; None past layers that it has no rule for."""
    spectrum: Spectrum | None = None
    """Singular values, where they were asked for."""

    def as_json(self) -> dict[str, Any]:
        """Return the layer's object in `--json`."""
        values = asdict(self)
        for optional in ("file", "spectrum"):
            if values[optional] is None:
                del values[optional]
        return values


@dataclass(frozen=True, slots=True)
class Check:
    """One question of `--preflight`, answered."""

    check: str
    ok: bool
    value: float
    expected: str
    """What the value should be, in words."""
    cause: str | None
    """Where it is not: why, and what to look at."""


@dataclass(frozen=True, slots=True)
class Trained:
    """How far the training had come that a checkpoint was saved in."""

    epoch: int
    step: int
    """Optimiser steps."""


@dataclass(frozen=True, slots=True)
class InspectResult:
    """Signals of all layers, in the order of writing, and what is wrong with them."""

    layers: tuple[LayerSignals, ...]
    data: str
    """The data set's name, or "random"."""
    loss: float
    """Mean loss of the batch, not a number where training would stop at it."""
    steps: int
    """Optimiser steps taken before measuring, those behind a checkpoint not counted."""
    batch: int
    """Inputs behind signals and gradients: one step's batch."""
    samples: int
    """Inputs over which dead units and saturated values were counted."""
    noise_scale: float | None
    """That of all weights together: about the batch size beyond which larger batches help little."""
    rate_share: float | None
    """The learning rate of this step as a share of the recipe's largest; None without a recipe."""
    variances: Literal["initialiser", "weights"]
    """Where the predictions take the weights' variances from: their initialisers, or once trained, themselves."""
    jacobian: Jacobian | None = None
    """The whole network's singular values, where they were asked for."""
    preflight: tuple[Check, ...] | None = None
    """Answers of `--preflight`, where it was asked for."""
    trained: Trained | None = None
    """Where in its training a checkpoint comes from; None for a spec or a network."""
    verdicts: tuple[Verdict, ...] = field(default=())
    """What is wrong, the gravest first."""
    loss_after: float | None = None
    """Mean loss of the same batch after the step that the ratios are of; None without an optimiser."""
    identity: str = ""
    """Equal where two networks saw samples of the same set, cut and changed alike."""

    @property
    def dead_bound(self) -> float:
        """3/N: a unit silent for all N inputs fires, with 95% confidence, for less than this share of all inputs."""
        return 3 / self.samples

    @property
    def verdict(self) -> Overall:
        """The gravest verdict's severity, a failed preflight check included; ok without any."""
        return overall(self.verdicts, all(check.ok for check in self.preflight or ()))

    @property
    def at_start(self) -> bool:
        """Whether the weights are those that training would start with."""
        return not self.steps and self.variances == "initialiser"

    @property
    def when(self) -> str:
        """Where in training the network stands, in words."""
        more = f"{self.steps:,} more steps" if self.trained else f"{self.steps:,} steps"
        taken = f"after {more}" if self.steps else ""
        if self.trained is not None:
            own = f"epoch {self.trained.epoch:,}, step {self.trained.step:,}"
            return f"{own}, {taken}" if taken else own
        return taken or ("at initialisation" if self.at_start else "as given, no step taken")

    def __str__(self) -> str:
        """Return the verdicts in a few lines: `layers` has the numbers."""
        heading = f"{self.when}: {len(self.layers)} layers, {self.batch} samples of {self.data}, loss {self.loss:.4g}"
        checks = [f"FAIL {check.check}: {check.cause}" for check in self.preflight or () if not check.ok]
        lines = [heading, *checks, *map(str, self.verdicts), f"verdict {self.verdict}"]
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """Return the object that `--json` prints."""
        names = ("data", "loss", "steps", "batch", "samples", "dead_bound", "noise_scale", "rate_share", "variances")
        value: dict[str, Any] = {
            "layers": [layer.as_json() for layer in self.layers],
            "verdicts": [asdict(verdict) for verdict in self.verdicts],
            "verdict": self.verdict,
            **{name: getattr(self, name) for name in names},
        }
        if self.jacobian is not None:
            value["jacobian"] = asdict(self.jacobian)
        if self.trained is not None:
            value["trained"] = asdict(self.trained)
        if self.preflight is not None:
            value["preflight"] = [asdict(check) for check in self.preflight]
        return value
