"""Where tensors live: the name that a user gives, as a device that is there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from nnctl.errors import Problem, UsageError


def resolve_device(name: str) -> torch.device:
    """Return the device called `name`: auto (cuda if there is one, else cpu), cpu, cuda, cuda:N or mps.

    Raises UsageError where it does not exist on this machine.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    kind, _, number = name.partition(":")
    if name == "cpu" or (name == "mps" and torch.backends.mps.is_available()):
        return torch.device(name)
    if kind == "cuda" and (number.isdecimal() or name == "cuda") and int(number or 0) < torch.cuda.device_count():
        return torch.device("cuda", int(number or 0))
    if kind not in ("cuda", "mps"):
        raise UsageError(Problem("device", f'expected auto, cpu, cuda, cuda:N or mps as device, found "{name}"'))
    count = torch.cuda.device_count() if kind == "cuda" else 0
    raise UsageError(
        Problem(
            "device",
            f"this machine has no device {name}",
            details=(f"{count} CUDA device{'s' if count != 1 else ''} found",) if kind == "cuda" else (),
            hint="use --device cpu",
        )
    )


@contextmanager
def reproducible(device: torch.device) -> Iterator[None]:
    """Let CUDA compute the same sums in the same order each time, and leave torch's generators as they were."""
    cuda = device.type == "cuda"
    if cuda:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    before = torch.backends.cudnn.deterministic
    torch.backends.cudnn.deterministic = before or cuda
    try:
        with torch.random.fork_rng(devices=[device] if cuda else []):
            yield
    finally:
        torch.backends.cudnn.deterministic = before
