"""What a machine can hold, asked before anything is allocated."""

from __future__ import annotations

import torch

from nnctl.errors import Problem, ResourceError
from nnctl.graph.build import Graph
from nnctl.graph.costs import byte_size
from nnctl.posix import physical_memory


def check_memory(graph: Graph, device: torch.device) -> None:
    """Raise ResourceError, with the sum, where training takes more than the device has."""
    needed, there = graph.memory, _memory_of(device)
    if there is None or needed.total <= there:
        return
    lasting = needed.total - needed.activations
    hint = "a smaller `train.batch_size`, or `train.accumulate`, needs less" if lasting < there else "train less of it"
    message = f"training takes {byte_size(needed.total)}, this machine's {device} has {byte_size(there)}"
    raise ResourceError(Problem("out-of-memory", message, details=(needed.account,), hint=hint))


def _memory_of(device: torch.device) -> int | None:
    """Return the bytes of a device; None where it does not tell."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    return physical_memory()  # Apple's accelerators share the machine's own
