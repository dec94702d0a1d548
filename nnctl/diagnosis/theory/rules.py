"""How each kind of layer changes a signal on its way forward and an error on its way back, in expectation."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from math import prod

from torch import nn

from nnctl.diagnosis.norms import wide
from nnctl.diagnosis.theory.gauss import means
from nnctl.diagnosis.theory.state import Signal
from nnctl.graph.nodes import Leaf
from nnctl.kinds.layers._drop import Drop
from nnctl.kinds.layers.base import Activation

_REARRANGING = frozenset({"flatten", "reshape", "identity"})
_SHORTCUT = "pad"
_DROPPING_NUMBERS = frozenset({"dropout", "spatial_dropout"})
_NORMING_SAMPLES = frozenset({"layer_norm", "group_norm"})


@dataclass(frozen=True, slots=True)
class Passage:
    """What a layer does: the signal that leaves it, and its effect on ‖δ‖²."""

    signal: Signal | None
    """None where only measuring tells."""
    factor: float | None
    """χ: by what ‖δ‖² is multiplied; None where only measuring tells."""
    noise: float = 0.0
    """What finite width adds to the variance of ln ‖δ‖²."""


@dataclass(frozen=True, slots=True)
class Variance:
    """Of a layer's weights: fan_in · E[W²], and whether they are drawn independently of each other; of its biases: mean
    square and mean."""

    weight: float
    bias: float
    random: bool
    mean: float = 0.0


def passage(leaf: Leaf, module: nn.Module, variance: Variance | None, signal: Signal | None, samples: int) -> Passage:
    """Return what a layer does with a signal of a batch of `samples`; `variance` is that of its weights, if any."""
    layer, shape = leaf.layer, leaf.input.shape
    if layer.kind in _REARRANGING:
        return Passage(signal, 1.0)
    if isinstance(layer, Drop) and layer.kind in _DROPPING_NUMBERS:
        keep = 1 - layer.rate if module.training else 1.0
        return Passage(signal and replace(signal, square=signal.square / keep), 1 / keep)
    if layer.kind == _SHORTCUT:  # every s-th place, and channels of zeros appended
        share = shape.features / leaf.output.shape.features
        kept = signal and replace(
            signal, square=share * signal.square, shared=share * signal.shared, mean=share * signal.mean
        )
        return Passage(kept, share)
    if layer.kind == "global_avg_pool":
        return Passage(None, 1 / max(prod(shape.space), 1))
    if variance is not None:
        inside = share_inside(module, shape.space)
        into = 2 / shape.features if variance.random else 0.0
        sent = signal and signal.through_weights(
            inside * variance.weight, variance.bias, leaf.output.shape.features, variance.random, variance.mean
        )
        return Passage(sent, inside * variance.weight, into)
    if isinstance(layer, Activation) and layer.pointwise and signal is not None and _is_fixed(module):
        function = copy.deepcopy(module).double().cpu().eval()
        at = means(function, signal.square, signal.mean)
        noise = 3 * (at.slope_fourth / at.slope**2 - 1) / shape.features if at.slope else 0.0
        return Passage(signal.through_activation(function, shape.features), at.slope, noise)
    if layer.is_batch_norm and layer.kind == "batch_norm" and module.training:
        return _batch_norm(module, signal, samples * prod(shape.space))
    if layer.kind in _NORMING_SAMPLES and signal is not None:
        within = signal.square - signal.mean**2
        gain, offset = _affine(module)
        if within > 0:
            factor = gain / (within + _eps(module))
            shared = factor * (signal.shared - signal.mean**2) + offset
            return Passage(Signal(factor * within + offset, shared), factor)
    return Passage(None, None)


def _batch_norm(module: nn.Module, signal: Signal | None, places: int) -> Passage:
    """Batch norm divides by the deviation over the batch: what different inputs share has no part in it.

    Backward it takes the mean and the direction of its input out of δ, and the mean of 1/variance over batches of
    `places` numbers is larger than that of the whole: together (places − 2)/(places − 3).
    """
    gain, offset = _affine(module)
    between = 0.0 if signal is None else signal.square - signal.shared
    if between <= 0:
        return Passage(Signal(gain + offset, offset), None)
    finite = (places - 2) / (places - 3) if places > 3 else 1.0
    factor = gain / (between + _eps(module))
    return Passage(Signal(factor * between + offset, offset), finite * factor)


def _affine(module: nn.Module) -> tuple[float, float]:
    """Return the mean squares of γ and β."""
    values = dict(module.named_parameters())
    if "weight" not in values:
        return 1.0, 0.0
    return float(wide(values["weight"]).square().mean()), float(wide(values["bias"]).square().mean())


def _eps(module: nn.Module) -> float:
    return float(module.eps)  # type: ignore[arg-type]  # nn.Module hides its fields


def _is_fixed(module: nn.Module) -> bool:
    return next(module.parameters(), None) is None


def share_inside(module: nn.Module, space: tuple[int, ...]) -> float:
    """Return the share of a convolution's taps that fall on its input, and not on the zeros around it."""
    if not isinstance(module, (nn.Conv1d, nn.Conv2d, nn.Conv3d)) or module.padding_mode != "zeros":
        return 1.0
    assert not isinstance(module.padding, str)  # layers say it in numbers
    share = 1.0
    for size, k, s, p, d in zip(space, module.kernel_size, module.stride, module.padding, module.dilation, strict=True):
        places = (size + 2 * p - d * (k - 1) - 1) // s + 1
        starts = [s * place - p for place in range(places)]
        share *= sum(0 <= start + d * tap < size for start in starts for tap in range(k)) / (k * places)
    return share
