"""Which way a computation went at each of its kinks: two passes that differ in it lie on different smooth pieces.

Looked for where every module's computation passes, in torch's own operations, so that it does not matter whether a
ReLU is a module, a function or written out by hand.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

_Side = Callable[..., Tensor]


def _sign(x: Tensor, *_: Any, **__: Any) -> Tensor:
    return x > 0


def _above(x: Tensor, threshold: float, *_: Any, **__: Any) -> Tensor:
    return x > threshold


def _within(x: Tensor, low: Any = None, high: Any = None, *_: Any, **named: Any) -> Tensor:
    low, high = named.get("min", low), named.get("max", high)
    side = torch.zeros_like(x, dtype=torch.int8)
    if low is not None:
        side += x > low
    if high is not None:
        side += x > high
    return side


def _shrunk(x: Tensor, width: float = 0.5, *_: Any, **__: Any) -> Tensor:
    return _within(x, -width, width)


def _larger(x: Tensor, y: Tensor, *_: Any, **__: Any) -> Tensor:
    return x > y


def _near(x: Tensor, y: Tensor, _reduction: int = 1, width: float = 1.0, *_: Any, **__: Any) -> Tensor:
    return _within(x - y, -width, width)


_SIDES: dict[str, _Side] = {
    **dict.fromkeys(("relu", "leaky_relu", "prelu", "_prelu_kernel", "elu", "abs", "sgn", "sign"), _sign),
    **dict.fromkeys(("rrelu_with_noise", "rrelu_with_noise_functional"), _sign),
    "threshold": _above,
    **dict.fromkeys(("clamp", "clip"), _within),
    "clamp_min": lambda x, low, *_: x > low,
    "clamp_max": lambda x, high, *_: x > high,
    "hardtanh": lambda x, low=-1.0, high=1.0, *_: _within(x, low, high),
    **dict.fromkeys(("hardsigmoid", "hardswish"), lambda x, *_: _within(x, -3.0, 3.0)),
    **dict.fromkeys(("hardshrink", "softshrink"), _shrunk),
    **dict.fromkeys(("maximum", "minimum", "fmax", "fmin"), _larger),
    **dict.fromkeys(("smooth_l1_loss", "huber_loss"), _near),
}
"""What decides between the pieces of an operation, from its arguments."""

_BY_VALUE = frozenset({"amax", "amin", "max", "min", "median", "round", "floor", "ceil", "trunc", "bernoulli"})
"""Operations whose decision is seen by where the result lies among the first argument, or is the result itself."""


class Branches(TorchDispatchMode):
    """Records every decision of the passes inside its `with`: `digest` is equal where all of them are."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch leaves it unannotated
        self._hash = hashlib.blake2b(digest_size=16)

    @property
    def digest(self) -> bytes:
        """Return the fingerprint of the decisions so far."""
        return self._hash.digest()

    def __torch_dispatch__(
        self, func: Any, types: Iterable[type], args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Note the decision of one operation of torch, and perform it."""
        named = kwargs or {}
        name = func.overloadpacket.__name__.removesuffix("_")  # an operation in place decides as the other does
        decide = _SIDES.get(name)
        if decide is not None:
            self._take(decide(*args, **named))
        result = func(*args, **named)
        if decide is None:
            self._take_result(name, args, result)
        return result

    def _take_result(self, name: str, args: tuple[Any, ...], result: Any) -> None:
        for tensor in result if isinstance(result, (tuple, list)) else (result,):
            if not isinstance(tensor, Tensor):
                continue
            if not tensor.is_floating_point() and not tensor.is_complex():
                self._take(tensor)  # comparisons, and the indices of whatever is the largest or chosen
            elif name in _BY_VALUE:
                self._take(_places(args, tensor) if name in ("amax", "amin", "max", "min", "median") else tensor)

    def _take(self, decision: Tensor) -> None:
        self._hash.update(decision.detach().cpu().contiguous().numpy().tobytes())


def _places(args: tuple[Any, ...], extreme: Tensor) -> Tensor:
    """Return where the extreme values stand in what they were taken from."""
    x = args[0]
    if extreme.dim() == x.dim():
        return torch.eq(x, extreme)
    axes = args[1] if len(args) > 1 else None
    if axes in (None, [], ()):
        return torch.eq(x, extreme)
    for axis in sorted(a % x.dim() for a in ([axes] if isinstance(axes, int) else axes)):
        extreme = extreme.unsqueeze(axis)
    return torch.eq(x, extreme)
