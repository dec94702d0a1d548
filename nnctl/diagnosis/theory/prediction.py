"""What mean-field theory expects of a layer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Prediction:
    """Expected sizes at a layer's output, in a network of infinite width, and how far a finite one strays."""

    input_rms: float | None
    """The expected size of what arrives."""
    input_cosine: float | None
    """The expected mean cosine between what arrives for different inputs."""
    forward_rms: float | None
    """√q: the expected size of the signal."""
    forward_spread: float | None
    """Standard deviation of log₁₀ of the measured size about that, which the layers' finite widths cause."""
    cosine: float | None
    """The expected mean cosine between the outputs for different inputs."""
    delta_rms: float | None
    """The expected size of δ, reckoned back from the δ that was measured at the last layer with weights."""
    delta_spread: float | None
    """Standard deviation of log₁₀ of δ about that."""
    factor: float | None
    """√χ: by what the layer is expected to multiply ‖δ‖ on its way back."""
