"""Weights from a file into a fresh network: what goes where, and what starts anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from nnctl.checkpoint import read_weights
from nnctl.document.tensors import weights_file
from nnctl.errors import CheckpointError, Problem, SpecError
from nnctl.graph.build import Graph
from nnctl.graph.paths import inside
from nnctl.graph.pretrained import SAFE, check_pretrained, nothing_matches, order_of, problem, unfit, unordered
from nnctl.spec.sections import Pretrained

_COUNTER = "num_batches_tracked"  # files older than torch 0.4.1 have none
_INSIDE = ("state_dict", "model")
"""Where a file that holds more than weights keeps them."""
_SHOWN = 24


@dataclass(frozen=True)
class Move:
    """One tensor of the network, and the file's that it was given; None where it starts as without a file."""

    name: str
    source: str | None
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Transfer:
    """What went where."""

    file: Path
    moves: tuple[Move, ...]
    """Every tensor of the network, in its order."""
    left: tuple[str, ...]
    """Tensors of the file that went nowhere."""

    @property
    def taken(self) -> frozenset[str]:
        """Names of the network's tensors that came from the file."""
        return frozenset(move.name for move in self.moves if move.source is not None)

    @property
    def fresh(self) -> tuple[str, ...]:
        """Names of the network's tensors that the file has nothing for."""
        return tuple(move.name for move in self.moves if move.source is None)

    def lines(self) -> list[str]:
        """Return the transfer as a table: one line for each tensor, or of many for each outermost entry."""
        rows = [f"pretrained: {len(self.taken)} of {len(self.moves)} tensors from {self.file}"]
        entries = list(_rows(self.moves))
        width = max(len(name) for name, _ in entries)
        rows += [f"  {name.ljust(width)}  {source}" for name, source in entries]
        if self.left:
            rows.append(f"  not used: {', '.join(self.left[:6])}" + (", …" if len(self.left) > 6 else ""))
        return rows


def _rows(moves: tuple[Move, ...]) -> Iterator[tuple[str, str]]:
    if len(moves) <= _SHOWN:
        for move in moves:
            yield move.name, f"← {move.source} {move.shape}" if move.source else f"new {move.shape}"
        return
    groups: dict[tuple[str, bool], list[Move]] = {}
    for move in moves:
        groups.setdefault((move.name.partition(".")[0], move.source is None), []).append(move)
    for (entry, new), members in groups.items():
        ends = members[0].source if len(members) == 1 else f"{members[0].source} … {members[-1].source}"
        count = f"({len(members)})" if len(members) > 1 else ""
        yield entry, f"new {count}".rstrip() if new else f"← {ends} {count}".rstrip()


@torch.no_grad()
def load_pretrained(net: nn.Module, graph: Graph) -> Transfer | None:
    """Give a network the pretrained weights that its spec names; None where it names none.

    Raises SpecError where they do not fit, CheckpointError where the file is damaged.
    """
    wanted = graph.spec.model.pretrained
    if wanted is None:
        return None
    if problems := list(check_pretrained(graph)):
        raise SpecError(problems)
    file = weights_file(wanted.file)
    found = _read(graph, wanted, file)
    own = {name: tuple(tensor.shape) for name, tensor in net.state_dict().items()}
    pairs = _by_order(graph, wanted, own, found) if wanted.match == "order" else _by_name(wanted, own, found)
    if not any(pairs.values()):
        raise SpecError(nothing_matches(graph, list(found)))
    shapes = {name: tuple(tensor.shape) for name, tensor in found.items()}
    unlike = {name: source for name, source in pairs.items() if source is not None and own[name] != shapes[source]}
    if unlike:
        raise SpecError(_unlike(graph, unlike, own, shapes))
    tensors = net.state_dict()
    for name, source in pairs.items():
        if source is not None:
            tensors[name].copy_(found[source])
    used = set(pairs.values())
    moves = tuple(Move(name, source, own[name]) for name, source in pairs.items())
    return Transfer(file, moves, tuple(name for name in found if name not in used))


def _by_name(wanted: Pretrained, own: Mapping[str, object], found: Mapping[str, Tensor]) -> dict[str, str | None]:
    return {name: name if name in found and not inside(name, wanted.new) else None for name in own}


def _by_order(
    graph: Graph, wanted: Pretrained, own: Mapping[str, tuple[int, ...]], found: Mapping[str, Tensor]
) -> dict[str, str | None]:
    """Match tensors one by one. Those that start anew pass over the file's that stand in their place."""
    counted = any(name.endswith(_COUNTER) for name in found)
    ours = [name for name in own if counted or not name.endswith(_COUNTER)]
    pairs: dict[str, str | None] = dict.fromkeys(own)
    theirs = iter(found)
    missing = []
    for name in ours:
        source = next(theirs, None)
        if not inside(name, wanted.new):
            pairs[name] = source
            missing += [name] if source is None else []
    spare = list(theirs)
    if missing or (spare and not inside(ours[-1], wanted.new)):
        count = len(found)
        message = f"the file has {count} tensors, the network {len(ours)}: they cannot be matched by order"
        first = f"the first without a partner: {missing[0] if missing else spare[0]}"
        hint = "name the layers that the file does not have in `new`, or use `match: name`"
        raise SpecError(problem(graph, message, (first,), hint))
    return pairs


def _unlike(
    graph: Graph,
    pairs: Mapping[str, str],
    own: Mapping[str, tuple[int, ...]],
    found: Mapping[str, tuple[int, ...]],
) -> Problem:
    """Return the problem of tensors whose partners in the file have other shapes."""
    paths = [leaf.path for leaf in graph.leaves if any(inside(name, (leaf.path,)) for name in pairs)]
    layers = f"`{paths[0]}`" if len(paths) == 1 else f"{len(paths)} layers"
    lines = [f"{name} {own[name]} here, {source} {found[source]} in the file" for name, source in pairs.items()]
    return unfit(graph, f"pretrained weights for {layers} have another shape", paths, lines)


def _read(graph: Graph, wanted: Pretrained, file: Path) -> dict[str, Tensor]:
    """Return the file's tensors by name, in the order of their network where it is known."""
    if file.suffix != SAFE:
        return _read_torch(file)
    weights = read_weights(file)
    order = order_of(weights.metadata)
    if order is None or set(order) != set(weights.tensors):
        if wanted.match == "order":
            raise SpecError(unordered(graph))
        order = sorted(weights.tensors)
    return {name: weights.tensors[name] for name in order}


def _read_torch(file: Path) -> dict[str, Tensor]:
    """Return what `torch.save` wrote, tensors alone: no file is let run code."""
    try:
        loaded = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged or foreign file fails in any of a dozen ways
        reason = str(error).partition("\n")[0]
        hint = "save the network's `state_dict()` alone: other objects are not read, for they may run code"
        raise CheckpointError(Problem("checkpoint-damaged", f"cannot use {file}: {reason}", hint=hint)) from None
    for key in _INSIDE:
        if isinstance(loaded, dict) and isinstance(loaded.get(key), dict):
            loaded = loaded[key]
    if not isinstance(loaded, dict) or not loaded or not all(isinstance(t, Tensor) for t in loaded.values()):
        hint = "save the network's `state_dict()`"
        raise CheckpointError(Problem("checkpoint-damaged", f"{file} does not hold tensors by name", hint=hint))
    return {str(name): tensor for name, tensor in loaded.items()}
