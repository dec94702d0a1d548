"""The curvature of the loss at a network's weights."""

from __future__ import annotations

import torch

from nnctl.data.progress import Progress
from nnctl.diagnosis.surface.density import spectral_density
from nnctl.diagnosis.surface.hessian import Loss
from nnctl.diagnosis.surface.lanczos import extremes
from nnctl.diagnosis.surface.result import Curvature, Point, Sharpness, Spectrum
from nnctl.errors import Problem, ResourceError, UsageError
from nnctl.graph.costs import byte_size
from nnctl.posix import physical_memory

PROBES = 3
"""Random vectors that the density is the mean over."""
_WHOLE = 4 * PROBES
"""Weights for each step up to which the whole Hessian is computed: up to four times the work, and nothing left open."""
_STATIONARY = 0.01
"""Share of the loss that a step along the gradient may still gain at what is called no slope."""
_RESOLVED = 1e-6
"""What it may gain beside that, in units of the loss of a network that tells no samples apart: single precision, the
type that networks are trained in, has a few more digits for such a loss. The loss itself may be 0 at a minimum."""
_PLACES = 160
_WIDTH = 0.01
"""Of a smoothed eigenvalue, in units of the spectrum's width."""


def curvature_of(loss: Loss, top: int, steps: int, seed: int, rate: float | None, progress: Progress) -> Curvature:
    """Return eigenvalues, density and what kind of point it is, from `steps` Hessian products for each random vector.

    Raises UsageError where loss or gradient are not finite, ResourceError where the vectors would not fit in memory.
    """
    _check_memory(loss.dimension, steps)
    value, gradient = loss.value(), loss.gradient()
    if not torch.isfinite(gradient).all() or value != value or abs(value) == float("inf"):
        message = f"the loss is {value} and its gradient not finite at these weights: they have no curvature"
        raise UsageError(Problem("nonfinite", message, hint="look for the layer with `nnctl inspect`"))
    whole = _WHOLE * steps
    done, total = 0, loss.dimension if loss.dimension <= whole else PROBES * steps

    def product(vector: torch.Tensor) -> torch.Tensor:
        nonlocal done
        done += 1
        progress("curvature", done, total)
        return loss.hessian_times(vector)

    single = loss.parameters[0].dtype != torch.float64
    density = spectral_density(
        product, loss.dimension, PROBES, steps, seed, rounding=1e-5 if single else 1e-10, whole=whole
    )
    eigenvalues = extremes(density.runs, top)
    largest, smallest = eigenvalues[0], eigenvalues[-1]
    low, high = smallest.value, largest.value
    width = _WIDTH * (high - low) or 1e-12
    places = torch.linspace(low - 3 * width, high + 3 * width, _PLACES, dtype=torch.float64)
    share, trace = density.negative_share(), density.trace()
    norm, guessing = float(gradient.norm()), loss.guessing()
    worth = max(_STATIONARY * abs(value), _RESOLVED * (guessing or 0.0))
    return Curvature(
        loss=value,
        eigenvalues=eigenvalues,
        negative_share=share.value,
        negative_share_error=share.error,
        negative_share_certain=density.certain_share().value,
        undecided_share=density.undecided_share().value,
        trace=trace.value,
        trace_error=trace.error,
        gradient_norm=norm,
        point=_point(worth, norm, high, low, max(smallest.bound, density.edge), density.edge),
        sharpness=Sharpness(rate, 2 / rate, high * rate / 2) if rate is not None else None,
        spectrum=Spectrum(tuple(places.tolist()), tuple(density.smoothed(places, width).tolist())),
    )


def _point(worth: float, gradient: float, high: float, low: float, bound: float, edge: float) -> Point:
    """Tell slope, saddle and minimum apart; a gain of up to `worth` is none.

    A gradient step of 1/λ max gains at least ‖∇‖²/(2 λ max) to second order. A negative Ritz value is proof of negative
    curvature, for it is vᵀHv of some v; a positive one is only as good as its bound.
    """
    if gradient > 0 and (high <= 0 or gradient**2 / (2 * high) > worth):
        return "slope"
    if low < -edge:
        return "saddle"
    return "minimum" if low > bound else "flat"


def _check_memory(dimension: int, steps: int) -> None:
    needed, there = 8 * dimension * min(steps, dimension), physical_memory()
    if there is not None and needed > there:
        message = (
            f"{steps} Lanczos vectors of {dimension:,} weights take {byte_size(needed)}, "
            f"this machine has {byte_size(there)}"
        )
        raise ResourceError(Problem("out-of-memory", message, hint="use fewer --steps, or --no-curvature"))
