"""What is wrong with a network, as frozen objects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

Code: TypeAlias = Literal[
    "vanishing",
    "exploding",
    "dead",
    "saturated",
    "collapsed",
    "nonfinite",
    "update_small",
    "update_large",
    "unused",
]
Severity: TypeAlias = Literal["warn", "fail"]
Overall: TypeAlias = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One thing that is wrong: where, by how much, why, and what to change."""

    code: Code
    severity: Severity
    path: str
    """The layer where it is worst."""
    line: int | None
    file: str | None
    """Only where it is not the spec's own."""
    value: float | None
    """What was measured."""
    threshold: float
    """The bound that the value is beyond."""
    predicted: float | None
    """What theory expects of the network as it stands; None where it says nothing."""
    what: str
    """What `value` is."""
    cause: str
    fix: str | None
    """YAML to change, a line for each field, such as `model.init: kaiming`; None where no change is known to help."""
    tried: bool = False
    """Whether a network was inspected with the fix, and the verdict was gone."""
    afresh: bool = False
    """Whether that was not the network itself, which has been trained, but one that starts afresh."""

    def __str__(self) -> str:
        """Return what is wrong and where, why, and what to change."""
        place = f"{self.path}, line {self.line}" if self.line else self.path
        fix = f"; change {', '.join(self.fix.splitlines())}" if self.fix else ""
        return f"{self.severity}: {self.code} at {place}: {self.cause}{fix}"


def overall(verdicts: Iterable[Verdict], checks_passed: bool = True) -> Overall:
    """Return the gravest severity, ok without any; a failed check is a failure."""
    found = {verdict.severity for verdict in verdicts} | (set() if checks_passed else {"fail"})
    return "fail" if "fail" in found else "warn" if found else "ok"
