"""`export`: a network's weights for any tool that reads safetensors."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from nnctl.checkpoint import encoded, load_into, read_weights
from nnctl.errors import CheckpointError, Problem, UsageError
from nnctl.graph.build import build
from nnctl.network.compile import compile_whole
from nnctl.posix import fsync_directory, write_durably
from nnctl.spec.load import loads

_SUFFIX = ".safetensors"


@dataclass(frozen=True, slots=True)
class ExportResult:
    """A file that was written, read back and compared."""

    path: str
    format: str
    tensors: int
    """How many tensors the file holds."""
    verified: bool
    """Whether the file was read back, equals the checkpoint bit by bit, and fits the network of its spec."""

    def as_json(self) -> dict[str, Any]:
        """Return the object that `--json` prints."""
        return asdict(self)


def export(checkpoint: str | Path, out: str | Path) -> ExportResult:
    """Write a checkpoint's weights, or the best ones of a run directory, to a new file.

    The file holds the tensors by the network's names and the resolved spec in its metadata; nnctl is not needed
    to read it. Raises UsageError where `out` exists or is no .safetensors file, CheckpointError where the
    checkpoint cannot be used.
    """
    path = Path(out)
    if path.suffix != _SUFFIX:
        hint = f"write `{path.stem or 'weights'}{_SUFFIX}`"
        raise UsageError(Problem("export-format", f'an export is a {_SUFFIX} file, found "{path}"', hint=hint))
    if not path.parent.is_dir():
        raise UsageError(Problem("export-folder", f"there is no folder {path.parent}", hint="make it first"))
    weights = read_weights(checkpoint)
    load_into(compile_whole(build(loads(weights.text("spec"), name=str(weights.path)), look=False)), weights)
    try:
        write_durably(path, encoded(weights.tensors, weights.metadata))
    except FileExistsError:
        raise UsageError(Problem("export-exists", f"{path} exists already", hint="give another name")) from None
    fsync_directory(path.parent)
    written = safetensors.torch.load_file(path)
    same = written.keys() == weights.tensors.keys() and all(
        tensor.dtype == written[name].dtype and torch.equal(tensor, written[name])
        for name, tensor in weights.tensors.items()
    )
    if not same:
        raise CheckpointError(Problem("export-differs", f"{path} does not read back as it was written"))
    return ExportResult(str(path), "safetensors", len(written), verified=True)
