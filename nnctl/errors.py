"""Every error meant for a user: what was found, where, what was expected, and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

COMMAND_LINE = "command line"
STDIN = "-"
"""What stands on the command line for a file that is piped in."""


def name_of(file: str) -> str:
    """Return what messages call a file."""
    return "the piped input" if file == STDIN else file


@dataclass(frozen=True, slots=True)
class Position:
    """A place in something a user wrote. Lines and columns count from 1.

    In an override on the command line `file` is "command line", `line` is None and `column`
    counts within the argument.
    """

    file: str | None = None
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        parts = [name_of(self.file) if self.file else None, self.line, self.column]
        return ":".join(str(part) for part in parts if part is not None)


NOWHERE = Position()


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake or warning, complete enough to be mended without reading any code."""

    code: str
    """A short, stable identifier such as `unknown-key`; lint codes are what `lint.allow` lists."""
    message: str
    """One line: what is wrong, with the value found and the value expected."""
    position: Position = NOWHERE
    where: str = ""
    """What is at fault: a layer's path (`stage2.conv1`) or a place in the spec (`train.optimizer`)."""
    details: tuple[str, ...] = ()
    """Further lines: shapes, the uses of a block that lead here."""
    hint: str | None = None
    """What to write instead."""

    def as_json(self) -> dict[str, Any]:
        """Return the object that `--json` prints for this problem."""
        return {
            "code": self.code,
            "message": "; ".join((self.message, *self.details)),
            "file": self.position.file,
            "line": self.position.line,
            "column": self.position.column,
            "hint": self.hint,
        }


class NnctlError(Exception):
    """A failure that the user can understand and mend; the command line never shows its traceback."""

    exit_code: ClassVar[int] = 2

    def __init__(self, problems: Problem | list[Problem] | tuple[Problem, ...]) -> None:
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n\n".join(render_problem(problem) for problem in self.problems))


class SpecError(NnctlError):
    """One or more mistakes in a spec or in an override of it."""


class DataError(NnctlError):
    """Data that is missing, damaged or laid out in another way than expected."""


class CheckpointError(NnctlError):
    """A checkpoint or run directory that is missing, damaged or belongs to something else."""


class UsageError(NnctlError):
    """A command or function called in a way that cannot work."""


class DivergedError(NnctlError):
    """Training produced a value that is not finite."""

    exit_code = 3


class ResourceError(NnctlError):
    """Memory or disk does not suffice."""

    exit_code = 4


def render_problem(problem: Problem, severity: str = "error") -> str:
    """Return the plain text of a problem, as it is printed without colour."""
    lines = [f"{severity}: {problem.message}"]
    place = str(problem.position)
    if place:
        lines.append(f"  --> {place}" + (f" ({problem.where})" if problem.where else ""))
    elif problem.where:
        lines.append(f"  --> {problem.where}")
    lines += [f"  {detail}" for detail in problem.details]
    if problem.hint:
        lines += ["", f"hint: {problem.hint}"]
    return "\n".join(lines)
