"""Weights with all that is needed to use them again, in one safetensors file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

import nnctl
from nnctl.document.tensors import BEST, HeaderError, parse_header, weights_file
from nnctl.errors import CheckpointError, Problem
from nnctl.posix import replace_durably

FORMAT = "1"


@dataclass(frozen=True)
class Weights:
    """A checkpoint's tensors by name, and its metadata: texts, most of them JSON."""

    path: Path
    tensors: dict[str, Tensor]
    metadata: dict[str, str]

    def value(self, key: str) -> Any:
        """Return a metadata entry that is JSON. Raises CheckpointError where it is missing or broken."""
        try:
            return json.loads(self.text(key))
        except ValueError:
            raise _broken(self.path, f"its metadata entry `{key}` is not JSON") from None

    def text(self, key: str) -> str:
        """Return a metadata entry. Raises CheckpointError where it is missing."""
        try:
            return self.metadata[key]
        except KeyError:
            hint = "only checkpoints that `nnctl train` or `nnctl export` wrote can be used here"
            raise _broken(self.path, f"it has no metadata entry `{key}`", hint) from None


def write_weights(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write a checkpoint in one piece: a reader sees the whole new file or the old one."""
    replace_durably(path, encoded(tensors, metadata))


def encoded(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    """Return the content of a checkpoint's file, with the hash of its tensors in the metadata, and their order:
    the format sorts them by name."""
    ready = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    entries = {"format": FORMAT, "nnctl": nnctl.__version__, "sha256": digest(ready), "order": json.dumps([*ready])}
    return _sorted(safetensors.torch.save(ready, {**metadata, **entries}))


def _sorted(data: bytes) -> bytes:
    """Return a safetensors file with its metadata in the order of their names: the library's order changes from run to
    run, and equal runs are to give equal files."""
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data[8 + length :]


def read_weights(path: str | Path) -> Weights:
    """Return the checkpoint in a file, or the best weights of a run directory.

    Raises CheckpointError, naming the file, where it is missing, damaged, or newer than this nnctl.
    """
    given = Path(path)
    file = weights_file(given)
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        what = f"{given} is a directory without {BEST}" if given.is_dir() else f"there is no file {file}"
        raise CheckpointError(Problem("checkpoint-missing", what, hint=_instead(given))) from None
    metadata = _metadata(file, data)
    try:
        tensors = safetensors.torch.load(data)
    except (SafetensorError, ValueError, KeyError, RuntimeError, TypeError, OverflowError) as error:
        raise _broken(file, str(error)) from None
    found = metadata.get("format", FORMAT)
    if found != FORMAT and found.isdecimal():  # other tools write words there
        raise _broken(file, f"its format is {found}, this nnctl reads {FORMAT}", "use the nnctl that wrote it")
    if "sha256" in metadata and metadata["sha256"] != digest(tensors):
        raise _broken(file, "its weights are not those that were written")
    return Weights(file, tensors, metadata)


def load_into(net: nn.Module, weights: Weights) -> None:
    """Copy a checkpoint's tensors into a network. Raises CheckpointError where names, shapes or types differ."""
    expected, found = net.state_dict(), weights.tensors
    details = [f"missing: {name} {_kind(expected[name])}" for name in expected if name not in found]
    details += [f"unknown: {name} {_kind(found[name])}" for name in found if name not in expected]
    details += [
        f"{name}: the network has {_kind(expected[name])}, the file {_kind(found[name])}"
        for name in expected
        if name in found and _kind(expected[name]) != _kind(found[name])
    ]
    if details:
        shown = (*details[:5], f"and {len(details) - 5} more") if len(details) > 6 else tuple(details)
        message = f"the weights in {weights.path} do not fit the network that its spec describes"
        raise CheckpointError(Problem("checkpoint-mismatch", message, details=shown))
    net.load_state_dict(found)


def digest(tensors: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 of names, types, shapes and bytes of tensors, whatever their order."""
    total = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        total.update(f"{name}\x1f{_kind(tensor)}\x1f".encode())
        total.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return total.hexdigest()


def _kind(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"


def _metadata(path: Path, data: bytes) -> dict[str, str]:
    """Check the header before anything is allocated from it, and return its metadata."""
    try:
        return parse_header(data, len(data) - 8).metadata
    except HeaderError as error:
        raise _broken(path, str(error)) from None


def _instead(given: Path) -> str:
    """Return what to give in place of a path that is no checkpoint: the newest run below it, if there is one."""
    runs = sorted(given.glob(f"*/{BEST}"), key=lambda file: file.stat().st_mtime)
    if runs:
        return f"did you mean {runs[-1].parent}?"
    return "give a .safetensors file, or the directory of a run that has finished an epoch"


def _broken(path: Path, why: str, hint: str | None = None) -> CheckpointError:
    return CheckpointError(Problem("checkpoint-damaged", f"cannot use {path}: {why}", hint=hint))
