"""A line or a plane through the space of weights, along which a live network can be moved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from nnctl.diagnosis.surface.directions import cosine, filter_normalised
from nnctl.errors import Problem, UsageError
from nnctl.randomness import derive


class Slice:
    """One or two directions from an origin. `move` puts the network's own tensors where coordinates say."""

    def __init__(
        self,
        live: Sequence[Tensor],
        directions: Sequence[Sequence[Tensor]],
        names: Sequence[str],
        *,
        origin: Sequence[Tensor] | None = None,
        statistics: Sequence[tuple[Tensor, Tensor]] = (),
    ) -> None:
        """Take the present values as origin unless one is given.

        `statistics` are buffers with what they are at coordinate 1: between, and not beyond, they move along.
        """
        self.names = tuple(names)
        self._live = live
        self._origin = [tensor.detach().clone() for tensor in (live if origin is None else origin)]
        self._directions = directions
        self._statistics = [(buffer, buffer.clone(), end.to(buffer)) for buffer, end in statistics]

    @property
    def cosine(self) -> float | None:
        """Return the cosine between the two directions of a plane."""
        return cosine(*self._directions) if len(self._directions) == 2 else None

    def move(self, *coordinates: float) -> None:
        """Put the network at the coordinates."""
        with torch.no_grad():
            for number, (live, origin) in enumerate(zip(self._live, self._origin, strict=True)):
                live.copy_(origin)
                for coordinate, direction in zip(coordinates, self._directions, strict=True):
                    live.add_(direction[number], alpha=coordinate)
            for buffer, begin, end in self._statistics:
                buffer.copy_(torch.lerp(begin, end, min(max(coordinates[0], 0.0), 1.0)))

    @contextmanager
    def kept(self, net: nn.Module) -> Iterator[None]:
        """Put all of the network back to what it was when the block ends."""
        before = {name: tensor.detach().clone() for name, tensor in net.state_dict().items()}
        try:
            yield
        finally:
            with torch.no_grad():
                for name, tensor in net.state_dict().items():
                    tensor.copy_(before[name])


def random_slice(net: nn.Module, dims: int, seed: int) -> Slice:
    """Return a slice along filter-normalised directions. Raises UsageError where no weight would move."""
    live = _learned(net)
    directions = [
        filter_normalised(live, torch.Generator().manual_seed(derive(seed, "direction", number)))
        for number in range(dims)
    ]
    if not any(bool(tensor.any()) for tensor in directions[0]):
        message = "no filter-normalised direction leads anywhere: all weights but biases are 0"
        raise UsageError(Problem("no-direction", message, hint="a network of two weights is drawn by --weights"))
    return Slice(live, directions, ("first direction", "second direction")[:dims])


def weight_plane(net: nn.Module) -> tuple[Slice, tuple[float, float]]:
    """Return the plane of a network's two weights, its coordinates being the weights, and where the network is.

    Raises UsageError where it has another number of weights.
    """
    named = [(name, p) for name, p in net.named_parameters() if p.requires_grad]
    places = [(name, number, index) for number, (name, p) in enumerate(named) for index in range(p.numel())]
    if len(places) != 2:
        message = f"the plane of both weights needs a network of exactly two, this one learns {len(places):,}"
        raise UsageError(Problem("usage", message, hint="leave out --weights: random directions are taken"))
    live = [p for _, p in named]
    directions = []
    for _, number, index in places:
        direction = [torch.zeros_like(p, requires_grad=False) for p in live]
        direction[number].view(-1)[index] = 1
        directions.append(direction)
    first, second = (float(live[number].detach().reshape(-1)[index]) for _, number, index in places)
    names = [name if live[number].numel() == 1 else f"{name}[{index}]" for name, number, index in places]
    return Slice(live, directions, names, origin=[torch.zeros_like(p) for p in live]), (first, second)


def line_between(net: nn.Module, end: dict[str, Tensor], names: Sequence[str]) -> Slice:
    """Return the line from a network, at 0, to other weights of the same network, at 1."""
    live = dict(net.named_parameters())
    moved = [end[name].to(p) - p.detach() for name, p in live.items()]
    buffers = [(b, end[name]) for name, b in net.named_buffers() if name in end and b.is_floating_point()]
    return Slice([*live.values()], [moved], names, statistics=buffers)


def _learned(net: nn.Module) -> list[Tensor]:
    return [p for p in net.parameters() if p.requires_grad]
