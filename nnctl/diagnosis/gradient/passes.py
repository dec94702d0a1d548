"""What operations a pass consists of: which draw numbers, which shorten them, and what they read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode


class _Watch(TorchDispatchMode):
    """Sees every operation of torch inside its `with`."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch leaves it unannotated

    def __torch_dispatch__(
        self, func: Any, types: Iterable[type], args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Perform one operation, and note it."""
        named = kwargs or {}
        result = func(*args, **named)
        self.note(func, (*args, *named.values()), result)
        return result

    def note(self, operation: Any, arguments: tuple[Any, ...], result: Any) -> None:
        """Take in an operation that was performed."""
        raise NotImplementedError("each watch notes something of its own")


class Draws(_Watch):  # type: ignore[no-untyped-call]  # torch leaves it unannotated
    """Notes whether the passes inside its `with` draw random numbers; masks, as dropout's, do not count."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = False

    def note(self, operation: Any, arguments: tuple[Any, ...], result: Any) -> None:
        """Note whether an operation draws."""
        name = operation.overloadpacket.__name__
        masks = "bernoulli" in name or "dropout" in name
        self.numbers = self.numbers or (torch.Tag.nondeterministic_seeded in operation.tags and not masks)


class Narrowed(_Watch):  # type: ignore[no-untyped-call]  # torch leaves it unannotated
    """Notes the shortest type that numbers of float64 are turned into inside its `with`."""

    def __init__(self) -> None:
        super().__init__()
        self.dtype = torch.float64

    def note(self, operation: Any, arguments: tuple[Any, ...], result: Any) -> None:
        """Note what type comes out where float64 goes in."""
        wide = any(isinstance(x, Tensor) and x.dtype == torch.float64 for x in arguments)
        if wide and isinstance(result, Tensor) and result.is_floating_point():
            self.dtype = min(self.dtype, result.dtype, key=lambda dtype: dtype.itemsize)


class Reads(_Watch):  # type: ignore[no-untyped-call]  # torch leaves it unannotated
    """Notes which tensors the passes inside its `with` read, by the memory that they live in."""

    def __init__(self) -> None:
        super().__init__()
        self.places: set[int] = set()

    def note(self, operation: Any, arguments: tuple[Any, ...], result: Any) -> None:
        """Note where the arguments lie."""
        for value in arguments:
            if isinstance(value, Tensor):
                self.places.add(value.untyped_storage().data_ptr())
            elif isinstance(value, (tuple, list)):
                self.note(operation, tuple(value), result)
