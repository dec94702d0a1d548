"""One `PATH=VALUE` as it is written: its steps and its value."""

from __future__ import annotations

import re
from dataclasses import dataclass

from nnctl.document.node import Node, Scalar
from nnctl.document.reader import FREE_KEYS, read_value
from nnctl.errors import COMMAND_LINE, Position, Problem, SpecError

_STEP = re.compile(r"(?:^|\.)([A-Za-z_][A-Za-z0-9_]*)|\[(\d+)\]")


@dataclass(frozen=True)
class Step:
    """One step of a path: a key or an index, and the column it begins at."""

    key: str | int
    position: Position
    path: str
    """The path up to and including this step."""


@dataclass(frozen=True)
class Override:
    """A parsed `PATH=VALUE`."""

    steps: tuple[Step, ...]
    value: Node
    text: str
    """The value as written."""

    def whole(self, step: Step) -> str:
        """Return what the value would be, as written, if it were given from the place before a step on."""
        text = self.text
        for after in reversed(self.steps[self.steps.index(step) :]):
            text = f"[{text}]" if isinstance(after.key, int) else f"{{{after.key}: {text}}}"
        return text


def parse(argument: str, problems: list[Problem]) -> Override | None:
    """Return the override that a command-line argument holds, or None after saying what is wrong with it."""
    path, equals, text = argument.partition("=")
    if not equals or not path:
        place = Position(COMMAND_LINE, None, 1)
        hint = "write PATH=VALUE, such as train.epochs=2"
        problems.append(Problem("override", f"`{argument}` is not an override", place, hint=hint))
        return None
    steps: list[Step] = []
    at = 0
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None:
            place = Position(COMMAND_LINE, None, at + 1)
            hint = "a path is keys joined by `.`, and `[0]` for the first entry of a list"
            problems.append(Problem("override", f"`{path}` is not a path", place, hint=hint))
            return None
        key: str | int = match.group(1) or int(match.group(2))
        start = match.start(1) if match.group(1) else match.start()
        steps.append(Step(key, Position(COMMAND_LINE, None, start + 1), path[: match.end()]))
        at = match.end()
    try:
        value = read_value(text, len(path) + 2, problems, free=steps[-1].key in FREE_KEYS)
    except SpecError as error:
        problems[:] = error.problems
        return None
    if isinstance(value, Scalar) and value.position.column is None:
        value = Scalar(value.value, Position(COMMAND_LINE, None, len(path) + 2))
    return Override(tuple(steps), value, text)
