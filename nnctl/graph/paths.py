"""Paths of layers as a spec lists them: one names a layer, or all that lies inside a block, a body or a repeat."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from nnctl.document.suggest import did_you_mean
from nnctl.errors import Problem
from nnctl.graph.checks import position_of

if TYPE_CHECKING:
    from nnctl.graph.build import Graph


def inside(path: str, places: Collection[str]) -> bool:
    """Return whether a path is one of `places` or lies inside one."""
    return any(path == place or path.startswith(f"{place}.") for place in places)


def unknown_paths(graph: Graph, paths: tuple[str, ...], *place: str | int) -> Iterator[Problem]:
    """Yield a problem for each of the paths, written at `place` in the spec, that no layer has."""
    known = dict.fromkeys(ends for leaf in graph.leaves for ends in _beginnings(leaf.path))
    for index, path in enumerate(paths):
        if path not in known:
            position = position_of(graph.spec, *place, index)
            where, hint = ".".join(map(str, place)), did_you_mean(path, known, "paths")
            yield Problem("unknown-layer", f"there is no layer `{path}`", position, where, hint=hint)


def _beginnings(path: str) -> Iterator[str]:
    """Yield `a`, `a.b` and `a.b.c` for `a.b.c`."""
    parts = path.split(".")
    for count in range(1, len(parts) + 1):
        yield ".".join(parts[:count])
