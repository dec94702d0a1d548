"""What a run's numbers depend on besides its spec: versions, device and threads."""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path
from typing import Any

import torch

import nnctl

ENVIRONMENT = "environment.json"
_DECIDES_BITS = ("torch", "device", "device_name", "threads", "cpu", "machine", "cudnn", "tf32")


def describe_environment(device: torch.device) -> dict[str, Any]:
    """Return the environment as plain values, for environment.json."""
    cuda = device.type == "cuda"
    return {
        "nnctl": nnctl.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "platform": platform.platform(),
        "machine": platform.machine(),
        "device": str(device),
        "device_name": torch.cuda.get_device_name(device) if cuda else platform.processor(),
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "cudnn": torch.backends.cudnn.version() if cuda else None,  # type: ignore[no-untyped-call]
        "tf32": torch.backends.cuda.matmul.allow_tf32 if cuda else None,
        "command": sys.argv,
    }


def recorded_environment(folder: Path) -> dict[str, Any] | None:
    """Return the environment recorded in a run's folder, or None where there is none that can be read."""
    try:
        recorded = json.loads((folder / ENVIRONMENT).read_bytes())
    except (OSError, ValueError):
        return None
    return recorded if isinstance(recorded, dict) else None


def differences(recorded: dict[str, Any], present: dict[str, Any]) -> list[str]:
    """Return what differs of the parts that floating-point results depend on, in words."""
    return [
        f"{key} was {recorded.get(key)}, is {present.get(key)}"
        for key in _DECIDES_BITS
        if recorded.get(key) != present.get(key)
    ]
