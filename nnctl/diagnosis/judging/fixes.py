"""What may mend a verdict: changes of the spec, the likeliest first. Which of them does is found by trying."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TypeAlias

from nnctl.component.family import find
from nnctl.diagnosis.judging.written import bodies_of, fields_of, kind_of, parameters_of, path_of, value_at
from nnctl.diagnosis.verdict import Code, Verdict
from nnctl.document.node import Mapping, plain
from nnctl.graph.build import Graph
from nnctl.kinds.initializers.base import Init
from nnctl.kinds.layers.base import Activation, Weighted
from nnctl.kinds.layers.conv import Conv
from nnctl.spec.load import read_string
from nnctl.spec.resolved import as_dict, in_flow, to_yaml

Fix: TypeAlias = tuple[str, ...]
"""Lines `path: value`."""

_PLACES = 4
"""Places in the spec that one fix may change."""
_PACES = {"update_small": (1e-3, 1e-4), "update_large": (0.1, 0.01, 0.001)}
"""‖ΔW‖ / ‖W‖ to aim at with another rate: 1e-3 is neither slow nor rash."""


def candidates(graph: Graph, verdict: Verdict, learned: bool = False, rash: float | None = None) -> Iterator[Fix]:
    """Yield the changes worth trying against a verdict, without those that leave the spec as it is.

    `learned` says whether training brought it: then its steps are what to change first. `rash` is ‖ΔW‖ / ‖W‖ of the
    first step, where that was too large.
    """
    seen: set[Fix] = set()
    groups = _GROUPS[verdict.code]
    if verdict.code in ("update_small", "update_large") and verdict.value:
        groups = (_rate(*(pace / verdict.value for pace in _PACES[verdict.code])),)
    elif learned:
        groups = (_rate(*(pace / (rash or 1.0) for pace in _PACES["update_large"])), _clip, *groups)
    if verdict.code == "unused" and verdict.severity == "warn":
        groups = (_without(verdict.path),)
    for group in groups:
        for fix in group(graph):
            if fix not in seen and _changes(graph, fix):
                seen.add(fix)
                yield fix


def _changes(graph: Graph, fix: Fix) -> bool:
    """Return whether the spec differs with a fix, and can be read at all."""
    reading = read_string(to_yaml(graph.spec), as_overrides(fix))
    return not reading.problems and reading.spec is not None and as_dict(reading.spec) != as_dict(graph.spec)


def as_overrides(fix: Fix) -> list[str]:
    """Return a fix as it is given on the command line."""
    return [line.replace(": ", "=", 1) for line in fix]


def as_arguments(fix: str) -> str:
    """Return a verdict's fix as it is pasted behind a command into a shell."""
    return shlex.join(as_overrides(tuple(fix.splitlines())))


def _shortcuts(graph: Graph) -> Iterator[Fix]:
    for path in (*parameters_of(graph, "none"), *fields_of(graph, "shortcut", "none")):
        yield (f"{path}: auto",)


def _new_shortcuts(graph: Graph) -> Iterator[Fix]:
    """Shortcuts around what is repeated; an activation at its end comes after the sum."""
    for path, entries in bodies_of(graph):
        kind = find("layers", kind_of(entries[-1]) or "")
        inside = len(entries) - (len(entries) > 1 and kind is not None and issubclass(kind, Activation))
        body = [plain(entry) for entry in entries[:inside]]
        yield (f"{path}: {in_flow([{'residual': {'body': body}}, *map(plain, entries[inside:])])}",)


def _padding(graph: Graph) -> Iterator[Fix]:
    places = _entries(graph, lambda layer: isinstance(layer, Conv) and layer.padding_mode == "zeros")
    if places:
        yield tuple(f"{path}.padding_mode: reflect" for path in places)


def _starts(graph: Graph) -> Iterator[Fix]:
    """Other initialisers, for all layers: those that have their own are told as well."""
    own = _entries(graph, lambda layer: isinstance(layer, Weighted) and layer.own_init() != Init())
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


def _without(path: str) -> Callable[[Graph], Iterator[Fix]]:
    """Layers that nothing comes of taken away: one, and as many more as follow it in its list."""

    def fixes(graph: Graph) -> Iterator[Fix]:
        entries = {leaf.path: path_of(graph, leaf.position) for leaf in graph.leaves}
        first = entries[path]
        if first is None:
            return
        inside, _, number = first.rpartition("[")
        lines: Fix = ()
        for place in (f"{inside}[{int(number[:-1]) + ahead}]" for ahead in range(_PLACES)):
            if place not in entries.values():
                return
            lines += (f"{place}: identity",)
            yield lines

    return fixes


def _rate(*factors: float) -> Callable[[Graph], Iterator[Fix]]:
    def fixes(graph: Graph) -> Iterator[Fix]:
        train = graph.spec.train
        if train is None:
            return
        kind = train.optimizer.kind
        long = isinstance(value_at(graph, "train", "optimizer", kind), Mapping)
        for factor in factors:
            yield (f"train.optimizer.{kind}{'.lr' if long else ''}: {train.optimizer.lr * factor:.1g}",)

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
    _padding,
    _new_shortcuts,
    _other_activation("relu", "kaiming"),
    _other_activation("tanh", "xavier"),
    _without_norm,
)
_GROUPS: dict[Code, tuple[Callable[[Graph], Iterator[Fix]], ...]] = {
    "vanishing": _SIGNAL,
    "exploding": _SIGNAL,
    "collapsed": _SIGNAL[:-1],
    "dead": (_starts, _other_activation("leaky_relu", "kaiming")),
    "saturated": (_smaller_starts, _starts, _other_activation("relu", "kaiming")),
    "nonfinite": (_starts,),
    "update_small": (),
    "update_large": (),
    "unused": (_starts, _other_activation("leaky_relu", "kaiming")),
}
