"""What a classifier's output says of the probability of each class, where it says anything."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from nnctl.graph.build import Graph
from nnctl.kinds.losses.base import OUTPUT, Loss


def probabilities_of(graph: Graph, losses: Sequence[Loss], output: Tensor) -> Tensor | None:
    """Return a row of probabilities for each sample, or None where the output, such as a margin, is none.

    Logits go through the softmax, those of binary cross-entropy through the sigmoid, which asks of each class by
    itself. An output behind a softmax, log softmax or sigmoid of the network's own is one already.
    """
    last = graph.leaves[-1].layer.kind if graph.leaves else ""
    if last == "log_softmax":
        return output.exp()
    if last in ("softmax", "sigmoid"):
        return _of_both(output)
    logits = [loss.kind for loss in losses if loss.at in (None, OUTPUT) and loss.expects == "logits"]
    if not logits:
        return None
    return _of_both(output.sigmoid()) if "bce" in logits else output.softmax(1)


def _of_both(output: Tensor) -> Tensor:
    """Return the probabilities of both classes where there is only that of class 1."""
    return torch.cat((1 - output, output), 1) if output.shape[1] == 1 else output
