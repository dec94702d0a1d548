"""Layers whose output reaches neither the network's output nor anything else that is looked at."""

from __future__ import annotations

from dataclasses import dataclass, field

from nnctl.graph.nodes import Chain, FromTag, Head, Highway, Leaf, SetTag, Step, inner_chains


def dropped(network: Chain, wanted: frozenset[str]) -> list[tuple[FromTag, list[Leaf]]]:
    """Return each `from` that goes on from another value with the layers before it that nothing else uses.

    `wanted` are the tags that are looked at from outside. Heads are looked at always.
    """
    walk = _Backwards(set(wanted))
    walk.chain(network, used=True)
    return [(step, found[::-1]) for step, found in reversed(walk.dropped) if found]


@dataclass
class _Backwards:
    """One pass from the output to the input: is the present value used by what comes after?"""

    wanted: set[str]
    """Tags whose values what comes after takes."""
    dropped: list[tuple[FromTag, list[Leaf]]] = field(default_factory=list)

    def chain(self, chain: Chain, used: bool) -> bool:
        """Return whether the value before a list is used, where the one behind it is or is not."""
        for step in reversed(chain.steps):
            used = self._before(step, used)
        return used

    def _before(self, step: Step, used: bool) -> bool:
        match step:
            case Leaf():
                if not used:  # so there was a `from`
                    self.dropped[-1][1].append(step)
                return used
            case Chain():
                return self.chain(step, used)
            case SetTag(name=name):
                return used or name in self.wanted
            case FromTag(name=name, merge=merge):
                if used:
                    self.wanted.add(name)
                if merge is None:
                    self.dropped.append((step, []))
                return used and merge is not None
            case Head(start=start, chain=chain):
                needs = self.chain(chain, used=True)
                if needs and start is not None:
                    self.wanted.add(start)
                return used or (needs and start is None)
            case _:
                ways = [self.chain(way, used) for way in reversed(inner_chains(step))]
                return any(ways) or (used and isinstance(step, Highway))
