"""Which activation follows a weight: the gain that its initialiser may use.

Norms, dropout, pooling and what only rearranges are looked past, and so is the end of a block or repeat; the end of
a residual's, branch's, highway's or head's list is not.
"""

from __future__ import annotations

from nnctl.graph.nodes import Chain, FromTag, Head, Leaf, SetTag, Step, inner_chains
from nnctl.kinds.layers.base import Activation, Layer


def next_activations(network: Chain) -> dict[str, Activation]:
    """Return for each layer's path the activation that sets its gain; layers that none follows are absent."""
    found: dict[str, Activation] = {}
    _visit(network, None, found)
    return found


def _visit(chain: Chain, after: Activation | None, found: dict[str, Activation]) -> Activation | None:
    """Walk a chain from its end; return the activation that something put before it would meet.

    `after` is what follows the chain.
    """
    for step in reversed(chain.steps):
        after = _before(step, after, found)
    return after


def _before(step: Step, after: Activation | None, found: dict[str, Activation]) -> Activation | None:
    if isinstance(step, Leaf):
        if after is not None:
            found[step.path] = after
        return _past(step.layer, after)
    if isinstance(step, Chain):
        return _visit(step, after, found)
    for inner in inner_chains(step):
        _visit(inner, None, found)
    return after if isinstance(step, (SetTag, Head)) or (isinstance(step, FromTag) and step.merge) else None


def _past(layer: Layer, after: Activation | None) -> Activation | None:
    if isinstance(layer, Activation):
        return layer
    return after if layer.keeps_scale else None
