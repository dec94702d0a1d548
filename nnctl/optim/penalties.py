"""A recipe's penalties on the weights of a network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from nnctl.kinds.penalties.base import Constraint, Penalty, Prox, Term
from nnctl.network.ensemble import Ensemble

_ORDER = ("l1", "group", "l2")
"""The order in which proximal operators are applied: that of a sum is theirs one after the other, in this order."""


class Penalties:
    """Terms that are added to the loss, and constraints that weights are brought back to.

    With `proximal` the terms that have a proximal operator are left to the optimiser.
    """

    def __init__(self, penalties: Sequence[Penalty], net: nn.Module, proximal: bool = False) -> None:
        self.prox: dict[nn.Parameter, list[Prox]] = {}
        self._terms: list[tuple[Term, list[nn.Parameter]]] = []
        self._constraints: list[tuple[Constraint, list[nn.Parameter]]] = []
        for penalty in sorted(penalties, key=lambda one: _ORDER.index(one.kind) if one.kind in _ORDER else len(_ORDER)):
            weights = list(weights_of(net, penalty.layers))
            if isinstance(penalty, Constraint):
                self._constraints.append((penalty, weights))
            elif isinstance(penalty, Term) and proximal and (prox := penalty.prox()) is not None:
                for weight in weights:
                    self.prox.setdefault(weight, []).append(prox)
            elif isinstance(penalty, Term):
                self._terms.append((penalty, weights))

    def value(self) -> Tensor | None:
        """Return the sum of the terms, which can be differentiated; None without any."""
        values = [term.value(weight) for term, weights in self._terms for weight in weights]
        return torch.stack(values).sum() if values else None

    @torch.no_grad()
    def constrain(self, step: int) -> None:
        """Bring weights back after step number `step`, counted from 0."""
        for constraint, weights in self._constraints:
            if (step + 1) % constraint.every == 0:
                for weight in weights:
                    constraint.apply(weight)


def weights_of(net: nn.Module, layers: Sequence[str] = ()) -> Iterator[nn.Parameter]:
    """Yield the tensors of two axes or more that learn, of all layers or of some, by their paths; of every member."""
    for network in net.members if isinstance(net, Ensemble) else [net]:
        for name, parameter in network.named_parameters():
            if parameter.dim() >= 2 and parameter.requires_grad and (not layers or _inside(name, layers)):
                yield parameter


def _inside(name: str, layers: Sequence[str]) -> bool:
    return any(name.startswith(f"{layer}.") for layer in layers)
