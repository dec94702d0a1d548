"""Singular values: of every weight beside those of the same shape at its start, and of the whole network's Jacobian."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log10, sqrt

import torch
from torch import Tensor, nn

from nnctl.diagnosis.norms import wide

MANY, FEW = 399, 12
"""Draws whose second least and second greatest are a band's bounds, so that one more lies between them in 396 of 400
cases; and as few as large weights have, whose bounds are Student's."""
_STUDENT = 3.106
"""99.5% quantile of Student's distribution with FEW − 1 degrees of freedom."""
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
    """Between these lie 99 in 100 fresh draws of the same weight, for each summary."""

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
    """Return where 99 in 100 further draws lie, from MANY draws or from FEW."""
    found = [summary(draw) for draw in draws]
    conditions = [values.condition for values in found if values.condition is not None]
    bounds = [
        _bounds([v.largest for v in found]),
        _bounds([v.smallest for v in found]),
        _bounds(conditions) if len(conditions) == len(found) else (None, None),
        _bounds([v.stable_rank for v in found]),
        _bounds([v.effective_rank for v in found]),
    ]
    low, high = zip(*bounds, strict=True)
    return Band(Values(*low), Values(*high))


def _bounds(found: Sequence[float]) -> tuple[float, float]:
    """Return the second least and the second greatest of many values; of few, Student's prediction interval for one
    more, in logarithms: the larger a weight, the less its summaries stray, and the more normal they are."""
    values = torch.tensor(found, dtype=torch.float64)
    if len(values) >= MANY:
        low, high = values.sort().values[[1, -2]].tolist()
    elif float(values.min()) > 0:
        logs = values.log()
        reach = _STUDENT * logs.std() * sqrt(1 + 1 / len(values))
        low, high = (logs.mean() - reach).exp().item(), (logs.mean() + reach).exp().item()
    else:
        low, high = values.min().item(), values.max().item()
    return low, high


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
