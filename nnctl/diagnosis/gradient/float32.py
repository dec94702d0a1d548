"""What of a gradient is left in float32, the type that networks are trained in."""

from __future__ import annotations

import torch

from nnctl.diagnosis.gradient.case import Case
from nnctl.diagnosis.gradient.function import Gradients
from nnctl.diagnosis.gradient.passes import Draws
from nnctl.errors import UsageError


def float32_errors(case: Case, gradients: Gradients) -> dict[str, float]:
    """Return ‖g₃₂ − g₆₄‖ / ‖g₆₄‖ of the whole loss for every tensor with a gradient: 1 where it underflows to 0.

    Nothing is told of a network that draws numbers in between: they are others in another type. Nor of one that
    cannot be computed in float32.
    """
    with Draws() as draws:
        case.function.present()
    if draws.numbers:
        return {}
    try:
        narrow = case.narrow().gradients()
    except (UsageError, RuntimeError):
        return {}
    errors = {}
    for name, wide in gradients.items():
        pairs = [(g, h) for g, h in zip(wide, narrow[name], strict=True) if g is not None]
        if not pairs:
            continue
        whole = torch.stack([g for g, _ in pairs]).sum(0)
        left = torch.stack([torch.zeros_like(g) if h is None else h.double() for g, h in pairs]).sum(0)
        if size := float(torch.linalg.vector_norm(whole)):
            errors[name] = float(torch.linalg.vector_norm(whole - left)) / size
    return errors
