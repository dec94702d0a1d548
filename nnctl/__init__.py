"""nnctl: describe a network, its data and its recipe in one YAML file, then run it and learn why it trains as it does.

    spec = nnctl.load_spec("specs/vgg11.yaml", overrides=["train.epochs=1"])
    net = nnctl.compile_model(spec)
    run = nnctl.train(spec, run="checkpoints/mine")
    nnctl.evaluate("checkpoints/mine")
    nnctl.predict("checkpoints/mine", ["cat.jpg"])
    nnctl.inspect(net, spec)
    nnctl.gradcheck(net, spec)
    nnctl.landscape("checkpoints/mine")

`load_spec` does not import torch; the others are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from nnctl.diagnosis.gradient.check import gradcheck
    from nnctl.diagnosis.signals import inspect
    from nnctl.diagnosis.surface.explore import landscape
    from nnctl.errors import CheckpointError, DataError, DivergedError, NnctlError, ResourceError, SpecError, UsageError
    from nnctl.evaluation.checkpoint import evaluate
    from nnctl.evaluation.predict import predict
    from nnctl.exporting.export_weights import export
    from nnctl.graph.build import load_spec
    from nnctl.network.compile import compile_model
    from nnctl.training.run import train

_HOMES = {
    "load_spec": "nnctl.graph.build",
    "compile_model": "nnctl.network.compile",
    "train": "nnctl.training.run",
    "evaluate": "nnctl.evaluation.checkpoint",
    "predict": "nnctl.evaluation.predict",
    "inspect": "nnctl.diagnosis.signals",
    "gradcheck": "nnctl.diagnosis.gradient.check",
    "landscape": "nnctl.diagnosis.surface.explore",
    "export": "nnctl.exporting.export_weights",
    "CheckpointError": "nnctl.errors",
    "DataError": "nnctl.errors",
    "DivergedError": "nnctl.errors",
    "NnctlError": "nnctl.errors",
    "ResourceError": "nnctl.errors",
    "SpecError": "nnctl.errors",
    "UsageError": "nnctl.errors",
}

__all__ = [
    "CheckpointError",
    "DataError",
    "DivergedError",
    "NnctlError",
    "ResourceError",
    "SpecError",
    "UsageError",
    "compile_model",
    "evaluate",
    "export",
    "gradcheck",
    "inspect",
    "landscape",
    "load_spec",
    "predict",
    "train",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
