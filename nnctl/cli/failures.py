"""What every exception means to the person at the command line: problems to print and an exit code."""

from __future__ import annotations

import errno
import sys
from dataclasses import dataclass
from typing import Any

import typer

from nnctl.document.suggest import suggest
from nnctl.errors import NnctlError, Problem

USAGE, EXHAUSTED, BUG, INTERRUPTED = 2, 4, 70, 130
BROKEN_PIPE = 141  # what a shell reports for a process that SIGPIPE ended

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
_OUT_OF_MEMORY = ("not enough memory", "can't allocate memory", "out of memory")


@dataclass(frozen=True)
class Failure:
    """How a command ends that could not do what it was asked."""

    exit_code: int
    problems: tuple[Problem, ...] = ()


def failure_of(error: BaseException, commands: list[str]) -> Failure:
    """Return what to say of an exception; `commands` are the names that a wrong one is compared with."""
    match error:
        case NnctlError():
            return Failure(error.exit_code, error.problems)
        case typer.TyperException():
            return Failure(USAGE, (_usage_problem(error, commands),))
        case KeyboardInterrupt():
            return Failure(INTERRUPTED, (Problem("interrupted", "interrupted", hint=str(error) or None),))
        case BrokenPipeError():
            return Failure(BROKEN_PIPE)
        case OSError() if error.errno in _NO_SPACE:
            return Failure(EXHAUSTED, (Problem("disk-full", f"the disk is full: {_told(error)}"),))
        case OSError() if error.filename is not None:
            return Failure(USAGE, (Problem("file", _told(error)),))
    if _is_out_of_memory(error):
        hint = "a smaller `train.batch_size`, or `train.accumulate`, needs less"
        return Failure(EXHAUSTED, (Problem("out-of-memory", _first_line(error) or "out of memory", hint=hint),))
    message = f"this is a bug in nnctl: {type(error).__name__}: {_first_line(error)}"
    return Failure(BUG, (Problem("bug", message, hint="please report it, with the lines above and the spec"),))


def _usage_problem(error: typer.TyperException, commands: list[str]) -> Problem:
    context: Any = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "nnctl"
    message = error.format_message()
    hint = f"see `{command} --help`"
    unknown = _quoted(message) if message.startswith("No such command") else None
    nearest = suggest(unknown, commands) if unknown else None
    if unknown:
        message = f"there is no command `{unknown}`"
        hint = f"did you mean `{nearest}`?" if nearest else f"commands: {', '.join(commands)}"
    return Problem("usage", message.strip().rstrip("."), hint=hint)


def _quoted(text: str) -> str:
    return text.partition("'")[2].rpartition("'")[0]


def _told(error: OSError) -> str:
    reason = error.strerror or type(error).__name__
    return f"{error.filename}: {reason}" if error.filename is not None else reason


def _is_out_of_memory(error: BaseException) -> bool:
    torch = sys.modules.get("torch")  # not imported: then it cannot be torch that ran out
    if isinstance(error, MemoryError) or (torch is not None and isinstance(error, torch.OutOfMemoryError)):
        return True
    # torch's allocator for the CPU raises a plain RuntimeError
    return isinstance(error, RuntimeError) and any(text in str(error).lower() for text in _OUT_OF_MEMORY)


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]
