"""Where in a tensor its gradient is wrong: halves, rows, then entries, each against differences of its own."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from nnctl.diagnosis.gradient.differences import Here, careful
from nnctl.diagnosis.gradient.directions import signs, unit
from nnctl.diagnosis.gradient.guess import Evidence
from nnctl.diagnosis.gradient.result import Entry
from nnctl.diagnosis.gradient.verdict import judge
from nnctl.randomness import derive

_TESTS = 96
"""Parts that are tried, at most, while looking for wrong ones."""
_MANY = 8
"""As many wrong parts side by side, and no right one: it is wrong throughout."""
_ENTRIES = 48
_SHOWN = 8


@dataclass(frozen=True)
class Located:
    """What of a tensor is wrong."""

    rows: tuple[int, ...]
    """Wrong rows, where there are right ones beside them."""
    entries: tuple[Entry, ...]
    """The most wrong entries."""
    evidence: Evidence


def locate(here: Here, name: str, term: int, step: float, samples: int, seed: int) -> Located:
    """Return the rows and entries that are wrong, and what a guess can be made from."""
    tensor, gradient = here.function.tensors[name], here.gradients[name][term]
    gradient = torch.zeros_like(tensor) if gradient is None else gradient
    shape = tuple(tensor.shape)
    within = _Search(here, name, term, step, seed)
    whole = torch.arange(tensor.numel()).view(len(tensor) if shape else 1, -1)
    rows = within.wrong(list(whole)) if whole.shape[1] > 1 else []
    first = torch.cat([whole[row] for row in (rows or [])[:2]]) if rows else whole.flatten()
    throughout = len(whole) > 1 and rows is None
    singles = None if throughout else within.wrong(list(first.view(-1, 1)))
    places = _chosen(gradient, first, singles or [], seed)
    entries = [within.entry(place, shape, gradient) for place in places]
    wrong = [entry for entry, bad in entries if bad]
    worst = sorted(wrong, key=lambda entry: -abs(entry.backward - entry.measured))
    own = tuple(rows) if rows and len(rows) < len(whole) else ()
    found = {entry.index for entry in wrong}
    evidence = Evidence(gradient, tensor.detach(), [entry for entry, _ in entries], found, own, samples)
    return Located(own, tuple(worst[:_SHOWN]), evidence)


class _Search:
    """Tests parts of one tensor."""

    def __init__(self, here: Here, name: str, term: int, step: float, seed: int) -> None:
        self.here, self.name, self.term, self.step, self.seed = here, name, term, step, seed
        self.tensor = here.function.tensors[name]
        self.unit = unit(self.tensor)

    def wrong(self, parts: list[Tensor]) -> list[int] | None:
        """Return which parts are wrong, found by halving; None where too many are to be told one by one."""
        spans, found, tests = [(0, len(parts))], [], 0
        while spans:
            tests += len(spans)
            if tests > _TESTS:
                return None
            bad = [(low, high) for low, high in spans if self._is_wrong(torch.cat(parts[low:high]))]
            if len(bad) == len(spans) >= _MANY and len(parts) > 2 * _MANY:
                return None
            found += [low for low, high in bad if high - low == 1]
            wide = [(low, (low + high) // 2, high) for low, high in bad if high - low > 1]
            spans = [half for low, middle, high in wide for half in ((low, middle), (middle, high))]
        return sorted(found)

    def entry(self, place: int, shape: tuple[int, ...], gradient: Tensor) -> tuple[Entry, bool]:
        """Return one entry as measured, and whether it is wrong."""
        direction = torch.zeros(self.tensor.numel(), dtype=torch.float64)
        direction[place] = 1.0
        step = {self.name: self.unit * direction.view(shape).to(self.tensor)}
        difference = careful(self.here, [step], self.step, look=False)
        backward = float(gradient.flatten()[place])
        measured = float(difference.slopes[0, self.term]) / self.unit
        index = tuple(int(i) for i in torch.unravel_index(torch.tensor(place), shape)) if shape else ()
        wrong = judge([difference], self.term, abs(backward) * self.unit).verdict == "fail"
        return Entry(index, backward, measured), wrong

    def _is_wrong(self, places: Tensor) -> bool:
        mask = torch.zeros(self.tensor.numel(), dtype=torch.float64)
        mask[places] = self.unit
        part = mask.view(self.tensor.shape).to(self.tensor)
        directions = [
            {self.name: part * signs(self.tensor, self.seed, "part", self.name, number)} for number in range(2)
        ]
        gradient = self.here.gradients[self.name][self.term]
        norm = 0.0 if gradient is None else float(torch.linalg.vector_norm(gradient * part))
        return judge([careful(self.here, directions, self.step, look=False)], self.term, norm).verdict == "fail"


def _chosen(gradient: Tensor, first: Tensor, wrong: list[int], seed: int) -> list[int]:
    """Return the entries to measure: wrong ones, those around them, the largest, and some at random."""
    size = prod(gradient.shape)
    if size <= _ENTRIES:
        return list(range(size))
    largest = gradient.flatten().abs().topk(_ENTRIES // 4).indices.tolist()
    generator = torch.Generator().manual_seed(derive(seed, "entries"))
    some = torch.randperm(size, generator=generator)[: _ENTRIES // 4].tolist()
    near = [int(first[place]) for place in wrong] + first[: _ENTRIES // 2].tolist()
    return list(dict.fromkeys([*near[: _ENTRIES // 2], *largest, *some]))
