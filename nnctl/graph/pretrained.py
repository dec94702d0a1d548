"""Pretrained weights as far as they can be judged without torch: the file, and what a safetensors header says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from nnctl.document.tensors import BEST, Header, HeaderError, read_header, weights_file
from nnctl.errors import Problem
from nnctl.graph.checks import position_of
from nnctl.graph.paths import inside, unknown_paths
from nnctl.spec.sections import Pretrained

if TYPE_CHECKING:
    from nnctl.graph.build import Graph

SAFE = ".safetensors"
PICKLED = (".pth", ".pt", ".bin")
"""What `torch.save` writes: read for its tensors alone."""
_LISTED = 5  # layers or tensors that a problem tells one by one
_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")  # what modules keep besides parameters


@dataclass(frozen=True)
class Layer:
    """A layer with parameters, and those of the file's tensors that carry its path."""

    path: str
    parameters: int
    tensors: dict[str, tuple[int, ...]]

    @property
    def found(self) -> int:
        """Learned numbers that the file has for it."""
        return sum(prod(shape) for name, shape in self.tensors.items() if name.rpartition(".")[2] not in _STATISTICS)


def problem(graph: Graph, message: str, details: tuple[str, ...] = (), hint: str | None = None) -> Problem:
    """Return a problem with the spec's pretrained weights, in its place."""
    position = position_of(graph.spec, "model", "pretrained", "file")
    return Problem("pretrained", message, position, "model.pretrained", details, hint)


def check_pretrained(graph: Graph) -> Iterator[Problem]:
    """Yield what is wrong with the weights that the spec's training would start with."""
    wanted = graph.spec.model.pretrained
    if wanted is None:
        return
    yield from unknown_paths(graph, wanted.new, "model", "pretrained", "new")
    file = weights_file(wanted.file)
    if not file.is_file():
        what = f"{wanted.file} is a directory without {BEST}" if file.name == BEST else f"there is no file {file}"
        yield problem(graph, what, hint="give a .safetensors or .pth file, or the directory of a run")
    elif file.suffix not in (SAFE, *PICKLED):
        yield problem(
            graph, f"{file} is no file of weights", hint="give a .safetensors or .pth file, or a run's directory"
        )
    elif file.suffix == SAFE:
        try:
            header = read_header(file)
        except (HeaderError, OSError) as error:
            yield problem(graph, f"cannot use {file}: {error}")
        else:
            yield from _check_header(graph, wanted, header)


def _check_header(graph: Graph, wanted: Pretrained, header: Header) -> Iterator[Problem]:
    if wanted.match == "order":
        if order_of(header.metadata) is None:
            yield unordered(graph)
        return
    layers = list(_layers(graph, wanted, header))
    if not any(layer.tensors for layer in layers):
        yield nothing_matches(graph, list(header.shapes))
    unlike = [layer for layer in layers if layer.tensors and layer.found != layer.parameters]
    if len(unlike) == 1:
        (layer,) = unlike
        message = f"the pretrained `{layer.path}` has {layer.found:,} parameters, here it has {layer.parameters:,}"
        yield unfit(graph, message, [layer.path], [f"{name} {shape}" for name, shape in layer.tensors.items()])
    elif unlike:
        message = f"{len(unlike)} pretrained layers have other numbers of parameters than here"
        lines = [f"{layer.path}: {layer.found:,} in the file, {layer.parameters:,} here" for layer in unlike]
        yield unfit(graph, message, [layer.path for layer in unlike], lines)


def _layers(graph: Graph, wanted: Pretrained, header: Header) -> Iterator[Layer]:
    tensors: dict[str, dict[str, tuple[int, ...]]] = {}
    paths = {row.path for row in graph.rows}
    for name, shape in header.shapes.items():
        owner = name
        while owner and owner not in paths:
            owner = owner.rpartition(".")[0]
        tensors.setdefault(owner, {})[name] = shape
    for row in graph.rows:
        if row.params and not inside(row.path, wanted.new):
            yield Layer(row.path, row.params, tensors.get(row.path, {}))


def order_of(metadata: dict[str, str]) -> list[str] | None:
    """Return the names of a file's tensors in the order of their network, where nnctl wrote it down."""
    try:
        order = json.loads(metadata["order"])
    except (KeyError, ValueError):
        return None
    return order if isinstance(order, list) else None


def unordered(graph: Graph) -> Problem:
    """Return what is said where tensors cannot be matched by order."""
    message = "the order of the file's tensors is lost: .safetensors sorts them by name"
    return problem(graph, message, hint="use `match: name`, or a .pth file")


def nothing_matches(graph: Graph, names: list[str]) -> Problem:
    """Return what is said where no tensor of the file has the name of one in the network."""
    theirs = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
    ours = ", ".join([row.path for row in graph.rows if row.params][:3])
    details = (f"the file has {theirs or 'no tensors'}", f"the network's layers with weights are {ours}, …")
    return problem(graph, "no tensor of the file has the path of a layer", details, "use `match: order`")


def unfit(graph: Graph, message: str, paths: Sequence[str], lines: Sequence[str]) -> Problem:
    """Return what is said where layers have another shape in the file: `lines` say it of each, or of each tensor."""
    more = (f"and {len(lines) - _LISTED} more",) if len(lines) > _LISTED else ()
    hint = "is the file that of another network? layers that are named in `new` start afresh"
    if len(paths) <= _LISTED:
        them = "it" if len(paths) == 1 else "them"
        hint = f"to train {them} from the start, write `pretrained: {{…, new: [{', '.join(paths)}]}}`"
    return problem(graph, message, (*lines[:_LISTED], *more), hint)
