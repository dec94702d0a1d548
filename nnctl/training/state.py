"""Saved states: directories that are whole or not there, checked by hash before anything in them is used."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from nnctl.errors import CheckpointError, Problem
from nnctl.posix import fsync_directory, write_durably

FORMAT = 1
_MANIFEST = "manifest.json"
_RECORD = "state.json"
_TEMPORARY = ".tmp-"
_REPLACED = f"{_TEMPORARY}old-"


@dataclass(frozen=True)
class State:
    """All that resuming needs: named groups of tensors, and a record of plain values."""

    step: int
    tensors: Mapping[str, dict[str, Tensor]]
    """One safetensors file for each group: model, optimizer, rng, …"""
    record: dict[str, Any]


class StateFolder:
    """The folder `state/` of a run: whole states are called `step-N`, all else is unfinished."""

    def __init__(self, path: Path, keep: int) -> None:
        self.path, self.keep = path, keep

    def sweep(self) -> None:
        """Remove what an interrupted save left behind."""
        self.path.mkdir(exist_ok=True)
        for old in self.path.glob(f"{_REPLACED}*"):
            if not (whole := self.path / old.name.removeprefix(_REPLACED)).exists():
                old.rename(whole)  # the crash came between the two renames that put a new state in its place
        for leftover in self.path.glob(f"{_TEMPORARY}*"):
            shutil.rmtree(leftover)

    def save(self, state: State) -> None:
        """Commit a state by one rename after every file is on the disk, then remove the oldest ones."""
        temporary = self.path / f"{_TEMPORARY}step-{state.step}-{os.getpid()}"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        try:
            self._fill(temporary, state)
            self._commit(temporary, self._folder(state.step))
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        for step in self.steps()[: -self.keep]:
            self._remove(step)

    def steps(self) -> list[int]:
        """Return the steps of the states that are there, the oldest first."""
        names = (path.name.removeprefix("step-") for path in self.path.glob("step-*"))
        return sorted(int(name) for name in names if name.isascii() and name.isdecimal())

    def newest(self, warn: Callable[[str], None]) -> State | None:
        """Return the newest state that its manifest confirms; those passed over are named to `warn` and removed."""
        for step in reversed(self.steps()):
            try:
                return self.load(step)
            except CheckpointError as error:
                warn(f"{error.problems[0].message}: passed over for the state before")
                self._remove(step)
        return None

    def load(self, step: int) -> State:
        """Return a state. Raises CheckpointError, naming the file, where anything in it is damaged."""
        folder = self._folder(step)
        manifest = _parse(folder / _MANIFEST, _read(folder / _MANIFEST))
        files = manifest.get("files")
        if manifest.get("format") != FORMAT or not isinstance(files, dict) or _RECORD not in files:
            raise damaged(folder / _MANIFEST, f"is not a manifest of format {FORMAT}")
        content = {name: _verified(folder / Path(str(name)).name, expected) for name, expected in files.items()}
        record = _parse(folder / _RECORD, content.pop(_RECORD))
        tensors = {name.removesuffix(".safetensors"): _tensors(folder / name, data) for name, data in content.items()}
        return State(step, tensors, record)

    def _fill(self, folder: Path, state: State) -> None:
        files = {_RECORD: json.dumps(state.record, allow_nan=False, indent=1).encode()}
        for name, tensors in state.tensors.items():
            files[f"{name}.safetensors"] = safetensors.torch.save(
                {key: t.detach().cpu().contiguous() for key, t in tensors.items()}
            )
        manifest = {
            "format": FORMAT,
            "files": {
                name: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)} for name, data in files.items()
            },
        }
        for name, data in files.items():
            write_durably(folder / name, data)
        write_durably(folder / _MANIFEST, json.dumps(manifest, indent=1).encode())
        fsync_directory(folder)

    def _commit(self, temporary: Path, folder: Path) -> None:
        if folder.exists():  # the same step again, with what followed it: an epoch's end after a step's state
            folder.rename(self.path / f"{_REPLACED}{folder.name}")
        temporary.rename(folder)
        fsync_directory(self.path)
        shutil.rmtree(self.path / f"{_REPLACED}{folder.name}", ignore_errors=True)

    def _remove(self, step: int) -> None:
        away = self.path / f"{_TEMPORARY}gone-step-{step}"
        self._folder(step).rename(away)  # no half-removed state ever has a state's name
        shutil.rmtree(away)

    def _folder(self, step: int) -> Path:
        return self.path / f"step-{step}"


def damaged(path: Path, what: str) -> CheckpointError:
    """Return the error for a file of a checkpoint that is missing or not as it was written."""
    return CheckpointError(Problem("damaged", f"{path} {what}"))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise damaged(path, "is missing") from None


def _verified(path: Path, expected: Any) -> bytes:
    data = _read(path)
    found = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    if found != expected:
        raise damaged(path, "is damaged: it is not what was saved")
    return data


def _tensors(path: Path, data: bytes) -> dict[str, Tensor]:
    try:
        return safetensors.torch.load(data)
    except (SafetensorError, ValueError, KeyError) as error:
        raise damaged(path, f"cannot be read: {error}") from None


def _parse(path: Path, data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise damaged(path, "is damaged: it is not a JSON object")
    return value
