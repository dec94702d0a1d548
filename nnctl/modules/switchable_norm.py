"""Instance, layer and batch norm mixed by learned weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class SwitchableNorm(nn.Module):
    """Means and variances of the three norms, each mixed by a softmax: (N, C, space…) -> same (Luo et al., 2019)."""

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(self, channels: int, eps: float, momentum: float) -> None:
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.empty(channels))
        self.bias = nn.Parameter(torch.empty(channels))
        self.mean_weight = nn.Parameter(torch.empty(3))
        self.var_weight = nn.Parameter(torch.empty(3))
        self.register_buffer("running_mean", torch.empty(channels))
        self.register_buffer("running_var", torch.empty(channels))
        self.register_buffer("num_batches_tracked", torch.empty((), dtype=torch.long))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start with equal shares, and with mean 0 and variance 1 as running averages."""
        nn.init.ones_(self.weight)
        nn.init.zeros_(self.bias)
        nn.init.ones_(self.mean_weight)
        nn.init.ones_(self.var_weight)
        self.running_mean.zero_()
        self.running_var.fill_(1)
        self.num_batches_tracked.zero_()

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised batch, scaled and shifted."""
        values = x.flatten(2).to(self.weight.dtype)  # statistics of bf16 are taken in full precision
        mean_in = values.mean(2)
        var_in = values.var(2, correction=0)
        mean_ln, mean_bn = _means(mean_in)
        var_ln, var_bn = _variances(mean_in, var_in)
        if self.training:
            self._remember(mean_bn, var_bn, values.shape[0] * values.shape[2])
        else:
            mean_bn, var_bn = self.running_mean, self.running_var
        mean = _mix(self.mean_weight, mean_in, mean_ln, mean_bn)
        scale = self.weight * torch.rsqrt(_mix(self.var_weight, var_in, var_ln, var_bn) + self.eps)
        shift = self.bias - mean * scale
        return torch.addcmul(shift[..., None], values, scale[..., None]).view_as(x).to(x.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, var: Tensor, count: int) -> None:
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(var * (count / max(count - 1, 1)), self.momentum)  # unbiased, as batch norm's is
        self.num_batches_tracked += 1


def _means(mean: Tensor) -> tuple[Tensor, Tensor]:
    """Return the means over a sample and over the batch, from those of each channel of each sample."""
    return mean.mean(1, keepdim=True), mean.mean(0)


def _variances(mean: Tensor, var: Tensor) -> tuple[Tensor, Tensor]:
    """Return the variances over a sample and over the batch: the mean of those inside plus that of the means."""
    within_sample = var.mean(1, keepdim=True) + mean.var(1, correction=0, keepdim=True)
    return within_sample, var.mean(0) + mean.var(0, correction=0)


def _mix(weight: Tensor, instance: Tensor, layer: Tensor, batch: Tensor) -> Tensor:
    shares = weight.softmax(0)
    return shares[0] * instance + shares[1] * layer + shares[2] * batch
