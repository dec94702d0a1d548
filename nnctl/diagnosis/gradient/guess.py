"""The likely mistake behind a wrong gradient, from what back-propagation says and what was measured."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nnctl.diagnosis.gradient.result import Entry

_CLOSE = 1e-3
_FEW = 4
_EXPLAINED = 0.05
"""Share of the error that a factor may leave."""
_ROUGH = 0.02
"""Error of a gradient that is right but for its last digits."""


@dataclass(frozen=True)
class Evidence:
    """What is known of a wrong gradient."""

    gradient: Tensor
    """What back-propagation says of the whole tensor."""
    tensor: Tensor
    """The tensor itself."""
    entries: Sequence[Entry]
    """Entries that were measured, right ones too."""
    wrong: Collection[tuple[int, ...]]
    """Those of them that are wrong."""
    rows: Sequence[int]
    """The wrong rows, where they could be told from right ones."""
    samples: int


def guess(evidence: Evidence) -> str:
    """Return the likely mistake in a few words."""
    return next(words for attempt in _ATTEMPTS if (words := attempt(evidence)))


def _zero(e: Evidence) -> str | None:
    if bool((e.gradient == 0).all()):
        return "no gradient at all: a path is detached, or its term missing in backward"
    _, measured = _pairs(e)
    if float(measured.abs().max()) < _CLOSE * float(e.gradient.abs().max()):
        return "a gradient where the loss does not change: a straight-through estimator, or a term too many in backward"
    return None


def _few(e: Evidence) -> str | None:
    """Single entries or rows of a tensor that is right elsewhere."""
    wrong = [entry for entry in e.entries if entry.index in e.wrong]
    whole = e.gradient.numel()
    if len(e.rows) == 2 and e.gradient.dim() > 1 and _match(e, wrong, lambda g: _exchanged(g, e.rows)):
        return f"rows {e.rows[0]} and {e.rows[1]} are exchanged"
    if len(wrong) == 2 and len(e.entries) > 2:
        one, other = wrong
        if _near(one.measured, other.backward) and _near(other.measured, one.backward):
            return f"entries {_place(one.index)} and {_place(other.index)} are exchanged"
    if 0 < len(wrong) <= _FEW < whole and len(wrong) < len(e.entries):
        places = ", ".join(_place(entry.index) for entry in wrong)
        only = "only entry" if len(wrong) == 1 else "only entries"
        return f"{only} {places}: {_factor(wrong, e.samples) or 'the rest is right'}"
    if e.gradient.dim() > 1 and 0 < len(e.rows) < len(e.gradient):
        places = ", ".join(str(row) for row in e.rows[:_FEW]) + (" …" if len(e.rows) > _FEW else "")
        only = "only row" if len(e.rows) == 1 else "only rows"
        return f"{only} {places}: {_factor(wrong, e.samples) or 'the rest is right'}"
    return None


def _scaled(e: Evidence) -> str | None:
    return _factor(e.entries, e.samples)


def _factor(entries: Sequence[Entry], samples: int) -> str | None:
    """Return the one factor that all entries are wrong by, if there is one."""
    backward = torch.tensor([entry.backward for entry in entries], dtype=torch.float64)
    measured = torch.tensor([entry.measured for entry in entries], dtype=torch.float64)
    square = float(measured.square().sum())
    if not square:
        return None
    factor = float((backward * measured).sum()) / square
    rest = torch.linalg.vector_norm(backward - factor * measured)
    if factor == 0 or not _same(backward, factor * measured):
        return None
    if float(rest) > _EXPLAINED * float(torch.linalg.vector_norm(backward - measured)):
        return None
    named = {
        float(samples): f"{samples} times too large: the mean over the batch is missing",
        1 / samples: f"{samples} times too small: the mean over the batch is taken twice",
        -1.0: "the sign is wrong",
        2.0: "twice too large",
        0.5: "half of what it should be",
    }
    return next((words for value, words in named.items() if _near(factor, value)), f"{factor:.4g} times the right one")


def _transposed(e: Evidence) -> str | None:
    if e.gradient.dim() < 2:
        return None
    rows = len(e.gradient)
    if _match(e, e.entries, lambda g: g.reshape(-1, rows).T.reshape(g.shape)):
        return "transposed"
    return None


def _flipped(e: Evidence) -> str | None:
    space = tuple(range(2, e.gradient.dim()))
    if space and _match(e, e.entries, lambda g: g.flip(space)):
        return "the kernel is turned round: a convolution where a correlation is meant"
    if e.gradient.dim() >= 2 and _match(e, e.entries, lambda g: g.transpose(0, 1).reshape(g.shape)):
        return "the first two axes are exchanged"
    return None


def _permuted(e: Evidence) -> str | None:
    for words, change in (
        ("shifted by one along the first axis", lambda g: g.roll(1, 0)),
        ("shifted by one along the first axis", lambda g: g.roll(-1, 0)),
        ("in reverse order along the first axis", lambda g: g.flip(0)),
    ):
        if _match(e, e.entries, change):
            return words
    return None


def _missing(e: Evidence) -> str | None:
    """A term that depends on nothing but the tensor, or on nothing at all."""
    backward, measured = _pairs(e)
    rest = measured - backward
    own = torch.stack([e.tensor[entry.index] for entry in e.entries]).double().cpu()
    square = float(own.square().sum())
    if square:
        factor = float((own * rest).sum()) / square
        if _same(rest, factor * own):
            return f"{factor:.4g} times the tensor itself is missing: a penalty, or weight decay"
    if len(rest) > _FEW and _same(rest, rest.mean().expand_as(rest)):
        return "the same number is missing in every entry: a term of a mean, or of a sum over the batch"
    return None


def _rough(e: Evidence) -> str | None:
    backward, measured = _pairs(e)
    error = float(torch.linalg.vector_norm(backward - measured) / torch.linalg.vector_norm(measured))
    if error <= _ROUGH:
        return f"right but for an error of {error:.1g}: computed in lower precision, or by an approximation"
    return None


def _else(e: Evidence) -> str | None:
    backward, measured = _pairs(e)
    if bool((backward * measured >= 0).all()):
        return "signs are right, sizes are not: a factor that depends on the place, such as an activation's derivative"
    return "another formula: the two have no simple relation"


def _match(e: Evidence, entries: Sequence[Entry], change: Callable[[Tensor], Tensor]) -> bool:
    """Return whether the measured numbers are those of the gradient, changed in this way."""
    if not entries:
        return False
    changed = change(e.gradient)
    there = torch.stack([changed[entry.index] for entry in entries]).double().cpu()
    return _same(there, torch.tensor([entry.measured for entry in entries], dtype=torch.float64))


def _exchanged(gradient: Tensor, rows: Sequence[int]) -> Tensor:
    order = list(range(len(gradient)))
    order[rows[0]], order[rows[1]] = rows[1], rows[0]
    return gradient[order]


def _pairs(e: Evidence) -> tuple[Tensor, Tensor]:
    backward = torch.tensor([entry.backward for entry in e.entries], dtype=torch.float64)
    return backward, torch.tensor([entry.measured for entry in e.entries], dtype=torch.float64)


def _same(one: Tensor, other: Tensor) -> bool:
    size = max(float(torch.linalg.vector_norm(one)), float(torch.linalg.vector_norm(other)))
    return size > 0 and float(torch.linalg.vector_norm(one - other)) <= _CLOSE * size


def _near(one: float, other: float) -> bool:
    return abs(one - other) <= _CLOSE * max(abs(one), abs(other))


def _place(index: tuple[int, ...]) -> str:
    return f"[{', '.join(str(i) for i in index)}]"


_ATTEMPTS: tuple[Callable[[Evidence], str | None], ...] = (
    _zero,
    _scaled,
    _few,
    _transposed,
    _flipped,
    _permuted,
    _missing,
    _rough,
    _else,
)
