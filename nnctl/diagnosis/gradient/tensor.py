"""From what was found of a tensor to what is said of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from nnctl.diagnosis.gradient.case import Case
from nnctl.diagnosis.gradient.effect import End
from nnctl.diagnosis.gradient.guess import guess
from nnctl.diagnosis.gradient.locate import Located
from nnctl.diagnosis.gradient.result import TensorCheck, Verdict
from nnctl.diagnosis.gradient.sweep import Outcome


@dataclass(frozen=True, slots=True)
class Looks:
    """What further looks at a tensor have shown."""

    moved: bool
    """Whether it was checked beside the point."""
    read: bool
    """Whether anything is computed from it."""
    alone: Outcome | None
    """What its own layer by itself tells."""
    ends: End | None
    """The module behind which nothing of it is left."""
    located: Located | None
    """Where it is wrong."""
    float32_error: float | None


def tensor_check(case: Case, name: str, outcome: Outcome, looks: Looks) -> TensorCheck:
    """Return what is said of a tensor."""
    finding, path = outcome.finding, case.owner(name)
    position = case.position(path)
    verdict, reason = _verdict(case, outcome, looks)
    file = case.graph.spec.file if case.graph is not None else None
    check = TensorCheck(
        name=name,
        path=path,
        line=position.line,
        file=position.file if position.file != file else None,
        verdict=verdict,
        relative_error=finding.relative_error,
        step=finding.step,
        resolution=finding.resolution,
        gradient_norm=outcome.norm,
        term=case.function.names[outcome.term],
        point="moved" if looks.moved else "given",
        reason=reason,
        layer_error=looks.alone.finding.relative_error if looks.alone is not None else None,
        float32_error=looks.float32_error,
    )
    located = looks.located
    if verdict == "pass" and looks.ends is not None and finding.verdict != "pass":
        return replace(check, relative_error=looks.ends.share, resolution=None, step=looks.ends.step)
    if located is None:
        return check
    return replace(
        check,
        guess=guess(located.evidence),
        rows=located.rows,
        entries=located.entries,
    )


def _verdict(case: Case, outcome: Outcome, looks: Looks) -> tuple[Verdict, str | None]:
    """Return the verdict, and why it is inconclusive, how it fails, or why it passes all the same."""
    finding = outcome.finding
    if finding.verdict == "fail" and finding.reason == "nonfinite":
        return "fail", "the gradient is not finite, the loss is"
    if finding.verdict != "inconclusive":
        return finding.verdict, None
    if outcome.norm == 0 and not looks.read:
        return "pass", "unused: nothing is computed from it"
    if looks.alone is not None and looks.alone.finding.verdict == "fail":
        return "fail", "the gradient of its own layer is wrong; the whole network is too deep to show it"
    if looks.ends is not None:
        return "pass", f"without effect: nothing of it is left behind {looks.ends.path}"
    resolved = f"{finding.resolution:.1g}" if finding.resolution is not None else "nothing"
    dtype = case.function.dtype
    rounding = "rounding" if dtype == torch.float64 else f"{str(dtype).removeprefix('torch.')} inside of the network"
    words = {
        "kink": "it lies on a kink, and so do the points around it",
        "zero": "the gradient is 0, and the loss does not measurably change either: "
        f"{case.samples} samples may be too few",
        "small": f"the gradient, {outcome.norm:.1g}, is resolved only to {resolved}: {rounding} hides the rest",
    }
    return "inconclusive", words[finding.reason or "small"]
