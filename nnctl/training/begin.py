"""The network that a run begins with: weights from the seed, from a file, scaled by the data."""

from __future__ import annotations

from collections.abc import Sequence

from nnctl.data.load import Split
from nnctl.data.order import epoch_order
from nnctl.graph.build import Graph
from nnctl.network.compile import compile_members, members_of, starting_network
from nnctl.network.ensemble import Ensemble
from nnctl.network.lsuv import lsuv_layers, scale_by_data
from nnctl.network.modules import Network
from nnctl.training.pretraining import pretrain_stages
from nnctl.training.reporter import Reporter


def begin(graph: Graph, samples: Split, batches: Sequence[slice], reporter: Reporter) -> Network | Ensemble:
    """Return a new run's network, on the CPU, and tell what became of pretrained weights.

    Raises SpecError where these do not fit, CheckpointError where their file is damaged.
    """
    if members_of(graph):
        return compile_members(graph)
    recipe = graph.spec.train
    net, transfer = starting_network(graph)
    for line in transfer.lines() if transfer else ():
        reporter.on_note(line)
    layers = lsuv_layers(graph, transfer.taken if transfer else ())
    if layers:
        order = epoch_order(len(samples), graph.spec.seed, 1)
        first = samples.batch(order[batches[0]], step=0)
        scale_by_data(net, layers, first.inputs, graph.spec.seed)
    if recipe is not None and recipe.pretrain is not None:
        pretrain_stages(net.to(samples.device), graph, recipe, recipe.pretrain.autoencoder, samples, batches, reporter)
    return net
