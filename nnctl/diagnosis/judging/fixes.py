"""What may mend a verdict: changes of the spec, the likeliest first. Which of them does is found by trying."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TypeAlias

from nnctl.diagnosis.judging.written import fields_of, parameters_of, path_of, value_at
from nnctl.diagnosis.verdict import Code
from nnctl.document.node import Mapping
from nnctl.graph.build import Graph
from nnctl.kinds.layers.base import Activation, Weighted

Fix: TypeAlias = tuple[str, ...]
"""Lines `path: value`."""

_PLACES = 4
"""Places in the spec that one fix may change."""


def candidates(graph: Graph, code: Code) -> Iterator[Fix]:
    """Yield the changes worth trying against a verdict."""
    seen: set[Fix] = set()
    for group in _GROUPS[code]:
        for fix in group(graph):
            if fix not in seen:
                seen.add(fix)
                yield fix


def as_overrides(fix: Fix) -> list[str]:
    """Return a fix as it is given on the command line."""
    return [line.replace(": ", "=", 1) for line in fix]


def as_arguments(fix: str) -> str:
    """Return a verdict's fix as it is pasted behind a command into a shell."""
    return shlex.join(as_overrides(tuple(fix.splitlines())))


def _shortcuts(graph: Graph) -> Iterator[Fix]:
    for path in (*parameters_of(graph, "none"), *fields_of(graph, "shortcut", "none")):
        yield (f"{path}: auto",)


def _starts(graph: Graph) -> Iterator[Fix]:
    """Other initialisers, for all layers: those that have their own are told as well."""
    own = _entries(graph, lambda leaf: isinstance(leaf, Weighted) and leaf.own_init().weight is not None)
    if own is None:
        return
    for rule in ("kaiming", "{orthogonal: auto}", "critical", "xavier"):
        yield (f"model.init: {rule}", *(f"{path}.init: {rule}" for path in own))


def _smaller_starts(graph: Graph) -> Iterator[Fix]:
    for rule in ("xavier", "lecun", "kaiming"):
        yield (f"model.init: {rule}",)


def _other_activation(kind: str, init: str) -> Callable[[Graph], Iterator[Fix]]:
    def fixes(graph: Graph) -> Iterator[Fix]:
        kinds = Counter(leaf.layer.kind for leaf in graph.leaves if isinstance(leaf.layer, Activation))
        usual = kinds.most_common(1)[0][0] if kinds else None
        if usual is None or usual == kind:
            return
        start = (f"model.init: {init}",) if value_at(graph, "model", "init") is not None else ()
        for path in parameters_of(graph, usual):
            yield (f"{path}: {kind}", *start)
        places = _entries(graph, lambda layer: layer.kind == usual)
        if places:
            yield (*(f"{path.rpartition('.')[0]}: {kind}" for path in places), *start)

    return fixes


def _without_norm(graph: Graph) -> Iterator[Fix]:
    places = _entries(graph, lambda layer: layer.is_batch_norm)
    if places:
        yield tuple(f"{path.rpartition('.')[0]}: identity" for path in places)


def _rate(*factors: float) -> Callable[[Graph], Iterator[Fix]]:
    def fixes(graph: Graph) -> Iterator[Fix]:
        train = graph.spec.train
        if train is None:
            return
        kind = train.optimizer.kind
        long = isinstance(value_at(graph, "train", "optimizer", kind), Mapping)
        for factor in factors:
            yield (f"train.optimizer.{kind}{'.lr' if long else ''}: {train.optimizer.lr * factor:.4g}",)

    return fixes


def _clip(graph: Graph) -> Iterator[Fix]:
    if graph.spec.train is not None and graph.spec.train.clip is None:
        yield ("train.clip: {norm: 1.0}",)


def _entries(graph: Graph, which: Callable[..., bool]) -> list[str] | None:
    """Return the paths of the entries that layers were written by, with their kinds; None if they are too many."""
    found: dict[str, None] = {}
    for leaf in graph.leaves:
        if which(leaf.layer):
            path = path_of(graph, leaf.position)
            if path is None:
                return None
            found[f"{path}.{leaf.layer.kind}"] = None
    return list(found) if len(found) <= _PLACES else None


_SIGNAL = (
    _shortcuts,
    _starts,
    _other_activation("relu", "kaiming"),
    _other_activation("tanh", "xavier"),
    _without_norm,
)
_GROUPS: dict[Code, tuple[Callable[[Graph], Iterator[Fix]], ...]] = {
    "vanishing": _SIGNAL,
    "exploding": _SIGNAL,
    "collapsed": (*_SIGNAL[:-1], _rate(0.1, 0.01)),
    "dead": (_rate(0.1, 0.01), _clip, _starts, _other_activation("leaky_relu", "kaiming")),
    "saturated": (_smaller_starts, _starts, _rate(0.1, 0.01), _other_activation("relu", "kaiming")),
    "nonfinite": (_starts, _rate(0.1, 0.01), _clip),
    "update_small": (_rate(10, 100, 1000, 10000),),
    "update_large": (_rate(0.1, 0.01, 0.001),),
    "unused": (_rate(0.1, 0.01), _starts, _other_activation("leaky_relu", "kaiming")),
}
