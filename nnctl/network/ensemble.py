"""Several networks of one spec whose predictions are averaged (bagging: Breiman, 1996)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn

from nnctl.network.modules import Inputs, Network

Averaged: TypeAlias = Literal["values", "logits", "logit"]
"""What a network's output is: plain values, a logit for each class, or the single logit of one of two."""

_WITHOUT_STATE = (
    nn.Linear,
    nn.Flatten,
    nn.LayerNorm,
    nn.ReLU,
    nn.LeakyReLU,
    nn.ELU,
    nn.SELU,
    nn.GELU,
    nn.SiLU,
    nn.Tanh,
    nn.Sigmoid,
    nn.Softplus,
    nn.Identity,
)
"""Layers that compute the same alone and side by side: they neither draw nor remember."""
SMALL = 30_000
"""Numbers in a member up to which side by side is quicker on a CPU, see benchmarks/ensembles.py; above, the products of
matrices take the time, and each member's alone stay in the cache."""


class Ensemble(nn.Module):
    """Members of one architecture, each with weights of its own.

    In training every member sees samples of its own: those of a batch belong to the members in turn, and each value
    that leaves is in the same order. In evaluation all see the same samples, and what leaves is the mean prediction: of
    probabilities where the output is logits, given as logits again. Members made of simple layers are computed side by
    side, as one network with an axis more: on the CPU only small ones, which that makes up to three times faster.
    """

    def __init__(self, members: Sequence[Network], averaged: Averaged) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.averaged: Averaged = averaged
        leaves = [module for module in members[0].modules() if not list(module.children())]
        self._side_by_side = all(type(leaf) in _WITHOUT_STATE for leaf in leaves) and not members[0]._named_values
        self._small = sum(p.numel() for p in members[0].parameters()) <= SMALL

    def forward(self, x: Inputs) -> Tensor:
        """Return every member's values for its own samples in training, the mean prediction in evaluation."""
        if not self.training:
            return mean_prediction([member(x) for member in self.members], self.averaged)
        if self._side_by_side and isinstance(x, Tensor) and (self._small or x.device.type != "cpu"):
            return self._together(x)
        return _interleaved([member(own) for member, own in zip(self.members, self._shared_out(x), strict=True)])

    def outputs(self, x: Inputs) -> dict[str, Tensor]:
        """Return the same with heads and tags, which in evaluation are plain means."""
        if self.training:
            found = [member.outputs(own) for member, own in zip(self._networks(), self._shared_out(x), strict=True)]
            return {name: _interleaved([one[name] for one in found]) for name in found[0]}
        found = [member.outputs(x) for member in self._networks()]
        means = {name: torch.stack([one[name] for one in found]).mean(0) for name in found[0]}
        return means | {"output": mean_prediction([one["output"] for one in found], self.averaged)}

    def _networks(self) -> list[Network]:
        return [member for member in self.members if isinstance(member, Network)]

    def _shared_out(self, x: Inputs) -> list[Inputs]:
        k = len(self.members)
        if isinstance(x, Tensor):
            return [x[number::k] for number in range(k)]
        return [{name: value[number::k] for name, value in x.items()} for number in range(k)]

    def _together(self, x: Tensor) -> Tensor:
        k, member = len(self.members), self.members[0]
        own = [dict(one.named_parameters()) for one in self.members]
        stacked = {name: torch.stack([tensors[name] for tensors in own]) for name in own[0]}

        def one(tensors: dict[str, Tensor], samples: Tensor) -> Tensor:
            found: Tensor = torch.func.functional_call(member, tensors, (samples,))
            return found

        found = torch.vmap(one, in_dims=(0, 1), out_dims=1)(stacked, x.reshape(-1, k, *x.shape[1:]))
        return found.flatten(0, 1)


def first_member(net: nn.Module) -> nn.Module:
    """Return an ensemble's first network, any other network as it is."""
    return net.members[0] if isinstance(net, Ensemble) else net


def mean_prediction(outputs: Sequence[Tensor], averaged: Averaged) -> Tensor:
    """Return the mean of several networks' predictions, as an output of the same kind."""
    stacked = torch.stack(list(outputs))
    count = torch.tensor(float(len(stacked)), dtype=stacked.dtype, device=stacked.device)
    if averaged == "values":
        return stacked.mean(0)
    if averaged == "logits":
        return stacked.log_softmax(2).logsumexp(0) - count.log()
    positive, negative = (nn.functional.logsigmoid(sign * stacked).logsumexp(0) for sign in (1, -1))
    return positive - negative


def predictions(output: Tensor, averaged: Averaged) -> Tensor:
    """Return what is averaged: probabilities, or the values themselves."""
    if averaged == "values":
        return output
    return output.softmax(1) if averaged == "logits" else output.sigmoid()


def _interleaved(values: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(values), 1).flatten(0, 1)
