"""What `gradcheck` finds, as frozen objects."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

_AGREES = 1e-9
"""Largest relative difference of forward and reverse mode that is rounding."""

Verdict: TypeAlias = Literal["pass", "fail", "inconclusive"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One number of a gradient that was measured by itself."""

    index: tuple[int, ...]
    backward: float
    """What back-propagation says."""
    measured: float
    """What differences of the loss say."""


@dataclass(frozen=True, slots=True)
class TensorCheck:
    """One tensor: a parameter, or an input of the network."""

    name: str
    path: str | None
    """The layer that owns it; None for an input."""
    line: int | None
    file: str | None
    """Only where it is not the spec's own file; absent from the JSON object else."""
    verdict: Verdict
    relative_error: float | None
    """‖backward − measured‖ / ‖gradient‖ as estimated from random directions, of the term that does worst; None where
    both are 0. Where the tensor has no effect: the share of it that is left."""
    step: float | None
    """The step of the differences that say so."""
    resolution: float | None
    """The relative error that these differences can just tell from rounding."""
    gradient_norm: float
    term: str
    """The term of the loss that does worst."""
    point: Literal["given", "moved"]
    """Where it was checked: at the values given, or a little beside them where these lie on a kink or where the
    gradient is exactly 0."""
    reason: str | None = None
    """Why it is inconclusive; how it fails."""
    guess: str | None = None
    """The likely mistake."""
    rows: tuple[int, ...] = ()
    """Wrong rows: places along the first axis."""
    entries: tuple[Entry, ...] = ()
    """The entries that are most wrong."""
    layer_error: float | None = None
    """Relative error of the tensor's own layer by itself, under a random error signal; None where it was not needed."""
    float32_error: float | None = None
    """‖g₃₂ − g₆₄‖ / ‖g₆₄‖: what float32 makes of the gradient, 1 where it underflows to 0; None where passes in the two
    types cannot be compared, or the gradient is 0."""

    def __str__(self) -> str:
        """Return what there is to say of the tensor, in a line."""
        place = f"{self.name}, line {self.line}" if self.line else self.name
        error = "" if self.relative_error is None else f"relative error {self.relative_error:.1e}"
        said = "; ".join(text for text in (error, self.reason, self.guess) if text)
        return f"{self.verdict}: {place}" + (f": {said}" if said else "")

    def as_json(self) -> dict[str, Any]:
        """Return the tensor's object in `--json`."""
        values = asdict(self)
        if self.file is None:
            del values["file"]
        return values


@dataclass(frozen=True, slots=True)
class LayerCheck:
    """One layer by itself: its backward step against differences of its own output."""

    path: str
    kind: str
    line: int | None
    relative_error: float
    wrong: tuple[str, ...]
    """What its gradient is wrong for: parameters, or `input`."""

    def __str__(self) -> str:
        """Return what there is to say of the layer, in a line."""
        line = f", line {self.line}" if self.line else ""
        place = f"`{self.path}` ({self.kind}{line})" if self.path else f"the module itself ({self.kind})"
        return f"wrong by itself: {place}, for {', '.join(self.wrong)}; error {self.relative_error:.1e}"


@dataclass(frozen=True, slots=True)
class Taylor:
    """|L(θ + hv) − L(θ) − h⟨g, v⟩| for shrinking h; it falls as h² where g is the gradient."""

    steps: tuple[float, ...]
    remainders: tuple[float, ...]
    slope: float | None
    """Of log remainder over log h, where it stands above rounding; None where the loss is a straight line there."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Relative error of central differences by their step, along directions in all tensors together."""

    steps: tuple[float, ...]
    errors: tuple[float, ...]
    floors: tuple[float, ...]
    """What rounding makes of them."""
    crossed: tuple[bool, ...]
    """Whether a kink lies within the step."""


@dataclass(frozen=True, slots=True)
class Adjoint:
    """Forward against reverse mode: ⟨v, Ju⟩ and ⟨Jᵀv, u⟩ are the same number."""

    error: float | None
    """|⟨v, Ju⟩ − ⟨Jᵀv, u⟩| / (‖Ju‖ ‖v‖), or None with the reason why there is no forward mode."""
    skipped: str | None = None

    @property
    def agrees(self) -> bool | None:
        """Return whether the two are one number but for rounding; None where there is no forward mode."""
        return None if self.error is None else self.error < _AGREES


ALIKE = "all gradients are wrong alike: look at the loss, or at what all of them pass last"


@dataclass(frozen=True, slots=True)
class Running:
    """All tensors jointly, with running statistics in the place of the batch's."""

    verdict: Verdict
    failed: tuple[str, ...]
    """Names of the tensors with a wrong gradient."""


@dataclass(frozen=True, slots=True)
class GradcheckResult:
    """The verdict and what it rests on."""

    verdict: Verdict
    tensors: tuple[TensorCheck, ...]
    terms: dict[str, Verdict]
    """Every term of the loss alone."""
    not_differentiable: tuple[str, ...]
    """Inputs that are codes, not numbers, or constants of the loss."""
    frozen: tuple[str, ...]
    """Parameters that are not learned, and not checked."""
    layers: tuple[LayerCheck, ...]
    """Where something fails or stays open: the layers that are wrong by themselves. One of them fails the whole."""
    taylor: Taylor | None
    curve: Curve | None
    """Where it was asked for."""
    adjoint: Adjoint
    running: Running | None
    """With batch norm as in evaluation; it fails the whole, but leaves nothing open. None without such layers."""
    data: str
    """The data set's name, "random", or "given"."""
    samples: int
    directions: int
    seed: int
    loss: float

    @property
    def failed(self) -> tuple[TensorCheck, ...]:
        """Return the tensors with a wrong gradient."""
        return tuple(tensor for tensor in self.tensors if tensor.verdict == "fail")

    def __str__(self) -> str:
        """Return the verdict in a line, and one for each tensor that does not pass."""
        passed = sum(tensor.verdict == "pass" for tensor in self.tensors)
        lines = [f"{self.verdict}: {passed} of {len(self.tensors)} gradients are right"]
        lines += [str(tensor) for tensor in self.tensors if tensor.verdict != "pass"]
        lines += [str(layer) for layer in self.layers]
        if self.running is not None and self.running.failed:
            lines.append(f"wrong with running statistics: {', '.join(self.running.failed)}")
        if self.alike:
            lines.append(ALIKE)
        if self.adjoint.agrees is False:
            lines.append(f"forward mode disagrees by {self.adjoint.error:.1e}: look at a custom `jvp`")
        return "\n".join(lines)

    @property
    def alike(self) -> bool:
        """Whether every gradient is wrong, by the same mistake: it is the loss's, then."""
        guesses = {tensor.guess for tensor in self.failed if tensor.guess is not None}
        return len(self.tensors) > 1 and len(self.failed) == len(self.tensors) and len(guesses) == 1

    def as_json(self) -> dict[str, Any]:
        """Return the object that `--json` prints, without what was not looked at."""
        values = {key: value for key, value in asdict(self).items() if value is not None}
        values["tensors"] = [tensor.as_json() for tensor in self.tensors]
        return values


def overall(verdicts: list[Verdict]) -> Verdict:
    """Return the verdict on what has these parts."""
    return "fail" if "fail" in verdicts else "inconclusive" if "inconclusive" in verdicts else "pass"
