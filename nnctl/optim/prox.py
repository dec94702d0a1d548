"""Proximal operators: prox(x) = argmin over u of ½‖u − x‖² + t h(u), for the penalties h that have one in closed form.

Of a sum of these penalties the operator is theirs one after the other: L1, then group lasso, then L2.
"""

from __future__ import annotations

import torch
from torch import Tensor


def l1(x: Tensor, t: float) -> Tensor:
    """Return the operator of h(u) = Σ|uᵢ|: every number t nearer to zero, exactly zero within t of it."""
    return x - x.clamp(-t, t)


def l2(x: Tensor, t: float) -> Tensor:
    """Return the operator of h(u) = ½‖u‖²."""
    return x / (1 + t)


def group_lasso(x: Tensor, t: float) -> Tensor:
    """Return the operator of h(u) = Σ‖row‖₂: every row t shorter, exactly zero where it is no longer than t.

    A row is what one output unit or filter reads: all but the first axis.
    """
    rows = x.reshape(len(x), -1) if x.dim() else x.reshape(1, 1)
    norms = torch.linalg.vector_norm(rows, dim=1, keepdim=True)
    kept = torch.where(norms > t, 1 - t / norms, 0)
    return (rows * kept).reshape(x.shape)
