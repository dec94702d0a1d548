"""A run's directory: the only place that knows the names of the files in it."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from nnctl.document.tensors import BEST
from nnctl.environment import ENVIRONMENT, recorded_environment
from nnctl.errors import CheckpointError, Problem, UsageError
from nnctl.posix import exclusive_lock, replace_durably
from nnctl.training.state import StateFolder

RUNS = Path("checkpoints")
_SPEC = "spec.yaml"
_METRICS = "metrics.jsonl"
_CURVES = "curves.svg"
_STATE = "state"
_LOCK = ".lock"


class RunDirectory:
    """The files of one run."""

    def __init__(self, path: Path, keep: int = 2) -> None:
        self.path = path
        self.states = StateFolder(path / _STATE, keep)

    @property
    def best(self) -> Path:
        """The weights of the best epoch."""
        return self.path / BEST

    @property
    def spec(self) -> Path:
        """The resolved spec."""
        return self.path / _SPEC

    @property
    def metrics(self) -> Path:
        """One JSON object a line: the run's history."""
        return self.path / _METRICS

    @property
    def holds_run(self) -> bool:
        """Whether anything of a run is there."""
        return any((self.path / name).exists() for name in (_SPEC, _METRICS, _STATE, BEST))

    def lock(self) -> AbstractContextManager[None]:
        """Keep all other processes from training here while the block runs."""
        return exclusive_lock(self.path / _LOCK)

    def write_spec(self, text: str, environment: dict[str, Any]) -> None:
        """Write what the run is, before its first step."""
        self.write_environment(environment)
        replace_durably(self.path / _SPEC, text.encode())

    def write_environment(self, environment: dict[str, Any]) -> None:
        """Write what the run's numbers depend on besides the spec."""
        replace_durably(self.path / ENVIRONMENT, (json.dumps(environment, indent=2) + "\n").encode())

    def write_curves(self, picture: str) -> None:
        """Replace the picture of the run's history."""
        temporary = self.path / f".{_CURVES}.tmp"
        temporary.write_text(picture, encoding="utf-8")
        temporary.replace(self.path / _CURVES)

    def spec_text(self) -> str | None:
        """Return the resolved spec of the run, or None where it has not come so far."""
        file = self.path / _SPEC
        return file.read_text(encoding="utf-8") if file.exists() else None

    def environment(self) -> dict[str, Any] | None:
        """Return the recorded environment, or None where there is none that can be read."""
        return recorded_environment(self.path)


def run_to_resume(name: str, path: str | Path | None, keep: int) -> RunDirectory | None:
    """Return the run at `path`, without one the newest run of that name; None where there is none."""
    if path is not None:
        run = RunDirectory(Path(path), keep)
        return run if run.holds_run else None
    runs = (RunDirectory(RUNS / name / str(number), keep) for number in sorted(_numbers(RUNS / name), reverse=True))
    return next((run for run in runs if run.holds_run), None)


def check_free(path: str | Path | None) -> None:
    """Raise UsageError where a new run cannot go to `path`, because it is a file or holds a run."""
    if path is None:
        return
    if Path(path).exists() and not Path(path).is_dir():
        raise UsageError(Problem("run-exists", f"{path} is a file; a run is a directory"))
    if RunDirectory(Path(path)).holds_run:
        hint = "go on with it by --resume, or give another directory with --run"
        raise UsageError(Problem("run-exists", f"{path} holds a run already", hint=hint))


def new_run(name: str, path: str | Path | None, keep: int) -> RunDirectory:
    """Return the directory of a new run, made: `path`, else the next free `checkpoints/NAME/NUMBER`."""
    if path is None:
        runs = RUNS / name
        return RunDirectory(_next_free(runs, max(_numbers(runs), default=0) + 1), keep)
    check_free(path)
    Path(path).mkdir(parents=True, exist_ok=True)
    return RunDirectory(Path(path), keep)


def check_same_spec(run: RunDirectory, text: str) -> None:
    """Raise CheckpointError where the run was started with another spec, with the first line that differs."""
    recorded = run.spec_text()
    if recorded is None or recorded == text:
        return
    old, new = recorded.splitlines(), text.splitlines()
    number = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    lines = [(lines[number].strip() if number < len(lines) else "the end") for lines in (old, new)]
    raise CheckpointError(
        Problem(
            "spec-changed",
            f"{run.path} was started with another spec",
            details=(f"line {number + 1} of its {_SPEC}: {lines[0]}", f"now: {lines[1]}"),
            hint=f"resume with `nnctl train {run.path / _SPEC} --run {run.path} --resume`, or start a new run",
        )
    )


def write_anew(name: str, stem: str, picture: str) -> Path:
    """Write a picture beside the runs of that name, as STEM-NUMBER.svg of the first number that is free."""
    (RUNS / name).mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        path = RUNS / name / f"{stem}-{number}.svg"
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(picture)
        except FileExistsError:
            number += 1
        else:
            return path


def _numbers(runs: Path) -> list[int]:
    names = [path.name for path in runs.iterdir() if path.is_dir()] if runs.is_dir() else []
    return [int(name) for name in names if name.isascii() and name.isdecimal()]


def _next_free(runs: Path, number: int) -> Path:
    runs.mkdir(parents=True, exist_ok=True)
    while True:
        try:
            (runs / str(number)).mkdir()
        except FileExistsError:  # another process was quicker
            number += 1
        else:
            return runs / str(number)
