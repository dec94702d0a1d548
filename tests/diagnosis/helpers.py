"""Specs with inline data, and what `inspect` says of their layers."""

from __future__ import annotations

import json
from typing import Any

import torch
from torch import Tensor, nn

from nnctl.diagnosis.result import InspectResult, LayerSignals
from nnctl.network.compile import compile_model
from nnctl.spec.load import loads
from nnctl.spec.sections import Spec


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def spec_of(layers: list[Any], x: Tensor | None = None, y: Tensor | None = None, **parts: Any) -> Spec:
    """Return a spec on inline points, or without data; `parts` are sections, or fields of `train`."""
    document: dict[str, Any] = {"name": "probe", "seed": 4, "model": {"layers": layers, **parts.pop("model", {})}}
    if x is not None and y is not None:
        document["data"] = {"dataset": {"points": {"x": x.tolist(), "y": y.tolist()}}, "validation": 0}
    if parts:
        document["train"] = {"epochs": 1, "batch_size": "all", "optimizer": {"sgd": 0.1}, **parts}
    return loads(json.dumps(document))


def net_of(spec: Spec) -> nn.Module:
    """Return the spec's network in float64, for references that agree to many digits."""
    return compile_model(spec).double()


def by_path(result: InspectResult) -> dict[str, LayerSignals]:
    return {layer.path: layer for layer in result.layers}


def parameter(net: nn.Module, name: str) -> Tensor:
    return net.get_parameter(name).detach()
