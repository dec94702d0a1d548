"""Which parameters decay."""

from __future__ import annotations

from typing import Any

from torch import nn

from nnctl.kinds.optimizers.base import Optimizer


def parameter_groups(net: nn.Module, rule: Optimizer) -> list[dict[str, Any]]:
    """Return torch's parameter groups: those that decay, then the others, each in the network's order.

    With `decay_on: weights` only tensors of two or more axes decay: no biases, no gains and shifts of norms.
    """
    learned = [p for p in net.parameters() if p.requires_grad]
    if rule.weight_decay == 0 or rule.decay_on == "all":
        return [{"params": learned, "weight_decay": rule.weight_decay}]  # one group is one call of the kernel
    groups = [
        {"params": [p for p in learned if p.dim() >= 2], "weight_decay": rule.weight_decay},
        {"params": [p for p in learned if p.dim() < 2], "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]
