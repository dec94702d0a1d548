"""From the graph to torch: modules are built without values, then every weight is drawn from its own seed."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn

from nnctl.graph.build import Graph, build
from nnctl.graph.nodes import Branches, Chain, FromTag, Head, Highway, Leaf, Residual, SetTag, walk
from nnctl.network import modules
from nnctl.network.ensemble import Averaged, Ensemble
from nnctl.network.initialise import initialise
from nnctl.network.pretrained import Transfer, load_pretrained
from nnctl.randomness import derive
from nnctl.spec.sections import Spec


def compile_model(spec: Spec) -> modules.Network | Ensemble:
    """Return the spec's network as a plain torch module, its weights drawn from the spec's seed, or pretrained.

    With `train.bagging` it is an ensemble of such networks. Torch's global random state is left as it was. Raises
    SpecError where the network is at fault, or pretrained weights do not fit it.
    """
    graph = build(spec)
    return compile_members(graph) if members_of(graph) else starting_network(graph)[0]


def starting_network(graph: Graph) -> tuple[modules.Network, Transfer | None]:
    """Return the network that training starts with, and what became of the pretrained weights, if there are any."""
    net = compile_graph(graph)
    return net, load_pretrained(net, graph)


def compile_graph(graph: Graph) -> modules.Network:
    """Return the graph's network with weights drawn from the seed: all that is needed before a checkpoint is put in."""
    names = _has_names(graph.network)
    return modules.Network(_Compiler(graph).chain(graph.network), names, sorted(graph.frozen))


def compile_whole(graph: Graph) -> modules.Network | Ensemble:
    """Return what a checkpoint of the spec holds the weights of: its network, or with `train.bagging` all of them."""
    return compile_members(graph) if members_of(graph) else compile_graph(graph)


def compile_members(graph: Graph) -> Ensemble:
    """Return the networks that bagging trains: one architecture, the weights of each drawn from a seed of its own."""
    seeds = (derive(graph.spec.seed, "member", number) for number in range(members_of(graph)))
    networks = [compile_graph(replace(graph, spec=replace(graph.spec, seed=seed))) for seed in seeds]
    return Ensemble(networks, _averaged(graph))


def members_of(graph: Graph) -> int:
    """Return how many networks bagging trains; 0 without it."""
    train = graph.spec.train
    return train.bagging.members if train is not None and train.bagging is not None else 0


def _averaged(graph: Graph) -> Averaged:
    losses = graph.spec.train.loss if graph.spec.train else ()
    if not any(loss.at in (None, "output") and loss.expects == "logits" for loss in losses):
        return "values"
    return "logit" if graph.output.shape.features == 1 else "logits"


def _has_names(chain: Chain) -> bool:
    """Return whether a tag, `from` or head is anywhere inside."""
    return any(isinstance(step, (SetTag, FromTag, Head)) for step in walk(chain))


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
