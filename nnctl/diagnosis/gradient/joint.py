"""All tensors moved at once: eight passes for a network of any depth, and more only where it fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import sqrt
from statistics import median

import torch
from torch import Tensor

from nnctl.diagnosis.gradient.differences import Here
from nnctl.diagnosis.gradient.directions import signs, unit
from nnctl.diagnosis.gradient.function import norms
from nnctl.diagnosis.gradient.sweep import Outcome, check_tensor, sweep
from nnctl.diagnosis.gradient.verdict import Finding, judge

PASSES = 1e-3
"""Largest error of a single tensor that may hide behind the others in a joint pass."""
_STRETCH = 1e3
"""How much further a tensor of small gradient is moved than the middle one, at most."""


def check_jointly(here: Here, names: Sequence[str], count: int, seed: int) -> dict[str, Outcome]:
    """Return what directions in all tensors together say; where they fail, halves are checked, down to single ones.

    Each tensor is moved so far that it has the same part in the change of the loss as every other. A tensor whose
    part is too small to be seen stays open.
    """
    sizes, stretch = _sizes(here, names), stretches(here, names)
    return _check(here, list(names), {name: stretch[name] * sizes[name] for name in names}, stretch, count, seed)


def stretches(here: Here, names: Sequence[str]) -> dict[str, float]:
    """Return how much further than its unit each tensor is moved, so that all change the loss by as much."""
    totals = {name: float(size.square().sum().sqrt()) for name, size in _sizes(here, names).items()}
    middle = median([total for total in totals.values() if total > 0] or [1.0])
    return {
        name: min(max(middle / total, 1 / _STRETCH), _STRETCH) if total > 0 else 1.0 for name, total in totals.items()
    }


def together(
    here: Here, names: Sequence[str], stretch: Mapping[str, float], count: int, seed: int
) -> list[dict[str, Tensor]]:
    """Return directions that move all of the tensors at once."""
    tensors = here.function.tensors
    return [
        {name: stretch[name] * unit(tensors[name]) * signs(tensors[name], seed, name, number) for name in names}
        for number in range(count)
    ]


def _sizes(here: Here, names: Sequence[str]) -> dict[str, Tensor]:
    """Return by how much the loss's terms change with each tensor, moved by its unit."""
    return {name: unit(here.function.tensors[name]) * norms(here.gradients[name]) for name in names}


def _check(
    here: Here, names: list[str], sizes: dict[str, Tensor], stretch: dict[str, float], count: int, seed: int
) -> dict[str, Outcome]:
    if len(names) == 1:
        return {names[0]: check_tensor(here, names[0], count, seed)}
    directions = together(here, names, stretch, count, seed)
    squares = torch.stack([sizes[name].square() for name in names]).sum(0)
    whole = squares.sqrt().tolist()
    found = sweep(here, directions, whole)
    findings = [judge(found, term, norm) for term, norm in enumerate(whole)]
    if any(finding.verdict == "fail" for finding in findings):
        half = len(names) // 2
        parts = (names[:half], names[half:])
        return {
            name: outcome for part in parts for name, outcome in _check(here, part, sizes, stretch, count, seed).items()
        }
    return {name: _share(here, name, findings, sizes[name].tolist(), whole) for name in names}


def _share(here: Here, name: str, findings: list[Finding], own: list[float], whole: list[float]) -> Outcome:
    """Return what a joint finding that does not fail means for one of its tensors."""
    shares = [part / total if total else 0.0 for part, total in zip(own, whole, strict=True)]
    term = max(range(len(shares)), key=shares.__getitem__)
    by_term = tuple(
        None if gradient is None and number != term else finding
        for number, (gradient, finding) in enumerate(zip(here.gradients[name], findings, strict=True))
    )
    finding = _scaled(findings[term], shares[term])
    gradient = sqrt(sum(float(norm) ** 2 for norm in norms(here.gradients[name])))
    return Outcome(finding, term, gradient, by_term)


def _scaled(finding: Finding, share: float) -> Finding:
    """Return the finding for a tensor with this share of the joint gradient."""
    if not share or finding.relative_error is None or finding.resolution is None:
        return replace(finding, verdict="inconclusive", relative_error=None, resolution=None, reason="zero")
    error, resolution = finding.relative_error / share, finding.resolution / share
    if finding.verdict == "pass" and error + resolution <= PASSES:
        return replace(finding, relative_error=error, resolution=resolution)
    return replace(
        finding, verdict="inconclusive", relative_error=error, resolution=resolution, reason=finding.reason or "small"
    )
