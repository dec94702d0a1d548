"""From the graph to torch: modules are built without values, then every weight is drawn from its own seed."""

from __future__ import annotations

import torch
from torch import nn

from nnctl.graph.build import Graph, build
from nnctl.graph.nodes import Branches, Chain, FromTag, Head, Highway, Leaf, Residual, SetTag, inner_chains
from nnctl.network import modules
from nnctl.network.initialise import initialise
from nnctl.spec.sections import Spec


def compile_model(spec: Spec) -> modules.Network:
    """Return the spec's network as a plain torch module, its weights drawn from the spec's seed.

    Torch's global random state is left as it was. Raises SpecError where the network is at fault.
    """
    return compile_graph(build(spec))


def compile_graph(graph: Graph) -> modules.Network:
    """Return the graph's network, as `compile_model` does."""
    return modules.Network(_Compiler(graph).chain(graph.network), named_values=_has_names(graph.network))


def _has_names(chain: Chain) -> bool:
    """Return whether a tag, `from` or head is anywhere inside."""
    return any(
        isinstance(step, (SetTag, FromTag, Head)) or any(_has_names(inner) for inner in inner_chains(step))
        for step in chain.steps
    )


class _Compiler:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.axes = {name: _feature_axis(signal.shape.tokens) for name, signal in graph.tag_signals.items()}
        self.axes |= {f"data.{name}": _feature_axis(shape.tokens) for name, shape in graph.inputs.items()}

    def chain(self, chain: Chain) -> modules.Chain:
        children: dict[str, nn.Module] = {}
        plan: list[modules.Operation] = []
        for step in chain.steps:
            match step:
                case SetTag(name=name):
                    plan.append(modules.Keep(name))
                case FromTag(name=name, merge=merge):
                    plan.append(modules.Recall(name, merge))
                case Head():
                    children[step.name] = self.chain(step.chain)
                    plan.append(modules.Side(step.name, step.start, step.eval))
                case _:
                    name = step.path.rpartition(".")[2]
                    children[name] = self.step(step)
                    plan.append(modules.Run(name))
        return modules.Chain(children, tuple(plan), self.axes)

    def step(self, step: Leaf | Chain | Residual | Branches | Highway) -> nn.Module:
        match step:
            case Leaf():
                return self.leaf(step)
            case Chain():
                return self.chain(step)
            case Residual(body=body, shortcut=shortcut):
                short = self.chain(shortcut) if shortcut is not None and shortcut.steps else None
                return modules.Residual(self.chain(body), short, plain=shortcut is None)
            case Branches(paths=paths, merge=merge):
                return modules.Branches([self.chain(path) for path in paths], merge, _feature_axis(step.tokens))
            case Highway(body=body, gate=gate):
                return modules.Highway(self.chain(body), self.chain(gate))

    def leaf(self, leaf: Leaf) -> nn.Module:
        with torch.device("meta"):
            module = leaf.layer.build(leaf.input.shape)
        module.to_empty(device="cpu")
        activation = self.graph.activations.get(leaf.path)
        initialise(module, leaf, self.graph.spec.model.init, activation, self.graph.spec.seed)
        return module


def _feature_axis(tokens: bool) -> int:
    return -1 if tokens else 1
