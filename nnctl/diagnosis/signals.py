"""`inspect`: how large signals, gradients and steps are in every layer, and what is wrong with them."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

from torch import nn

from nnctl.data.progress import Progress, silent
from nnctl.device import reproducible, resolve_device
from nnctl.diagnosis.judging.history import learned_codes, with_history
from nnctl.diagnosis.judging.judge import fixes_from, verdicts_of, with_fixes
from nnctl.diagnosis.measure import in_type, measure
from nnctl.diagnosis.preflight import preflight_checks
from nnctl.diagnosis.result import InspectResult
from nnctl.diagnosis.session import Session, check_steps, session_of
from nnctl.diagnosis.spectra import with_spectra
from nnctl.diagnosis.subject import Subject, subject_of
from nnctl.diagnosis.theory.variance import Source
from nnctl.diagnosis.verdict import Verdict
from nnctl.errors import NnctlError
from nnctl.graph.build import build_text
from nnctl.network.compile import starting_network
from nnctl.network.lsuv import lsuv_layers
from nnctl.spec.resolved import to_yaml
from nnctl.spec.sections import Spec


def inspect(
    target: str | Path | Spec | nn.Module,
    spec: Spec | str | Path | None = None,
    *,
    steps: int = 0,
    random: bool = False,
    spectrum: bool = False,
    preflight: bool = False,
    overrides: Sequence[str] = (),
    device: str = "auto",
    progress: Progress = silent,
) -> InspectResult:
    """Measure every layer of a network as its next optimiser step would see it, and judge what is found.

    `target` is a spec (fresh weights), a checkpoint or run directory, or a compiled network beside its `spec`.
    Everything is measured in training mode, on a copy: batch norm takes its statistics from the batch, and
    dropout draws the masks of that step. With `steps` the copy first takes as many real steps of the recipe, its
    optimiser starting afresh. Without data, or with `random`, inputs are N(0, 1) and labels random; without a
    loss it is cross_entropy. The network given and torch's global random state are left as they were.

    `spectrum` adds singular values, `preflight` six checks of data, loss and network (see `preflight_checks`).

    Each verdict names a change of the spec that takes it away, if one is known: a network with it has been inspected,
    one that starts afresh if the weights do not. With `steps`, and of trained weights, causes say whether the
    start had the verdict already.

    Raises SpecError, CheckpointError, DataError or UsageError where one of them cannot be used, DivergedError
    where `steps` lead to a loss that is not finite.
    """
    subject = subject_of(target, spec, overrides)
    check_steps(subject.graph, steps)
    session = session_of(subject, resolve_device(device), random)
    with reproducible(session.device):
        result = measured(session, steps, spectrum=spectrum, progress=progress)
        result = replace(result, trained=subject.trained)
        verdicts = _explained(session, result, verdicts_of(session.graph, result), progress)
        checks = preflight_checks(session) if preflight else None
        return replace(
            result,
            preflight=checks,
            identity=session.batches.identity,
            verdicts=verdicts,
        )


def _explained(
    session: Session, result: InspectResult, verdicts: tuple[Verdict, ...], progress: Progress
) -> tuple[Verdict, ...]:
    """Return the verdicts with their history and with fixes, which are tried on networks that start afresh."""
    graph, steps = session.graph, result.steps if session.subject.fresh else 0
    trials = count(1)

    def again(changes: list[str], steps: int = steps) -> tuple[Verdict, ...]:
        progress("changes that may mend it, number", next(trials), None)
        changed = _changed(session, changes)
        return verdicts_of(changed.graph, measured(changed, steps, noisy=False))

    if not verdicts or result.at_start:
        return with_fixes(graph, verdicts, again)
    try:
        start = again([], 0)
    except NnctlError:  # weights that it would start with are gone
        return with_fixes(graph, verdicts, None)
    learned = learned_codes(verdicts, start)
    rash = next((verdict.value for verdict in start if verdict.code == "update_large"), None)
    verdicts = with_history(graph, result, verdicts, start)
    if session.subject.fresh:
        return with_fixes(graph, verdicts, again, learned, rash)
    return fixes_from(with_fixes(graph, start, again), with_fixes(graph, verdicts, None, learned, rash), learned)


def measured(
    session: Session, steps: int, noisy: bool = True, spectrum: bool = False, progress: Progress = silent
) -> InspectResult:
    """Return the signals after some steps, not yet judged; `noisy` adds the noise scale."""
    stepper = session.stepper()
    session.take(stepper, steps, progress)
    progress("measuring the signals", 0, None)
    source: Source = "initialiser" if session.subject.fresh and not steps else "weights"
    start = copy.deepcopy(stepper.net) if spectrum else None  # measuring takes a step
    result = measure(
        stepper, session.graph, session.batches, steps, session.rate(steps), session.rate_share(steps), source, noisy
    )
    if start is None:
        return result
    return with_spectra(result, session.graph, start, in_type(session.batches.at(steps), start).inputs)


def _changed(session: Session, changes: list[str]) -> Session:
    """Return the session of the same spec with changes of its network or recipe; it sees the same batches."""
    graph = build_text(to_yaml(session.graph.spec), changes)
    net, transfer = starting_network(graph)
    dtype = next(session.subject.net.parameters()).dtype
    lsuv = lsuv_layers(graph, transfer.taken if transfer else ())
    subject = Subject(graph, net.to(dtype), session.subject.standardisation, lsuv, fresh=transfer is None)
    return session_of(subject, session.device, session.batches.name == "random", session.batches)
