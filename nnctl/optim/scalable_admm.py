"""Training without gradients, by ADMM over weights, activations and pre-activations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from nnctl.optim.admm_steps import Hidden, Output, activations, fit, inverse_gram


@dataclass(frozen=True)
class Dense:
    """One layer m = Wa + b, with the z-step of the activation behind it; the last layer has none."""

    linear: nn.Linear
    h: nn.Module | None = None
    step: Hidden | None = None

    def ridge(self, weight: float, bias: float) -> Tensor:
        """Return what is added to the diagonal of the Gram matrix, for each column of W, then for b."""
        columns = torch.full((self.linear.in_features,), weight)
        return columns if self.linear.bias is None else torch.cat([columns, torch.tensor([bias])])

    def incoming(self, a: Tensor) -> Tensor:
        """Return the rows that W and b are multiplied with: a bias is a weight of ones."""
        return a if self.linear.bias is None else torch.cat([a, torch.ones_like(a[:, :1])], dim=1)

    def take(self, weights: Tensor) -> None:
        """Put W, and b as its last column, into the layer."""
        self.linear.weight.copy_(weights[:, : self.linear.in_features])
        if self.linear.bias is not None:
            self.linear.bias.copy_(weights[:, -1])


class ScalableADMM(torch.optim.Optimizer):
    """Sweeps of exact sub-steps over all training samples at once (Taylor et al., 2016).

    An Optimizer for the sake of its state: z and a of every layer and the last one's multiplier u lie with the layers'
    weights. They start as standard normal numbers: tied to the network's own first values they would hardly move.
    """

    def __init__(
        self,
        layers: Sequence[Dense],
        output: Output,
        inputs: Tensor,
        target: Tensor,
        *,
        lr: float,
        beta: float,
        gamma: float,
        warm: int,
        decay: tuple[float, float],
        seed: int,
    ) -> None:
        """`decay`: λ of ½λ‖·‖² beside the mean of the losses, for weights and for biases."""
        super().__init__([p for layer in layers for p in layer.linear.parameters()], {"lr": lr})
        self.layers, self.output, self.inputs, self.target = layers, output, inputs, target
        self.beta, self.gamma, self.warm, self.seed = beta, gamma, warm, seed
        scale = len(inputs) / (2 * beta)  # of ½λ‖W‖² a sample, against β‖z − Wa‖²
        self._ridges = [layer.ridge(scale * decay[0], scale * decay[1]).to(inputs.device) for layer in layers]
        self._first: Tensor | None = None

    def sweep(self, number: int) -> None:
        """Renew all unknowns once, from the first layer to the last; `number` counts from 0."""
        for _ in self.sub_steps(number):
            pass

    @torch.no_grad()
    def sub_steps(self, number: int) -> Iterator[str]:
        """Renew the unknowns of a sweep one group after the other; yield what was renewed.

        Each but the multiplier takes the value that is best while the others stand. The multiplier rests in the first
        `warm` sweeps.
        """
        if not self._kept(0):
            self._start()
        *hidden, last = self.layers
        a = self.inputs
        for index, layer in enumerate(hidden):
            kept, following = self._kept(index), self.layers[index + 1]
            self._renew_weights(index, a)
            yield "weights"
            rest, h = self._kept(index + 1)["z"], layer.h
            assert h is not None
            assert layer.step is not None
            if following.linear.bias is not None:
                rest = rest - following.linear.bias
            kept["a"] = activations(following.linear.weight, rest, h(kept["z"]), self.beta, self.gamma)
            yield "a"
            kept["z"] = layer.step(kept["a"], layer.linear(a), self.beta, self.gamma)
            yield "z"
            a = kept["a"]
        self._renew_weights(len(hidden), a)
        yield "weights"
        kept, m = self._kept(len(hidden)), last.linear(a)
        kept["z"] = self.output(m, self.target, kept["multiplier"], self.beta)
        yield "z"
        if number >= self.warm:
            rate: float = self.param_groups[0]["lr"]
            kept["multiplier"] = kept["multiplier"] + rate * self.beta * (kept["z"] - m)
            yield "multiplier"

    def _renew_weights(self, index: int, a: Tensor) -> None:
        """Give a layer the weights that fit its z best, its inputs being `a`."""
        layer = self.layers[index]
        rows = layer.incoming(a)
        if index == 0:  # the samples never change
            inverse = self._first = inverse_gram(rows, self._ridges[0]) if self._first is None else self._first
        else:
            inverse = inverse_gram(rows, self._ridges[index])
        layer.take(fit(inverse, rows, self._kept(index)["z"]))

    def _start(self) -> None:
        generator = torch.Generator().manual_seed(self.seed)
        for index, layer in enumerate(self.layers):
            size = len(self.inputs), layer.linear.out_features
            kept = self._kept(index)
            for key in ("z",) if layer.h is None else ("z", "a"):
                kept[key] = torch.randn(size, generator=generator, dtype=torch.float32).to(self.inputs)
            if layer.h is None:
                kept["multiplier"] = torch.zeros_like(kept["z"])

    def _kept(self, index: int) -> dict[str, Any]:
        kept: dict[str, Any] = self.state[self.layers[index].linear.weight]
        return kept
