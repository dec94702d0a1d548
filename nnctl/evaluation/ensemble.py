"""What averaging the members of an ensemble is worth, measured and predicted."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from nnctl.data.split import Split
from nnctl.evaluation.measure import BATCH
from nnctl.network.ensemble import Ensemble, predictions
from nnctl.objective import outputs_of


@dataclass(frozen=True, slots=True)
class EnsembleResult:
    """Squared errors of members and mean, over samples and outputs; classes as one-hot rows, of probabilities."""

    members: int
    v: float
    """Mean of eᵢ²: the members' uncentred second moment."""
    c: float
    """Mean of eᵢeⱼ over pairs of different members."""
    predicted: float
    """v/k + (k − 1)c/k: what k members average to (Goodfellow et al., Deep Learning, 2016, §7.11)."""
    measured: float
    """The mean prediction's squared error."""
    alone: tuple[float, ...]
    """Each member's accuracy, or its squared error in regression."""


@torch.inference_mode()
def measure_ensemble(net: Ensemble, split: Split) -> EnsembleResult:
    """Return the moments of the members' errors on a split, summed in float64."""
    net.eval()
    k, numbers, samples = len(net.members), 0, 0
    products = torch.zeros(k, k, dtype=torch.float64)
    right, squares = torch.zeros(k, dtype=torch.float64), 0.0
    for begin in range(0, len(split), BATCH):
        batch = split.batch(slice(begin, min(begin + BATCH, len(split))))
        found = [outputs_of(member, batch, False)["output"].double().cpu() for member in net.members]
        values = torch.stack([predictions(output, net.averaged) for output in found])
        target = _rows(batch.target.cpu(), values[0])
        errors = (values - target).flatten(1)
        products += errors @ errors.T
        squares += float((values.mean(0) - target).square().sum())
        numbers, samples = numbers + target.numel(), samples + len(target)
        right += torch.stack([_right(one, batch.target.cpu()) for one in values])
    products /= numbers
    v = float(products.diagonal().mean())
    c = float((products.sum() - products.trace()) / (k * (k - 1)))
    classes = not split.target.is_floating_point()
    alone = right / samples if classes else products.diagonal()
    return EnsembleResult(k, v, c, v / k + (k - 1) * c / k, squares / numbers, tuple(alone.tolist()))


def _rows(target: Tensor, values: Tensor) -> Tensor:
    """Return targets in the shape of predictions."""
    if target.is_floating_point():
        return target.double()
    if values.shape[1] == 1:
        return target.double().unsqueeze(1)
    return torch.nn.functional.one_hot(target, values.shape[1]).double()


def _right(values: Tensor, target: Tensor) -> Tensor:
    if target.is_floating_point():
        return torch.zeros((), dtype=torch.float64)
    named = (values[:, 0] > 0.5).long() if values.shape[1] == 1 else values.argmax(1)
    return (named == target).double().sum()
