"""Steps of a recipe that takes no gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from nnctl.kinds.layers.activations.hard_sigmoid import HardSigmoid
from nnctl.kinds.losses._dense import dense
from nnctl.kinds.losses.base import Loss
from nnctl.kinds.losses.mse import MeanSquaredError
from nnctl.kinds.optimizers.scalable_admm import ScalableAdmm
from nnctl.objective import OUTPUT, Objective
from nnctl.optim.admm_steps import ClippedLine, Hidden, Hinge, Output, SquaredError, relu_values
from nnctl.optim.averaging import Average
from nnctl.optim.scalable_admm import Dense, ScalableADMM
from nnctl.randomness import derive
from nnctl.spec.sections import Train

if TYPE_CHECKING:
    from nnctl.data.load import Batch, Split
    from nnctl.graph.build import Graph
    from nnctl.kinds.layers.base import Layer


class AdmmStepper:
    """Takes steps as Stepper does: called with a batch, the step's number and its rate.

    The optimiser has the samples itself, in the split's own order, in which its unknowns stand; the batch, all
    samples in the epoch's order, is only measured.
    """

    def __init__(self, net: nn.Module, objective: Objective, optimizer: ScalableADMM, average: Average | None) -> None:
        self.net, self.objective, self.optimizer, self.average = net, objective, optimizer, average

    @torch.no_grad()
    def __call__(self, batch: Batch, step: int, rate: float) -> tuple[Tensor, Tensor]:
        """Take step number `step` (from 0); return the loss and the output before it."""
        seen = self.objective.forward(self.net, batch)
        loss = self.objective(seen)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.sweep(step)
        if self.average is not None:
            self.average.update(step)
        return loss, seen.outputs[OUTPUT]


def admm_stepper_of(
    graph: Graph, recipe: Train, rule: ScalableAdmm, net: nn.Module, train: Split, average: Average | None
) -> AdmmStepper:
    """Return what takes the steps of a recipe whose optimiser is `scalable_admm`; `check` has seen that it can."""
    layers = [leaf for leaf in graph.leaves if leaf.layer.kind in ("linear", *ScalableAdmm.activations)]
    dense_layers = []
    for leaf, following in zip(layers, [*layers[1:], None], strict=True):
        linear = net.get_submodule(leaf.path)
        if not isinstance(linear, nn.Linear):
            continue
        h = net.get_submodule(following.path) if following else None
        dense_layers.append(Dense(linear, h, _hidden(following.layer) if following else None))
    batch = train.batch(slice(0, len(train)))
    inputs = batch.inputs["input"].flatten(1)
    last = dense_layers[-1].linear
    target = dense(inputs.new_empty(len(train), last.out_features), batch.target)
    decay = rule.weight_decay
    optimizer = ScalableADMM(
        dense_layers,
        _output(recipe.loss[0], last.out_features),
        inputs,
        target,
        lr=rule.lr,
        beta=rule.beta,
        gamma=rule.gamma,
        warm=rule.warm,
        decay=(decay, decay if rule.decay_on == "all" else 0.0),
        seed=derive(graph.spec.seed, "admm"),
    )
    return AdmmStepper(net, Objective(recipe.loss), optimizer, average)


def _hidden(layer: Layer) -> Hidden:
    """Return the z-step of an activation."""
    if isinstance(layer, HardSigmoid):
        return ClippedLine(layer.value(1.0) - layer.value(0.0), layer.value(0.0))
    return relu_values


def _output(loss: Loss, features: int) -> Output:
    """Return the z-step of a loss."""
    if isinstance(loss, MeanSquaredError):
        return SquaredError(loss.weight / 2 if loss.form == "half_sum" else loss.weight / features)
    return Hinge(loss.weight)
