"""How the kinds that hold lists of layers are expanded: one function each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from nnctl.component.family import find
from nnctl.document.node import Mapping, Scalar, Sequence, Unknown, describe
from nnctl.document.suggest import did_you_mean
from nnctl.graph.nodes import NOTHING, Branches, Chain, FromTag, Head, Highway, Merge, Residual, SetTag, Signal, Step
from nnctl.graph.place import Place
from nnctl.graph.scope import Bound, Scope
from nnctl.kinds.layers.base import Layer
from nnctl.kinds.layers.shape import Shape
from nnctl.kinds.layers.structure._pad import Pad, smallest_stride
from nnctl.kinds.layers.structure.residual import SHORTCUTS

if TYPE_CHECKING:
    from nnctl.graph.expand import Expander

Expansion: TypeAlias = "Callable[[Expander, Any, Place], tuple[Step | None, Signal | None]]"


def repeat(expander: Expander, component: Any, place: Place) -> tuple[Step | None, Signal | None]:
    """Expand every turn of a repeat with an index of its own."""
    signal, turns = place.signal, []
    for turn in range(component.times):
        expander.count_one(place.position)
        context = place.context
        if component.index:
            number = Bound(Scalar(turn, place.position))
            context = replace(context, scope=Scope({component.index: number}, parent=context.scope))
        chain, signal = expander.chain(component.layers, signal, f"{place.path}.{turn + 1}", context)
        turns.append(chain)
    return Chain(place.path, tuple(turns)), signal


def residual(expander: Expander, component: Any, place: Place) -> tuple[Step | None, Signal | None]:
    """Expand both ways of a residual and see that they end in one shape."""
    start = place.signal
    body, end = expander.chain(component.body, start, f"{place.path}.body", place.context)
    bound = place.resolver.value(component.shortcut) if component.shortcut is not None else None
    node = bound.node if bound else None
    if isinstance(node, Sequence):
        assert bound is not None
        context = replace(place.context, scope=bound.scope or place.context.scope)
        chain, short = expander.chain(node, start, f"{place.path}.shortcut", context)
    else:
        choice = "auto" if node is None else node.value if isinstance(node, Scalar) else node
        if choice not in SHORTCUTS:
            assert node is not None
            message = f"`shortcut` is {describe(node)}, expected {', '.join(SHORTCUTS)} or a list of layers"
            hint = did_you_mean(str(choice), SHORTCUTS) if isinstance(choice, str) else None
            if not isinstance(choice, Unknown):
                expander.fail("type", message, node.position, place.path, hint=hint)
            return None, None
        if choice == "none":
            return Residual(place.path, body, None, place.position), end
        if start is None or end is None:
            return None, None
        named = _named_shortcut(expander, str(choice), start, end, place)
        if named is None:
            return None, None
        chain, short = named
    if start is None or end is None or short is None:
        return None, None
    if end.shape != short.shape:
        message = "the two ways of a residual end in different shapes"
        details = (f"body: {end.shape}, from {end.source}", f"shortcut: {short.shape}, from {short.source}")
        hint = "write `shortcut: auto`, which adds a 1×1 convolution where the shapes differ"
        expander.fail("shape", message, place.blamed, place.path, details, hint)
        return None, None
    return Residual(place.path, body, chain, place.position), _joined([end, short], end.shape, place)


def _named_shortcut(
    expander: Expander, choice: str, start: Signal, end: Signal, place: Place
) -> tuple[Chain, Signal] | None:
    path = f"{place.path}.shortcut"
    if choice == "identity" or (choice == "auto" and start.shape == end.shape):
        return Chain(path, ()), start
    position = place.blamed
    detail = (f"the body makes {end.shape} of {start.shape}",)
    stride = smallest_stride(start.shape, end.shape)
    shrinks = choice == "pad" and end.shape.features < start.shape.features
    if stride is None or start.shape.tokens or shrinks:
        message = f"no `{choice}` shortcut leads from {start.shape} to {end.shape}"
        hint = "give the shortcut's layers as a list, or mend the body's strides and paddings"
        expander.fail("shape", message, position, place.path, detail, hint)
        return None
    if choice == "pad":
        layers: list[tuple[str, Layer]] = [("pad1", Pad(channels=end.shape.features, stride=stride))]
    else:
        layers = _projection(start.shape, end.shape, stride)
    steps: list[Step] = []
    signal: Signal | None = start
    for name, layer in layers:
        assert signal is not None
        leaf, signal = expander.place_layer(layer, f"{path}.{name}", signal, place)
        if leaf is None or signal is None:
            return None
        steps.append(leaf)
    assert signal is not None
    return Chain(path, tuple(steps)), signal


def _projection(start: Shape, end: Shape, stride: tuple[int, ...]) -> list[tuple[str, Layer]]:
    """Return the layers of a projection: a 1×1 convolution (a linear layer for vectors) and batch norm, no bias."""
    if start.space:
        size: Any = stride if len(set(stride)) > 1 else stride[0]
        weights = ("conv1", _layer("conv", channels=end.features, kernel=1, stride=size, bias=False))
    else:
        weights = ("linear1", _layer("linear", features=end.features, bias=False))
    return [weights, ("batch_norm1", _layer("batch_norm"))]


def _layer(kind: str, **fields: Any) -> Layer:
    cls = find("layers", kind)
    assert cls is not None
    layer = cls(**fields)
    assert isinstance(layer, Layer)
    return layer


def branches(expander: Expander, component: Any, place: Place) -> tuple[Step | None, Signal | None]:
    """Expand every path and join what leaves them."""
    bound = place.resolver.value(component.paths)
    if not isinstance(bound.node, Sequence) or not bound.node.items:
        hint = "write `paths: [[…], […]]`"
        found = "an empty one" if isinstance(bound.node, Sequence) else describe(bound.node)
        message = f"`paths` is a list of lists of layers, found {found}"
        expander.fail("type", message, bound.node.position, place.path, hint=hint)
        return None, None
    context = replace(place.context, scope=bound.scope or place.context.scope)
    chains, ends, known = [], [], True
    for number, path in enumerate(bound.node.items, start=1):
        if isinstance(path, Mapping) or (isinstance(path, Scalar) and not str(path.value).startswith("$")):
            hint = "put brackets around it: `- [identity]`"
            message = f"a path is a list of layers, found {describe(path)}"
            expander.fail("type", message, path.position, place.path, hint=hint)
            known = False
            continue
        chain, end = expander.chain(path, place.signal, f"{place.path}.paths{number}", context)
        chains.append(chain)
        if end is None:
            known = False
        else:
            ends.append(end)
    if not known:
        return None, None
    shape = _merged(expander, ends, component.merge, place)
    if shape is None:
        return None, None
    return Branches(place.path, tuple(chains), component.merge, shape.tokens, place.position), _joined(
        ends, shape, place
    )


def highway(expander: Expander, component: Any, place: Place) -> tuple[Step | None, Signal | None]:
    """Expand body and gate; both must keep the shape."""
    body, end = expander.chain(component.body, place.signal, f"{place.path}.body", place.context)
    gate, opening = expander.chain(component.gate, place.signal, f"{place.path}.gate", place.context)
    if place.signal is None or end is None or opening is None:
        return None, None
    if not place.signal.shape == end.shape == opening.shape:
        details = (f"arrives: {place.signal.shape}", f"body: {end.shape}", f"gate: {opening.shape}")
        hint = "`$in` is the number of features that arrive: `linear: $in`"
        expander.fail("shape", "a highway's body and gate keep the shape", place.position, place.path, details, hint)
        return None, None
    return Highway(place.path, body, gate, place.position), _joined([place.signal, end, opening], end.shape, place)


def tag(expander: Expander, component: Any, place: Place) -> tuple[Step | None, Signal | None]:
    """Name the present value."""
    name = f"{place.path}.{component.label}" if place.path else component.label
    _claim(expander, "tag", name, place)
    if place.signal is None:
        place.context.tags[component.label] = (name, None)
        return None, None
    return SetTag(name, component.label, place.signal), place.signal


def from_(expander: Expander, component: Any, place: Place) -> tuple[Step | None, Signal | None]:
    """Go on from a tagged value, or join it."""
    found = _tagged(expander, component.tag, place)
    if found is None:
        return None, None
    name, tagged = found
    step = FromTag(name, component.merge, place.position)
    if component.merge is None or tagged is None or place.signal is None:
        return step, tagged if component.merge is None else None
    shape = _merged(expander, [place.signal, tagged], component.merge, place)
    return (step, None) if shape is None else (step, _joined([place.signal, tagged], shape, place))


def head(expander: Expander, component: Any, place: Place) -> tuple[Step | None, Signal | None]:
    """Expand a side output."""
    start: str | None = None
    signal = place.signal
    if component.from_ is not None:
        found = _tagged(expander, component.from_, place)
        if found is None:
            return None, place.signal
        start, signal = found
    chain, end = expander.chain(component.layers, signal, place.path, place.context)
    _claim(expander, "head", component.name, place)
    if end is None:
        return None, place.signal
    return Head(place.path, component.name, start, chain, component.eval, end, place.position), place.signal


def _claim(expander: Expander, what: Literal["tag", "head"], name: str, place: Place) -> None:
    """Take a name among the network's outputs, or say that it is taken; a list's own tags are compared there."""
    hint = "choose another name"
    if name == "output":
        expander.fail("name", f"a {what} cannot be called `output`", place.position, place.path, hint=hint)
    elif name not in expander.named:
        expander.named[name] = (what, place.position)
    elif (what, expander.named[name][0]) != ("tag", "tag"):
        other, first = expander.named[name]
        both = "two heads are" if what == other else "a tag and a head are both"
        details = (f"the first is at {first}",)
        expander.fail("name", f"{both} called `{name}`", place.position, place.path, details, hint)


def _tagged(expander: Expander, label: str, place: Place) -> tuple[str, Signal | None] | None:
    tags = place.context.tags
    found = tags.get(label)
    unread = label.startswith("data.") and not any(tag.startswith("data.") for tag in tags)  # it was told why
    if found is None and not unread:
        hint = did_you_mean(label, tags, "tags seen here")
        expander.fail("unknown-tag", f"there is no tag `{label}` here", place.position, place.path, hint=hint)
    return found


def _merged(expander: Expander, ends: list[Signal], merge: Merge, place: Place) -> Shape | None:
    """Return the shape of values joined, or None after saying why they cannot be."""
    shapes = [end.shape for end in ends]
    first = shapes[0]
    alike = all(len(s.dims) == len(first.dims) and s.tokens == first.tokens for s in shapes) and NOTHING not in ends
    if alike and merge == "concat":
        total = sum(shape.features for shape in shapes)
        if all(shape.with_features(1) == first.with_features(1) for shape in shapes):
            return first.with_features(total)
    elif alike:
        axes = [{extent for extent in axis if extent != 1} for axis in zip(*(s.dims for s in shapes), strict=True)]
        if all(len(axis) <= 1 for axis in axes):
            return replace(first, dims=tuple(next(iter(axis), 1) for axis in axes))
    details = tuple(f"{end.shape} from {end.source}" for end in ends)
    rule = "agree in all axes but the features" if merge == "concat" else "agree in every axis, or have 1 there"
    position = place.blamed
    expander.fail(
        "shape", f"these values cannot be joined by `{merge}`: they must {rule}", position, place.path, details
    )
    return None


def _joined(ends: list[Signal], shape: Shape, place: Place) -> Signal:
    """Return the signal behind a join: it reaches as far back as its widest path."""
    widest, step = _largest([end.reach for end in ends]), _largest([end.step for end in ends])
    position = place.blamed
    line = f" (line {position.line})" if position.line else ""
    return Signal(shape, widest, step, f"`{place.path or place.kind}`{line}")


def _largest(ends: list[tuple[Fraction | int, ...]]) -> tuple[Fraction | int, ...]:
    """Return the largest per axis; nothing where fields of the data with unlike axes meet."""
    if len({len(end) for end in ends}) != 1:
        return ()
    return tuple(max(axis) for axis in zip(*ends, strict=True))


EXPANSIONS: dict[str, Expansion] = {
    "repeat": repeat,
    "residual": residual,
    "branches": branches,
    "highway": highway,
    "tag": tag,
    "from": from_,
    "head": head,
}
