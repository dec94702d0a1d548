"""`gradcheck`: back-propagation against differences of the loss, for every tensor of a whole network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeAlias

from torch import nn

from nnctl.data.progress import Progress, silent
from nnctl.device import reproducible, resolve_device
from nnctl.diagnosis.gradient.adjoint import check_adjoint
from nnctl.diagnosis.gradient.beside import beside
from nnctl.diagnosis.gradient.case import FEWEST, Case, LossFunction, case_of_module, case_of_spec
from nnctl.diagnosis.gradient.curve import error_curve
from nnctl.diagnosis.gradient.differences import Here
from nnctl.diagnosis.gradient.effect import End, where_it_ends
from nnctl.diagnosis.gradient.float32 import float32_errors
from nnctl.diagnosis.gradient.joint import check_jointly
from nnctl.diagnosis.gradient.layers import Call, calls_of, check_layer, innermost, owner_of
from nnctl.diagnosis.gradient.locate import Located, locate
from nnctl.diagnosis.gradient.result import GradcheckResult, LayerCheck, overall
from nnctl.diagnosis.gradient.running import check_running
from nnctl.diagnosis.gradient.sweep import Outcome, check_tensors, terms_of
from nnctl.diagnosis.gradient.taylor import taylor
from nnctl.diagnosis.gradient.tensor import Looks, tensor_check
from nnctl.diagnosis.subject import subject_of
from nnctl.errors import Problem, UsageError
from nnctl.spec.sections import Spec

DIRECTIONS, STRICT_DIRECTIONS = 4, 8

ByItself: TypeAlias = "Callable[[str], dict[str, Outcome]]"
"""What is found of the layer at a path, by itself."""

_LOCATED = 4
"""Wrong tensors that are looked into, those nearest to the loss first: the others are mostly wrong in consequence."""


def gradcheck(
    target: str | Path | Spec | nn.Module,
    spec: Spec | str | Path | tuple[Any, Any] | None = None,
    loss: LossFunction | None = None,
    *,
    samples: int = FEWEST,
    joint: bool = False,
    strict: bool = False,
    curve: bool = False,
    random: bool = False,
    seed: int = 0,
    overrides: Sequence[str] = (),
    device: str = "auto",
    progress: Progress = silent,
) -> GradcheckResult:
    """Prove the gradients of a whole network by differences of its loss, in float64 and on a copy.

    `target` is a spec, a checkpoint or run directory, a compiled network beside its `spec`; or any module beside a
    batch `(x, y)` and a `loss`, whose `loss(module(x), y)` is then differentiated. A tuple or mapping as x is given
    to the module as its arguments, or as the mapping.

    Every parameter and every input of numbers is moved along random directions, with `samples` real samples, batch
    norm in training mode and dropout on (a module given by itself stays in its mode). A gradient passes where its
    relative error is below 1e-6 (1e-5 across kinks), fails where it is above what rounding and curvature explain,
    and is inconclusive else. With `joint` all tensors are moved at once; `strict` takes twice as many directions.
    `curve` asks for the error by step, which is drawn.

    Raises SpecError, CheckpointError, DataError or UsageError where one of them cannot be used.
    """
    if samples < 1:
        raise UsageError(Problem("usage", f"expected at least 1 sample, found {samples}"))
    place = resolve_device(device)
    if place.type == "mps":
        raise UsageError(
            Problem("device", "gradients are checked in float64, which mps lacks", hint="use --device cpu")
        )
    with reproducible(place):
        if isinstance(spec, tuple) or loss is not None:
            case = case_of_module(*_batch(target, spec, loss), place, seed)
        else:
            case = case_of_spec(subject_of(target, spec, overrides), samples, random, place)
        return _check(case, STRICT_DIRECTIONS if strict else DIRECTIONS, joint, curve, seed, progress)


def _batch(target: Any, batch: Any, loss: LossFunction | None) -> tuple[nn.Module, Any, Any, LossFunction]:
    if callable(target) and not isinstance(target, nn.Module):
        name = getattr(target, "__name__", type(target).__name__)
        message = f"`{name}` is a {'class' if isinstance(target, type) else 'function'}, and a module is checked"
        hint = (
            "call it in the `forward` of a torch.nn.Module that has weights before it, such as a linear layer; "
            "torch.autograd.gradcheck checks a function alone"
        )
        if isinstance(target, type) and issubclass(target, nn.Module):
            hint = f"make one of it: `{name}(…)`"
        raise UsageError(Problem("usage", message, hint=hint))
    if not isinstance(target, nn.Module) or not isinstance(batch, tuple) or len(batch) != 2 or not callable(loss):
        message = "a module is checked beside a batch and a loss"
        raise UsageError(Problem("usage", message, hint="call gradcheck(module, (x, y), loss_function)"))
    return target, *batch, loss


def _check(case: Case, count: int, joint: bool, curve: bool, seed: int, progress: Progress) -> GradcheckResult:
    function = case.function
    here = Here.of(function)
    check = check_jointly if joint else partial(check_tensors, progress=progress)
    if joint:
        progress("all gradients at once", 0, None)
    outcomes = check(here, list(function.tensors), count, seed)
    moved = beside(function, outcomes, case.seed, partial(check, count=count, seed=seed))
    outcomes |= moved
    calls = calls_of(function, case.module)
    read = function.read()
    progress("layers by themselves", 0, None)
    by_itself = cache(lambda path: check_layer(calls[path], seed, case.device))
    alone = _layers_alone(case, outcomes, calls, by_itself)
    layers = _wrong_layers(case, outcomes, calls, by_itself)
    located = _locate(case, here, outcomes, layers, seed)
    narrow = float32_errors(case, here.gradients)
    ends = _ends(case, outcomes, seed)
    tensors = tuple(
        tensor_check(
            case,
            name,
            outcome,
            Looks(name in moved, name in read, alone.get(name), ends.get(name), located.get(name), narrow.get(name)),
        )
        for name, outcome in outcomes.items()
    )
    progress("running statistics", 0, None)
    running = check_running(case, count, seed)
    verdicts = [tensor.verdict for tensor in tensors]
    by_term = terms_of({name: one for name, one in outcomes.items() if name not in ends}, len(function.names))
    return GradcheckResult(
        verdict="fail" if layers or (running and running.failed) else overall(verdicts),
        tensors=tensors,
        terms={
            name: overall([finding.verdict for finding in findings])
            for name, findings in zip(function.names, by_term, strict=True)
        },
        not_differentiable=case.not_differentiable,
        frozen=tuple(name for name, p in case.module.named_parameters() if not p.requires_grad),
        layers=layers,
        taylor=taylor(here, seed),
        curve=error_curve(here, count, seed) if curve else None,
        adjoint=check_adjoint(case, seed),
        running=running,
        data=case.data,
        samples=case.samples,
        directions=count,
        seed=seed,
        loss=float(function.values.sum()),
    )


def _layers_alone(
    case: Case, outcomes: dict[str, Outcome], calls: dict[str, Call], by_itself: ByItself
) -> dict[str, Outcome]:
    """Return, for parameters of which the whole network tells nothing, what their own layer by itself tells."""
    found: dict[str, Outcome] = {}
    for name, outcome in outcomes.items():
        if outcome.finding.verdict == "inconclusive" and name in case.parameters:
            path = owner_of(name, calls)
            own = name[len(path) + 1 :] if path else name
            if path is not None and own in by_itself(path):
                found[name] = by_itself(path)[own]
    return found


def _ends(case: Case, outcomes: dict[str, Outcome], seed: int) -> dict[str, End]:
    """Return, for parameters that move nothing, the module behind which nothing of them is left."""
    open_ = [name for name, outcome in outcomes.items() if outcome.finding.reason in ("small", "zero")]
    found = {name: where_it_ends(case.function, case.module, name, seed) for name in open_ if name in case.parameters}
    return {name: end for name, end in found.items() if end is not None}


def _wrong_layers(
    case: Case, outcomes: dict[str, Outcome], calls: dict[str, Call], by_itself: ByItself
) -> tuple[LayerCheck, ...]:
    """Return the layers whose own backward step is wrong, where a gradient of the whole is not known to be right."""
    if all(outcome.finding.verdict == "pass" for outcome in outcomes.values()):
        return ()
    wrong = []
    for path in innermost(calls):
        failing = {
            name: outcome.finding for name, outcome in by_itself(path).items() if outcome.finding.verdict == "fail"
        }
        if failing:
            error = max(finding.relative_error or 0.0 for finding in failing.values())
            kind = case.kinds.get(path) or type(calls[path].module).__name__
            wrong.append(LayerCheck(path, kind, case.position(path).line, error, tuple(failing)))
    return tuple(wrong)


def _locate(
    case: Case, here: Here, outcomes: dict[str, Outcome], layers: tuple[LayerCheck, ...], seed: int
) -> dict[str, Located]:
    """Return where the gradients are wrong of those tensors that are wrong in their own right."""
    failing = [name for name, outcome in outcomes.items() if outcome.finding.step and outcome.finding.verdict == "fail"]
    own = {f"{layer.path}.{name}".lstrip(".") for layer in layers for name in layer.wrong}
    first = [name for name in failing if name in own] or failing[::-1]
    found = {}
    for name in first[:_LOCATED]:
        outcome = outcomes[name]
        assert outcome.finding.step is not None
        found[name] = locate(here, name, outcome.term, outcome.finding.step, case.samples, seed)
    return found
