"""Directions that know the curvature, from differences of gradients or from products with the Hessian."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor


def two_loop(gradient: Tensor, pairs: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    """Return −Hg, H the L-BFGS inverse Hessian of pairs (s, y), the oldest first (Nocedal and Wright, algorithm 7.4).

    It starts from γI with γ = s·y/y·y of the newest pair.
    """
    q, shares = gradient.clone(), []
    for s, y in reversed(pairs):
        share = (s @ q) / (s @ y)
        q.sub_(share * y)
        shares.append(share)
    if pairs:
        s, y = pairs[-1]
        q.mul_((s @ y) / (y @ y))
    for (s, y), share in zip(pairs, reversed(shares), strict=True):
        q.add_((share - (y @ q) / (s @ y)) * s)
    return q.neg_()


def bfgs_update(inverse: Tensor, s: Tensor, y: Tensor) -> Tensor:
    """Return (I − ρsyᵀ)H(I − ρysᵀ) + ρssᵀ with ρ = 1/s·y: the nearest matrix to H that maps y to s."""
    rho, hy = 1 / (s @ y), inverse @ y
    crossed = torch.outer(s, hy)
    return inverse - rho * (crossed + crossed.T) + (rho + rho * rho * (y @ hy)) * torch.outer(s, s)


def is_curved(s: Tensor, y: Tensor) -> bool:
    """Return whether the gradient grew along the step by more than rounding: what an inverse Hessian needs."""
    return bool(s @ y > torch.finfo(s.dtype).eps * (y @ y))


def truncated_newton(product: Callable[[Tensor], Tensor], gradient: Tensor, steps: int, tolerance: float) -> Tensor:
    """Return d with Hd ≈ −g by conjugate gradients, cut short (Nocedal and Wright, algorithm 7.1).

    They end when ‖Hd + g‖ ≤ tolerance·‖g‖, after so many steps, or at a direction in which H curves downwards:
    then d is what was found before, or −g, so that it always goes downhill.
    """
    d, residual = torch.zeros_like(gradient), gradient
    p, square = -residual, residual @ residual
    bound = tolerance**2 * square
    for j in range(steps):
        hp = product(p)
        curvature = p @ hp
        if curvature <= 0:
            return p if j == 0 else d
        alpha = square / curvature
        d = d + alpha * p
        residual = residual + alpha * hp
        new = residual @ residual
        if new <= bound:
            break
        p = (new / square) * p - residual
        square = new
    return d
