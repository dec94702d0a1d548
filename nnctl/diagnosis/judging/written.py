"""Where things stand in the spec's document, as overrides address them."""

from __future__ import annotations

from collections.abc import Iterator

from nnctl.document.node import Mapping, Node, Scalar, Sequence
from nnctl.errors import Position
from nnctl.graph.build import Graph


def path_of(graph: Graph, position: Position) -> str | None:
    """Return the path of the list entry that was written at a position, such as `model.layers[2].repeat.layers[1]`."""
    return next((path for path, node in _entries(graph.spec.document, "") if _stands_at(node, position)), None)


def _stands_at(node: Node, position: Position) -> bool:
    """Return whether an entry was written at a position: of `{linear: 4}` that is where its kind stands."""
    keys = [entry.key for entry in node.entries.values()] if isinstance(node, Mapping) else []
    return position in (node.position, *keys)


def value_at(graph: Graph, *keys: str) -> Node | None:
    """Return the node below keys, or None."""
    node: Node | None = graph.spec.document
    for key in keys:
        node = node.get(key) if isinstance(node, Mapping) else None
    return node


def parameters_of(graph: Graph, value: str) -> Iterator[str]:
    """Yield the paths of the model's own parameters that have the value."""
    for name, entry in (graph.spec.model.params.entries if graph.spec.model.params else {}).items():
        if isinstance(entry.node, Scalar) and entry.node.value == value:
            yield f"model.params.{name}"


def fields_of(graph: Graph, key: str, value: str) -> Iterator[str]:
    """Yield the paths of fields `key` with the value, written out in the layers."""
    for path, node in _entries(graph.spec.document, ""):
        for kind, entry in node.entries.items() if isinstance(node, Mapping) else ():
            own = entry.node.get(key) if isinstance(entry.node, Mapping) else None
            if isinstance(own, Scalar) and own.value == value:
                yield f"{path}.{kind}.{key}"


def bodies_of(graph: Graph) -> Iterator[tuple[str, list[Node]]]:
    """Yield the paths of the lists of layers that repeats take their turns of, with their entries.

    Those with residuals among their layers are left out.
    """
    for path, node in _entries(graph.spec.document, ""):
        repeat = node.get("repeat") if isinstance(node, Mapping) else None
        body = repeat.get("layers") if isinstance(repeat, Mapping) else None
        if isinstance(body, Sequence) and body.items and "residual" not in map(kind_of, body.items):
            yield f"{path}.repeat.layers", body.items


def kind_of(node: Node) -> str | None:
    """Return the name that a list entry gives to its layer."""
    if isinstance(node, Mapping):
        return next(iter(node.entries), None)
    return node.value if isinstance(node, Scalar) and isinstance(node.value, str) else None


def _entries(node: Node, path: str) -> Iterator[tuple[str, Node]]:
    if isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            yield f"{path}[{index}]", item
            yield from _entries(item, f"{path}[{index}]")
    elif isinstance(node, Mapping):
        for key, entry in node.entries.items():
            yield from _entries(entry.node, f"{path}.{key}" if path else key)
