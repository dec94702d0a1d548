"""What is inspected: a network with the spec that it was built from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from torch import nn

from nnctl.checkpoint import Weights, load_into, read_weights
from nnctl.data.load import Standardisation
from nnctl.data.standardise import recorded
from nnctl.diagnosis.result import Trained
from nnctl.errors import Problem, UsageError
from nnctl.graph.build import Graph, build, build_file, build_text
from nnctl.network.compile import compile_graph, compile_whole, starting_network
from nnctl.network.ensemble import first_member
from nnctl.network.lsuv import Scaled, lsuv_layers
from nnctl.spec.sections import Spec

_SPECS = frozenset({".yaml", ".yml"})


@dataclass(frozen=True)
class Subject:
    """A network, what is known of it, and how its inputs were standardised if it has been trained."""

    graph: Graph
    net: nn.Module
    standardisation: Standardisation | None = None
    lsuv: Scaled = field(default_factory=dict)
    """Layers that a batch of the data is still to complete the start of (see `lsuv_layers`)."""
    fresh: bool = False
    """Whether its weights are those that the spec's initialisers draw."""
    trained: Trained | None = None
    """How far the training had come that a checkpoint is from."""


def subject_of(
    target: str | Path | Spec | nn.Module, spec: Spec | str | Path | None, overrides: Sequence[str]
) -> Subject:
    """Return what `inspect` was given: a spec with fresh weights, a checkpoint, or a network with its spec.

    Of an ensemble it is the first member.
    """
    if isinstance(target, nn.Module):
        if spec is None:
            raise _misused("a network is inspected together with its spec", "call inspect(net, spec)")
        graph = _graph(spec, overrides, fresh=False)
        target = first_member(target)
        _check_fits(target, graph)
        return Subject(graph, target, fresh=graph.spec.model.pretrained is None and _as_drawn(target, graph))
    if spec is not None:
        raise _misused("only a network needs a spec beside it", "give the spec or the checkpoint alone")
    if isinstance(target, Spec) or Path(target).suffix.lower() in _SPECS:
        graph = _graph(target, overrides, fresh=True)
        net, transfer = starting_network(graph)
        lsuv = lsuv_layers(graph, transfer.taken if transfer else ())
        return Subject(graph, net, lsuv=lsuv, fresh=transfer is None)
    weights = read_weights(target)
    graph = build_text(weights.text("spec"), overrides, name=str(weights.path), fresh=False)
    whole = compile_whole(graph)
    load_into(whole, weights)
    return Subject(graph, first_member(whole), recorded(weights), trained=_trained(weights))


def _trained(weights: Weights) -> Trained | None:
    """Return what the checkpoint tells of its training, if it does."""
    told = [weights.metadata.get(key, "") for key in ("epoch", "step")]
    return Trained(*map(int, told)) if all(text.isdecimal() for text in told) else None


def _graph(spec: Spec | str | Path, overrides: Sequence[str], fresh: bool) -> Graph:
    if not isinstance(spec, Spec):
        return build_file(spec, overrides, fresh)
    if overrides:
        raise _misused("overrides change a file; this spec has been read already", "give them to load_spec")
    return build(spec)


def _check_fits(net: nn.Module, graph: Graph) -> None:
    paths = dict(net.named_modules())
    missing = [leaf.path for leaf in graph.leaves if leaf.path not in paths]
    if missing:
        message = f"the network has no layer `{missing[0]}`, which its spec {graph.spec.name} describes"
        raise _misused(message, "give the spec that the network was compiled from")
    for row in graph.rows:
        own = sum(p.numel() for p in net.get_submodule(row.path).parameters())
        if own != row.params:
            message = (
                f"`{row.path}` has {own:,} parameters in the network and {row.params:,} in the spec {graph.spec.name}"
            )
            raise _misused(message, "give the spec that the network was compiled from")


def _as_drawn(net: nn.Module, graph: Graph) -> bool:
    """Return whether a network's parameters are those that it starts with, in whatever type it is now."""
    ours = dict(net.named_parameters())
    start = dict(compile_graph(graph).named_parameters())
    return ours.keys() == start.keys() and all(
        p.shape == start[name].shape and bool((p.detach().cpu().double() == start[name].detach().double()).all())
        for name, p in ours.items()
    )


def _misused(message: str, hint: str) -> UsageError:
    return UsageError(Problem("usage", message, hint=hint))
