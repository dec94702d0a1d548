"""New samples, for which the target is not known: what `predict` reads."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from nnctl.errors import Problem


@dataclass(frozen=True)
class Fresh:
    """New samples of one or several files, raw as a data set's own."""

    fields: dict[str, Tensor]
    places: tuple[tuple[str, int | None], ...]
    """File and row of every sample; no row where a file is one sample."""
    problems: tuple[Problem, ...] = ()
    """What could not be read, file by file or row by row."""
    notes: tuple[str, ...] = ()
    """What was changed so that the network can take the samples, in words."""

    def __len__(self) -> int:
        return len(self.places)
