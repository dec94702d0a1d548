"""The two forms of everything a command says: JSON for programs, text for people."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nnctl.cli.terminal import Colour, Terminal, err, out
from nnctl.errors import Problem, UsageError, render_problem


def print_json(value: dict[str, Any]) -> None:
    """Print one JSON object on stdout. Numbers that are not finite, which JSON lacks, become null."""
    out().print(json.dumps(_finite(value), indent=2))


def print_problems(problems: Iterable[Problem], severity: str = "error", to: Terminal | None = None) -> None:
    """Print errors or warnings, an empty line between two."""
    to = to or err()
    colour: Colour = "red" if severity == "error" else "yellow"
    for number, problem in enumerate(problems):
        if number:
            to.print()
        text = render_problem(problem, severity)
        heading, _, rest = text.partition("\n")
        label = f"{severity}:"
        lines = [to.paint(label, colour) + to.paint(heading.removeprefix(label), "bold")]
        for line in rest.splitlines():
            lines.append(to.paint("hint:", "cyan") + line.removeprefix("hint:") if line.startswith("hint:") else line)
        to.print("\n".join(lines))


def check_target(file: Path, suffix: str) -> None:
    """Raise UsageError unless a picture or page may be written to `file`: what is of another kind stays as it is."""
    if not file.parent.is_dir():
        message = f"there is no folder {file.parent} to write {file.name} to"
        raise UsageError(Problem("usage", message, hint="make the folder, or name another"))
    if file.suffix != suffix:
        message = f"expected a file name with {suffix}, found {file}"
        raise UsageError(Problem("usage", message, hint=f"for example {file.with_suffix(suffix).name}"))


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value
