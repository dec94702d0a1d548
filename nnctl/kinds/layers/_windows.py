"""What convolutions and pools share: one number per spatial axis, and the size that a sliding window leaves."""

from __future__ import annotations

from nnctl.kinds.layers.base import Layer, Window
from nnctl.kinds.layers.shape import Shape, ShapeError

_CALLED = {1: "a signal", 2: "an image", 3: "a volume"}


def called(x: Shape) -> str:
    """Return what a shape is, in words: a vector, tokens, a signal, an image, a volume."""
    if x.vocabulary is not None:
        return "codes"
    if x.tokens:
        return "tokens"
    return _CALLED.get(len(x.space), f"{len(x.space)} spatial axes") if x.space else "a vector"


def need_space(kind: str, x: Shape) -> tuple[int, ...]:
    """Return the one to three spatial axes of `x`. Raises ShapeError where it has none, or more."""
    if len(x.space) in _CALLED:
        return x.space
    raise ShapeError(
        f"`{kind}` takes a signal, an image or a volume, not {called(x)}",
        f"expected (channels, length), (channels, height, width) or (channels, depth, height, width), got {x}",
        "put `reshape: [channels, height, width]` before it",
    )


def need_tokens(kind: str, x: Shape) -> tuple[int, int]:
    """Return tokens and features. Raises ShapeError where something else arrives."""
    if x.tokens:
        return x.dims[0], x.dims[1]
    raise ShapeError(
        f"`{kind}` takes tokens, not {called(x)}",
        f"expected (tokens, features) tokens, got {x}",
        "put `reshape: {tokens: …, features: …}` before it" + (", or `patch_embedding`" if len(x.space) > 1 else ""),
    )


def need_features(kind: str, x: Shape) -> None:
    """Raise ShapeError where the features are not on the last axis, as those of a vector or of tokens are."""
    if x.space:
        raise ShapeError(
            f"`{kind}` takes a vector or tokens, not {called(x)}",
            f"expected (features,) or (tokens, features), got {x}",
            "put `flatten` before it",
        )


def need_numbers(layer: Layer, x: Shape) -> None:
    """Raise ShapeError where codes arrive at a layer that reckons with numbers."""
    if x.vocabulary is not None and not layer.takes_codes:
        raise ShapeError(
            f"`{layer.kind}` takes numbers, not codes",
            f"the input is whole numbers below {x.vocabulary}",
            "put `embedding: 32` before it",
        )


def everywhere(x: Shape) -> Window:
    """Return the window of a layer that keeps every place and looks at all of them, as statistics and gates do."""
    return Window(x.space, (1,) * len(x.space))


def per_axis(field: str, value: int | tuple[int, ...], x: Shape) -> tuple[int, ...]:
    """Return one number for each spatial axis. Raises ShapeError where a list has more or fewer."""
    axes = len(x.space)
    if isinstance(value, int):
        return (value,) * axes
    if len(value) != axes:
        raise ShapeError(
            f"`{field}` has {len(value)} numbers, but the input has {axes} spatial {'axis' if axes == 1 else 'axes'}",
            f"`{field}` is {list(value)}, input is {x}",
            "give a single number, or one for each axis",
        )
    return value


def quoted(value: int | tuple[int, ...]) -> str:
    """Return numbers per axis as YAML writes them, a single one where all agree."""
    if isinstance(value, tuple):
        return str(value[0]) if len(set(value)) == 1 else str(list(value))
    return str(value)


def slide(extent: int, step: int, size: int, padding: int, ceil: bool = False) -> int:
    """Return at how many places a window of `extent` stands on one axis; below 1 where it fits nowhere.

    ⌊(size + 2·padding − extent) / step⌋ + 1. With `ceil` the quotient is rounded up, and a last window
    that would start in the padding on the right is left out.
    """
    free = size + 2 * padding - extent
    if not ceil:
        return free // step + 1
    places = -(-free // step) + 1
    return places - 1 if (places - 1) * step >= size + padding else places


def same_padding(kernel: tuple[int, ...], dilation: tuple[int, ...] | None = None) -> tuple[int, ...]:
    """Return the rows that `same` adds on each side: half of what the kernel takes away, 0 to even kernels."""
    return tuple(d * (k // 2) if k % 2 else 0 for k, d in zip(kernel, dilation or (1,) * len(kernel), strict=True))


def too_large(kernel: tuple[int, ...], extent: tuple[int, ...], x: Shape, padding: tuple[int, ...]) -> ShapeError:
    """Return the error of a kernel, dilated to `extent`, that fits nowhere in its padded input."""
    spans = f" (dilated: {quoted(extent)})" if extent != kernel else ""
    missing = max(e - s for e, s in zip(extent, x.space, strict=True))
    cure = "same" if all(k % 2 for k in kernel) else (missing + 1) // 2
    return ShapeError(
        "Kernel is larger than its input",
        f"`kernel` is {quoted(kernel)}{spans}, input is {x}, `padding` is {quoted(padding)}",
        f"set `padding: {cure}`, or a smaller `kernel`, or remove a pool or stride before it",
    )
