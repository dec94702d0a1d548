"""The same gradients with batch norm as it is in evaluation, where other formulas hold."""

from __future__ import annotations

from functools import partial

from torch import Tensor, nn

from nnctl.diagnosis.gradient.beside import beside
from nnctl.diagnosis.gradient.case import Case
from nnctl.diagnosis.gradient.differences import Here
from nnctl.diagnosis.gradient.joint import check_jointly
from nnctl.diagnosis.gradient.result import Running, overall


def check_running(case: Case, count: int, seed: int) -> Running | None:
    """Return what a joint check finds where layers take their running statistics; None where no layer has any."""
    kept = [module for module in case.module.modules() if module.training and _has_statistics(module)]
    if not kept:
        return None
    try:
        for module in kept:
            module.training = False
        check = partial(check_jointly, count=count, seed=seed)
        outcomes = check(Here.of(case.function), list(case.function.tensors))
        outcomes |= beside(case.function, outcomes, case.seed, check)
    finally:
        for module in kept:
            module.training = True
    verdicts = {name: outcome.finding.verdict for name, outcome in outcomes.items()}
    return Running(overall(list(verdicts.values())), tuple(name for name, found in verdicts.items() if found == "fail"))


def _has_statistics(module: nn.Module) -> bool:
    return isinstance(getattr(module, "running_mean", None), Tensor)
