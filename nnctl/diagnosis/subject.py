"""What is inspected: a network with the spec that it was built from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from nnctl.checkpoint import load_into, read_weights
from nnctl.data.load import Standardisation
from nnctl.errors import Problem, UsageError
from nnctl.graph.build import Graph, build, build_file, build_text
from nnctl.network.compile import compile_graph, starting_network
from nnctl.spec.sections import Spec

_SPECS = frozenset({".yaml", ".yml"})


@dataclass(frozen=True)
class Subject:
    """A network, what is known of it, and how its inputs were standardised if it has been trained."""

    graph: Graph
    net: nn.Module
    standardisation: Standardisation | None = None


def subject_of(
    target: str | Path | Spec | nn.Module, spec: Spec | str | Path | None, overrides: Sequence[str]
) -> Subject:
    """Return what `inspect` was given: a spec with fresh weights, a checkpoint, or a network with its spec."""
    if isinstance(target, nn.Module):
        if spec is None:
            raise _misused("a network is inspected together with its spec", "call inspect(net, spec)")
        graph = _graph(spec, overrides)
        _check_fits(target, graph)
        return Subject(graph, target)
    if spec is not None:
        raise _misused("only a network needs a spec beside it", "give the spec or the checkpoint alone")
    if isinstance(target, Spec) or Path(target).suffix.lower() in _SPECS:
        graph = _graph(target, overrides)
        return Subject(graph, starting_network(graph)[0])
    weights = read_weights(target)
    graph = build_text(weights.text("spec"), overrides, name=str(weights.path), fresh=False)
    net = compile_graph(graph)
    load_into(net, weights)
    return Subject(graph, net, Standardisation(tuple(weights.value("mean")), tuple(weights.value("std"))))


def _graph(spec: Spec | str | Path, overrides: Sequence[str]) -> Graph:
    if not isinstance(spec, Spec):
        return build_file(spec, overrides)
    if overrides:
        raise _misused("overrides change a file; this spec has been read already", "give them to load_spec")
    return build(spec)


def _check_fits(net: nn.Module, graph: Graph) -> None:
    paths = dict(net.named_modules())
    missing = [leaf.path for leaf in graph.leaves if leaf.path not in paths]
    if missing:
        message = f"the network has no layer `{missing[0]}`, which its spec {graph.spec.name} describes"
        raise _misused(message, "give the spec that the network was compiled from")


def _misused(message: str, hint: str) -> UsageError:
    return UsageError(Problem("usage", message, hint=hint))
