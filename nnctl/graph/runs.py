"""Layers that follow one another with nothing between them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from nnctl.graph.nodes import Chain, Leaf, Step, inner_chains


def runs(chain: Chain) -> Iterator[list[Leaf]]:
    """Yield the layers that follow one another: those of one list, blocks and repeats entered; a residual, a join or
    a head ends a run and has runs of its own."""
    run: list[Leaf] = []
    for step in _in_line(chain):
        if isinstance(step, Leaf):
            run.append(step)
        else:
            yield run
            run = []
            for inner in inner_chains(step):
                yield from runs(inner)
    yield run


def pairs(chain: Chain) -> Iterator[tuple[Leaf, Leaf]]:
    """Yield each two layers that follow one another."""
    for run in runs(chain):
        yield from pairwise(run)


def last_layer(chain: Chain) -> Leaf | None:
    """Return the layer that a list ends with, if it ends with one."""
    steps = list(_in_line(chain))
    return steps[-1] if steps and isinstance(steps[-1], Leaf) else None


def _in_line(chain: Chain) -> Iterator[Step]:
    for step in chain.steps:
        if isinstance(step, Chain):
            yield from _in_line(step)
        else:
            yield step
