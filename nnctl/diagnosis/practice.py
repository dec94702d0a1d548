"""Short trainings on copies, for questions that only training answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn

from nnctl.data.load import Batch
from nnctl.diagnosis.session import Session
from nnctl.objective import OUTPUT, Objective, outputs_of
from nnctl.randomness import derive
from nnctl.step import generator_of


def practised(
    net: nn.Module, objective: Objective, batches: Iterable[Batch], rate: float, session: Session
) -> Iterator[float]:
    """Train a network by Adam on one batch after the other; yield each loss before its step."""
    parameters = [p for p in net.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(parameters, lr=rate)
    for step, batch in enumerate(batches):
        generator_of(session.device).manual_seed(derive(session.graph.spec.seed, "preflight", step))
        loss = objective(objective.forward(net, batch))
        yield float(loss.detach())
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()


def answer_of(net: nn.Module, batch: Batch) -> Tensor:
    """Return what a network answers in eval mode."""
    mode = net.training
    net.eval()
    output = outputs_of(net, batch, False)[OUTPUT]
    net.train(mode)
    return output
