"""Greedy layer-wise pretraining: each stage learns to rebuild its own input, with what comes before it fixed.

Y. Bengio, P. Lamblin, D. Popovici, H. Larochelle: Greedy layer-wise training of deep networks, 2007.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn

from nnctl.data.load import Batch, Split
from nnctl.data.order import epoch_order
from nnctl.errors import DivergedError, Problem
from nnctl.evaluation.measure import BATCH
from nnctl.graph.build import Graph
from nnctl.network.initialise import seeded
from nnctl.objective import outputs_of
from nnctl.optim.clipping import clip_gradients
from nnctl.optim.groups import parameter_groups
from nnctl.optim.look_ahead import LookAhead
from nnctl.randomness import derive
from nnctl.spec.sections import Autoencoder, Train
from nnctl.step import autocast
from nnctl.training.reporter import Reporter

Precision: TypeAlias = Literal["fp32", "bf16"]


def pretrain_stages(
    net: nn.Module,
    graph: Graph,
    recipe: Train,
    rule: Autoencoder,
    samples: Split,
    batches: Sequence[slice],
    reporter: Reporter,
) -> None:
    """Train each stage as the encoder of an autoencoder whose decoder, one linear map, is thrown away.

    With x the stage's input and x̃ the same with a share of it set to 0, the mean of (D(f(x̃)) − (x − μ)/σ)² is minimised
    by the recipe's optimiser at its full rate, with its clip and precision; μ is each feature's mean and σ² the
    features' mean variance over the training set. Without this scale errors shrink from stage to stage, as the spread
    of sigmoids' outputs does, and deep stages would learn nothing. Orders and masks are functions of seed, stage and
    step.

    Raises DivergedError where an error is no longer finite.
    """
    net.eval()
    for stage in rule.stages:
        seed = derive(graph.spec.seed, "pretrain", stage)
        encoder = net.get_submodule(stage)
        learner = _with_decoder(net, encoder, samples.batch(slice(0, 1)), seed)
        encoder.train()
        optimizer = recipe.optimizer.build(parameter_groups(learner, recipe.optimizer))
        learned = [p for group in optimizer.param_groups for p in group["params"]]
        mean, deviation = _statistics(net, encoder, samples, recipe.precision)
        errors: list[float] = []
        for epoch in range(rule.epochs):
            order, total = epoch_order(len(samples), seed, epoch), 0.0
            for number, places in enumerate(batches):
                step = epoch * len(batches) + number
                x = _entering(net, encoder, samples.batch(order[places]), recipe.precision)
                generator = torch.Generator().manual_seed(derive(seed, "step", step))
                kept = (torch.rand(x.shape, generator=generator) >= rule.corrupt).to(x.device)
                optimizer.zero_grad()
                if isinstance(optimizer, LookAhead):
                    optimizer.look_ahead()
                with seeded(derive(seed, "dropout", step)), autocast(samples.device, recipe.precision):
                    rebuilt = learner(x * kept)
                error = (rebuilt.float() - (x.flatten(1) - mean) / deviation).square().mean()
                torch.autograd.backward(error)
                clip_gradients(learned, recipe.clip)
                optimizer.step()
                total += error.item() * len(x)
                reporter.on_data(f"pretraining {stage}", step + 1, rule.epochs * len(batches))
            errors.append(total / len(samples))
            if not isfinite(errors[-1]):
                message = f"pretraining `{stage}` diverged in epoch {epoch + 1}"
                raise DivergedError(Problem("diverged", message, where=stage, hint="lower the learning rate"))
        encoder.eval()
        reporter.on_note(f"pretrained {stage}: share of variance not rebuilt {errors[0]:.3f} → {errors[-1]:.3f}")
    net.train()


class _Reached(Exception):
    def __init__(self, x: Tensor) -> None:
        super().__init__()
        self.x = x


def _entering(net: nn.Module, stage: nn.Module, batch: Batch, precision: Precision) -> Tensor:
    """Return what arrives at a stage."""

    def stop(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        raise _Reached(inputs[0].detach())

    handle = stage.register_forward_pre_hook(stop)
    try:
        with torch.no_grad(), autocast(next(net.parameters()).device, precision):
            outputs_of(net, batch, everything=False)
    except _Reached as reached:
        return reached.x.float()
    finally:
        handle.remove()
    raise AssertionError("every stage is part of the way from input to output")


def _statistics(net: nn.Module, stage: nn.Module, samples: Split, precision: Precision) -> tuple[Tensor, Tensor]:
    """Return the mean of each number that arrives at a stage, and the root of their mean variance."""
    sums, squares = torch.zeros(()), torch.zeros(())
    for begin in range(0, len(samples), BATCH):
        batch = samples.batch(slice(begin, min(begin + BATCH, len(samples))))
        x = _entering(net, stage, batch, precision).flatten(1)
        sums, squares = sums + x.double().sum(0).cpu(), squares + x.double().square().sum(0).cpu()
    mean = sums / len(samples)
    variance = (squares / len(samples) - mean.square()).mean().clamp(min=torch.finfo(torch.float32).eps)
    return mean.float().to(samples.device), variance.sqrt().float().to(samples.device)


def _with_decoder(net: nn.Module, encoder: nn.Module, batch: Batch, seed: int) -> nn.Module:
    """Return the stage followed by a linear map back to the shape of its input."""
    x = _entering(net, encoder, batch, "fp32")
    with torch.no_grad(), seeded(derive(seed, "shape")):
        code = encoder(x)
    decoder = nn.Linear(code[0].numel(), x[0].numel(), device=x.device)
    generator = torch.Generator().manual_seed(derive(seed, "decoder"))
    with torch.no_grad():
        decoder.weight.copy_(torch.randn(decoder.weight.shape, generator=generator) * decoder.in_features**-0.5)
        decoder.bias.zero_()
    return nn.Sequential(encoder, nn.Flatten(), decoder)
