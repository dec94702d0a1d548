"""Which parameters decay, and which have proximal operators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from nnctl.kinds.optimizers.base import Optimizer
from nnctl.kinds.penalties.base import Prox


def parameter_groups(
    net: nn.Module, rule: Optimizer, prox: Mapping[nn.Parameter, list[Prox]] | None = None
) -> list[dict[str, Any]]:
    """Return torch's parameter groups: those that decay, then the others, each in the network's order.

    With `decay_on: weights` only tensors of two or more axes decay: no biases, no gains and shifts of norms. Those with
    proximal operators are in groups of their own, which hold them as `prox`.
    """
    learned = [p for p in net.parameters() if p.requires_grad]
    if rule.weight_decay == 0 or rule.decay_on == "all":
        groups = [{"params": learned, "weight_decay": rule.weight_decay}]  # one group is one call of the kernel
    else:
        groups = [
            {"params": [p for p in learned if p.dim() >= 2], "weight_decay": rule.weight_decay},
            {"params": [p for p in learned if p.dim() < 2], "weight_decay": 0.0},
        ]
    return [group for whole in groups if whole["params"] for group in _by_prox(whole, prox or {})]


def _by_prox(group: dict[str, Any], prox: Mapping[nn.Parameter, list[Prox]]) -> list[dict[str, Any]]:
    """Cut a group into parts whose parameters have the same operators, in the order of their first ones."""
    parts: dict[tuple[Prox, ...], list[nn.Parameter]] = {}
    for parameter in group["params"]:
        parts.setdefault(tuple(prox.get(parameter, ())), []).append(parameter)
    return [group | {"params": own} | ({"prox": found} if found else {}) for found, own in parts.items()]
