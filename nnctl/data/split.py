"""The samples of one split, handed out in batches that a network can take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from nnctl.data.order import endless_order
from nnctl.data.source import Source
from nnctl.data.standardise import Standardisation
from nnctl.kinds.augmentations.base import Augmentation, Mixing
from nnctl.randomness import derive


@dataclass(frozen=True)
class Batch:
    """Some samples: finished inputs by the name of their field, and the target."""

    inputs: dict[str, Tensor]
    target: Tensor
    """Classes as int64 (N,), or blended with other samples' as float32 (N, K); numbers as float32 (N, T)."""
    clean: dict[str, Tensor] = field(default_factory=dict)
    """Inputs before they were corrupted, for those that were."""
    labels: Tensor | None = None
    """The target as it was before samples were mixed, if they were."""
    streams: dict[str, Batch] = field(default_factory=dict)
    """As many samples of each further set."""
    members: int = 1
    """Networks that samples belong to, in turn: the first is the first member's, the second the second's, and so on."""

    @property
    def n(self) -> int:
        """Return how many samples each member has."""
        return len(self.target) // self.members

    @property
    def answer(self) -> Tensor:
        """Return what outputs are measured against: the target of each sample alone."""
        return self.target if self.labels is None else self.labels

    def part(self, piece: slice) -> Batch:
        """Return some of each member's samples."""
        piece = slice(piece.start * self.members, piece.stop * self.members)
        return Batch(
            {name: value[piece] for name, value in self.inputs.items()},
            self.target[piece],
            {name: value[piece] for name, value in self.clean.items()},
            None if self.labels is None else self.labels[piece],
            {name: stream.part(piece) for name, stream in self.streams.items()},
            self.members,
        )


class Split:
    """The samples of one split. Batches live on `device`; the samples too where they fit there.

    `fields` are raw: (N, C, H, W) bytes of images, (N, F) numbers of tables, (N, …) int64 codes, of which the split has
    `rows`. Transforms and augmentations change the one field that is standardised.
    """

    def __init__(
        self,
        name: str,
        fields: Mapping[str, Tensor],
        rows: Tensor,
        target: Tensor,
        standardisation: Standardisation,
        *,
        device: torch.device,
        transforms: Sequence[Augmentation] = (),
        augment: Sequence[Augmentation] = (),
        seed: int = 0,
        classes: int | None = None,
        streams: Mapping[str, Split] | None = None,
    ) -> None:
        self.name, self.device, self.rows = name, device, rows
        self.target = target.to(device)
        self.streams = dict(streams or {})
        self._seed, self._classes = seed, classes
        self._mixing = [one for one in augment if isinstance(one, Mixing)]
        self._changing = [one for one in augment if not isinstance(one, Mixing) and not one.corrupts]
        self._corrupting = [one for one in augment if one.corrupts]
        changing = bool(self._changing or self._corrupting)
        main = numeric_field(fields)
        self.sources = {
            field: Source(
                raw,
                rows,
                standardisation if field == main else None,
                device=device,
                transforms=transforms if field == main else (),
                changing=changing and field == main,
            )
            for field, raw in fields.items()
        }
        self._main = main if changing else None

    def __len__(self) -> int:
        return len(self.target)

    def batch(self, indices: Tensor | slice, *, step: int | None = None, members: int = 1) -> Batch:
        """Return the samples at `indices` of the split, augmented where `step`, the optimiser step, is given.

        Augmentation is a function of seed and step: the same call returns the same batch. Samples that belong to
        several members in turn are mixed with those of the same member.
        """
        first = next(iter(self.sources.values()))
        batch = Batch(
            {name: source.finished(indices) for name, source in self.sources.items() if name != self._main},
            first.select(self.target, indices),
        )
        if self._main is not None:
            batch = self._augmented(batch, self.sources[self._main], self._main, indices, step)
        if step is None:
            return batch
        if self._mixing:
            batch = self._mixed(batch, step, members)
        if self.streams:
            batch = replace(batch, streams={name: self._stream(name, step, batch.n) for name in self.streams})
        return batch

    def _augmented(self, batch: Batch, source: Source, name: str, indices: Tensor | slice, step: int | None) -> Batch:
        raw, clean = source.raw(indices), {}
        if step is not None:
            generator = torch.Generator().manual_seed(derive(self._seed, "augment", step))
            for one in self._changing:
                raw = one.apply(raw, generator)
            if self._corrupting:
                clean[name] = source.finish(raw)
            for one in self._corrupting:
                raw = one.apply(raw, generator)
        inputs = {field: source.finish(raw) if field == name else batch.inputs[field] for field in self.sources}
        return replace(batch, inputs=inputs, clean=clean)

    def _mixed(self, batch: Batch, step: int, members: int) -> Batch:
        """Blend samples of the batch, and their targets: classes as one-hot rows."""
        generator = torch.Generator().manual_seed(derive(self._seed, "mix", step))
        name = numeric_field(batch.inputs)
        assert name is not None
        inputs, target = batch.inputs[name], batch.target
        if not target.is_floating_point():
            assert self._classes is not None
            target = torch.nn.functional.one_hot(target, self._classes).float()
        for one in self._mixing:
            mixed = [one.mix(inputs[own::members], target[own::members], generator) for own in range(members)]
            inputs, target = (torch.stack(parts, 1).flatten(0, 1) for parts in zip(*mixed, strict=True))
        return replace(batch, inputs=batch.inputs | {name: inputs}, target=target, labels=batch.target)

    def _stream(self, name: str, step: int, n: int) -> Batch:
        """Return the next `n` samples of a further set, which has an order of its own and begins again at its end."""
        stream = self.streams[name]
        return stream.batch(endless_order(len(stream), derive(self._seed, "stream", name), step * n, n), step=step)


def numeric_field(fields: Mapping[str, Tensor]) -> str | None:
    """Return the one field of numbers or images; the others hold codes."""
    return next((name for name, values in fields.items() if values.dtype != torch.int64), None)
