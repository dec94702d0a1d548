"""Singular values: of every weight beside those of the same shape at its start, and of the whole network's Jacobian."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, log10

import torch
from torch import Tensor, nn

from nnctl.diagnosis.norms import wide

LARGEST = 4096
"""Rows or columns, whichever are fewer, up to which a weight's singular values are computed."""


@dataclass(frozen=True, slots=True)
class Values:
    """What singular values are summed up by."""

    largest: float
    smallest: float
    condition: float | None
    """largest / smallest; None where the smallest is 0."""
    stable_rank: float
    """‖W‖²_F / σ²_max."""
    effective_rank: float
    """exp of the entropy of σ/Σσ (Roy & Vetterli, 2007)."""


@dataclass(frozen=True, slots=True)
class Band:
    """The least and the greatest of a summary over fresh draws of the same weight."""

    low: Values
    high: Values


@dataclass(frozen=True, slots=True)
class Spectrum:
    """A weight's singular values, a kernel taken as the matrix (channels, rest)."""

    shape: tuple[int, int]
    own: Values
    start: Band | None
    """The same at the weight's own initialisation; None where it has no rule of its own."""


@dataclass(frozen=True, slots=True)
class Jacobian:
    """Singular values of ∂(output)/∂(input), the median over samples."""

    own: Values
    samples: int
    log10_product_of_norms: float
    """log₁₀ Π‖W‖₂, kernels taken as matrices. In a chain of linear layers whose activations have slopes of at most 1 no
    input's change is multiplied by more; a kernel's map may stretch further than its matrix, √(its places) at most."""


def summary(matrix: Tensor) -> Values:
    """Return the summary of a matrix's singular values, computed in float64."""
    values = wide(matrix).cpu()
    sigma = torch.linalg.svdvals(values.T if values.shape[0] < values.shape[1] else values)  # tall: five times as fast
    largest, smallest, total = float(sigma[0]), float(sigma[-1]), float(sigma.sum())
    if largest == 0:
        return Values(0.0, 0.0, None, 0.0, 0.0)
    p = sigma[sigma > 0] / total
    return Values(
        largest,
        smallest,
        largest / smallest if smallest else None,
        float((sigma / largest).square().sum()),
        exp(-float((p * p.log()).sum())),
    )


def as_matrix(weight: Tensor) -> Tensor | None:
    """Return a weight as a matrix; None for what is none, or too large to take apart."""
    if weight.dim() < 2:
        return None
    matrix = weight.flatten(1)
    return matrix if min(matrix.shape) <= LARGEST else None


def band(draws: Sequence[Tensor]) -> Band:
    """Return the bounds of each summary over several draws."""
    found = [summary(draw) for draw in draws]

    def bound(of: Callable[[list[float]], float]) -> Values:
        conditions = [values.condition for values in found if values.condition is not None]
        return Values(
            of([v.largest for v in found]),
            of([v.smallest for v in found]),
            of(conditions) if conditions else None,
            of([v.stable_rank for v in found]),
            of([v.effective_rank for v in found]),
        )

    return Band(bound(min), bound(max))


def jacobian(net: nn.Module, x: Tensor, norms: Sequence[float]) -> Jacobian:
    """Return the spectrum of the network's Jacobian at each sample of `x`, in eval mode; `norms` are all ‖W‖₂."""
    rows = []
    mode = net.training
    net.eval()
    for sample in x:
        point = sample[None].detach().requires_grad_()
        output = net(point).flatten()
        gradients = [torch.autograd.grad(value, point, retain_graph=True)[0].flatten() for value in output]
        rows.append(summary(torch.stack(gradients)))
    net.train(mode)
    rows.sort(key=lambda values: values.largest)
    product = sum(log10(value) for value in norms) if all(value > 0 for value in norms) else float("-inf")
    return Jacobian(rows[len(rows) // 2], len(rows), product)
