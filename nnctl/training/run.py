"""`train`: from a spec to a run directory."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from shlex import quote

import torch
from torch import nn

from nnctl.admm_step import AdmmStepper, admm_stepper_of
from nnctl.data.bootstrap import Bootstrap
from nnctl.data.load import Splits, load
from nnctl.data.order import batch_slices
from nnctl.device import reproducible, resolve_device
from nnctl.environment import describe_environment, differences
from nnctl.errors import CheckpointError, DivergedError, Problem, SpecError
from nnctl.evaluation.measure import reading_of
from nnctl.evaluation.meter import Meter
from nnctl.graph.build import Graph, build
from nnctl.graph.heads import measured_heads
from nnctl.kinds.optimizers.scalable_admm import ScalableAdmm
from nnctl.kinds.schedules.constant import Constant
from nnctl.memory import check_memory
from nnctl.network.compile import compile_whole, members_of
from nnctl.objective import measured_objective
from nnctl.optim.averaging import Average
from nnctl.posix import Interrupts
from nnctl.spec.monitors import default_monitor
from nnctl.spec.resolved import to_yaml
from nnctl.spec.roots import data_root
from nnctl.spec.sections import Data, Spec, Train
from nnctl.step import NotFinite, Stepper, stepper_of
from nnctl.training.begin import begin
from nnctl.training.finite import first_not_finite
from nnctl.training.history import History
from nnctl.training.keeper import Keeper
from nnctl.training.loop import Job, fit
from nnctl.training.progress import Progress
from nnctl.training.reporter import Reporter, Start
from nnctl.training.result import RunResult, Stopped
from nnctl.training.run_directory import RunDirectory, check_free, check_same_spec, new_run, run_to_resume
from nnctl.training.state import State
from nnctl.training.watch import Watch

_INSPECTED = 20
"""Steps after which a network that will diverge is looked at: they are enough to see why."""


class TrainingDiverged(DivergedError):
    """Training stopped at a number that is not finite; `result` says how far it came."""

    def __init__(self, problem: Problem, result: RunResult) -> None:
        super().__init__(problem)
        self.result = result


def train(
    spec: Spec | Graph,
    run: str | Path | None = None,
    resume: bool = False,
    device: str = "auto",
    reporter: Reporter | None = None,
) -> RunResult:
    """Train a spec's network by its recipe and return how it ended.

    The run goes to the directory `run`, else to the next free `checkpoints/<name>/<number>`. With `resume` the
    run in that directory, or else the newest of that name, goes on from its last saved state; a finished run is
    returned as it is. Raises SpecError where the spec does not say what training needs, TrainingDiverged where
    a number is no longer finite, ResourceError where memory cannot suffice. Torch's global random state is left as
    it was.
    """
    graph = spec if isinstance(spec, Graph) else build(spec)
    recipe, data = needed(graph)
    place = resolve_device(device)
    check_memory(graph, place)
    reporter = reporter or Reporter()
    text = to_yaml(_pinned(graph))
    with ExitStack() as stack:
        stack.enter_context(reproducible(place))
        directory = run_to_resume(graph.spec.name, run, recipe.checkpoint.keep) if resume else None
        state = None
        if directory is not None:
            check_same_spec(directory, text)
            stack.enter_context(directory.lock())
            directory.states.sweep()
            state = directory.states.newest(reporter.on_note)
            if state is not None and (ended := Progress.from_record(state.record["progress"])).stopped is not None:
                reporter.on_note(f"{directory.path} has finished already")
                return _told(_result(directory, ended, ended.stopped), reporter)
            _say_where_it_goes_on(directory, state, reporter)
        else:
            check_free(run)
            if resume:
                reporter.on_note("there is nothing to resume: training starts at step 0")

        for note in graph.facts.notes if graph.facts else ():
            reporter.on_note(note)
        splits = load(data, graph.spec.seed, place, splits=("train", "validation"), progress=reporter.on_data)
        for note in splits.notes:
            reporter.on_note(note)
        batches = batches_of(graph, recipe, splits)
        net = begin(graph, splits.train, batches, reporter) if state is None else compile_whole(graph)
        if directory is None:
            directory = new_run(graph.spec.name, run, recipe.checkpoint.keep)
            stack.enter_context(directory.lock())
            directory.states.sweep()
        return _train_in(directory, graph, net, recipe, splits, batches, text, place, state, reporter)


def _train_in(
    directory: RunDirectory,
    graph: Graph,
    net: nn.Module,
    recipe: Train,
    splits: Splits,
    batches: list[slice],
    text: str,
    device: torch.device,
    state: State | None,
    reporter: Reporter,
) -> RunResult:
    """Build all that the loop needs, put back what was saved, and train."""
    spec, progress = graph.spec, Progress()
    metadata = {
        "spec": text,
        "class_names": json.dumps(splits.class_names),
        "mean": json.dumps(splits.mean),
        "std": json.dumps(splits.std),
        "fill": json.dumps(splits.fill),
        "input": json.dumps({name: shape.dims for name, shape in splits.facts.inputs.items()}),
        "data": splits.digest,
    }
    environment = describe_environment(device)
    if state is not None:
        _check_same_data(directory, state, splits)
        progress = Progress.from_record(state.record["progress"])
        for difference in differences(directory.environment() or {}, environment):
            reporter.on_note(f"resumed elsewhere, the last digits may differ: {difference}")
    with (
        Interrupts().listening() as interrupts,  # from the moment that a run is there, so that none is left empty
        History(directory.metrics, keep=state.record["history"] if state else 0) as history,
    ):
        directory.write_spec(text, environment)
        job, average = _job(graph, net.to(device), recipe, splits, batches, device)
        meter = Meter(job.reading)
        keeper = Keeper(
            directory,
            history,
            recipe.checkpoint,
            job.net,
            job.step.optimizer,
            average,
            meter,
            metadata=metadata,
            monitor=job.monitor,
            title=spec.name,
        )
        if state is not None:
            keeper.resume(state)
        reporter.on_start(_start(directory, graph, job, progress))
        try:
            stopped = fit(job, progress, meter, keeper, reporter, interrupts)
        except NotFinite as failure:
            raise _diverged(failure, directory, graph, job, progress, reporter) from None
    return _told(_result(directory, progress, stopped, interrupts.signal), reporter)


def batches_of(graph: Graph, recipe: Train, splits: Splits) -> list[slice]:
    """Return the places of each batch in an epoch's order."""
    size = len(splits.train) if recipe.batch_size == "all" else recipe.batch_size
    return batch_slices(len(splits.train), size, graph.has_batch_norm)


def _job(
    graph: Graph, net: nn.Module, recipe: Train, splits: Splits, batches: list[slice], device: torch.device
) -> tuple[Job, Average | None]:
    spec = graph.spec
    ema, steps = recipe.ema, recipe.epochs * len(batches)
    average = Average(net, ema.decay, ema.uniform, round(ema.start * steps)) if ema else None
    step: Stepper | AdmmStepper
    if isinstance(recipe.optimizer, ScalableAdmm):
        step = admm_stepper_of(graph, recipe, recipe.optimizer, net, splits.train, average)
    else:
        step = stepper_of(graph, recipe, net, device, average)
    reading = reading_of(graph, recipe.loss, splits.facts)
    job = Job(
        net=net,
        step=step,
        train=Bootstrap(splits.train, members, spec.seed) if (members := members_of(graph)) else splits.train,
        validation=splits.validation,
        batches=batches,
        recipe=recipe,
        schedule=recipe.schedule or Constant(),
        reading=reading,
        measured=measured_objective(graph, recipe.loss),
        heads=measured_heads(graph, splits.facts),
        monitor=recipe.monitor or default_monitor(reading.task, splits.validation is not None),
        seed=spec.seed,
        device=device,
        watch=Watch(step, graph, recipe.inspect.every) if recipe.inspect and isinstance(step, Stepper) else None,
    )
    return job, average


def needed(graph: Graph) -> tuple[Train, Data]:
    """Return the sections without which nothing can be trained."""
    spec, problems = graph.spec, list(graph.refusals)
    for name, section in (("train", spec.train), ("data", spec.data)):
        if section is None:
            problems.append(Problem("missing", f"training needs the section `{name}`", spec.document.position, name))
    if problems or spec.train is None or spec.data is None:
        raise SpecError(problems)
    return spec.train, spec.data


def _pinned(graph: Graph) -> Spec:
    """Return the spec as the run keeps it: what the data set's files told is written down."""
    spec = graph.spec
    if spec.data is None or graph.facts is None:
        return spec
    dataset = spec.data.dataset
    dataset = dataset.pinned(dataset.facts(data_root(spec.data)))  # as they lie there, before any transform
    return replace(spec, data=spec.data.model_copy(update={"dataset": dataset}))


def _start(directory: RunDirectory, graph: Graph, job: Job, progress: Progress) -> Start:
    return Start(
        run=directory.path,
        name=graph.spec.name,
        device=str(job.device),
        parameters=graph.parameters * max(members_of(graph), 1),
        samples=len(job.train),
        validation=len(job.validation) if job.validation is not None else 0,
        epochs=job.recipe.epochs,
        steps=job.recipe.epochs * len(job.batches),
        steps_per_epoch=len(job.batches),
        monitor=job.monitor,
        step=progress.step,
    )


def _result(directory: RunDirectory, progress: Progress, stopped: Stopped, signal: int | None = None) -> RunResult:
    return RunResult(
        run=str(directory.path),
        epochs=progress.epoch - 1,
        steps=progress.step,
        stopped=stopped,
        best=progress.best,
        images_per_second=progress.images_per_second,
        signal=signal if stopped == "interrupted" else None,
        metrics=progress.metrics,
    )


def _told(result: RunResult, reporter: Reporter) -> RunResult:
    reporter.on_end(result)
    return result


def _say_where_it_goes_on(directory: RunDirectory, state: State | None, reporter: Reporter) -> None:
    if state is None:
        reporter.on_note(f"{directory.path} holds no saved state: training starts at step 0")
    else:
        reporter.on_note(f"{directory.path} goes on after step {state.step}")


def _check_same_data(directory: RunDirectory, state: State, splits: Splits) -> None:
    if state.record["data"] != splits.digest:
        message = f"the data is not what {directory.path} was started with"
        raise CheckpointError(
            Problem("data-changed", message, hint="bring back the data as it was, or start a new run")
        )


def _diverged(
    failure: NotFinite, directory: RunDirectory, graph: Graph, job: Job, progress: Progress, reporter: Reporter
) -> TrainingDiverged:
    """Return the error that names the first layer at fault and what was saved before."""
    fault = first_not_finite(job.net, failure.batch)
    path, what = fault if fault else ("", "")
    states = directory.states.steps()
    details = [f"first layer at fault: {path}: {what}" if fault else "the output is finite: the loss itself overflows"]
    details.append(f"the last good state is that of step {states[-1]}" if states else "no state was saved before")
    result = _result(directory, progress, "diverged")
    reporter.on_end(result)
    position = graph.positions.get(path)
    steps = min(failure.step - 1, _INSPECTED) if isinstance(job.step, Stepper) else 0
    inspection = f"nnctl inspect {quote(str(directory.spec))}{f' --steps {steps}' if steps else ''}"
    return TrainingDiverged(
        Problem(
            "diverged",
            f"training diverged: {failure}",
            **({"position": position} if position else {}),
            where=path,
            details=tuple(details),
            hint="lower the learning rate, warm up (schedule: {constant: {warmup: 0.1}}) or clip (clip: {norm: 1.0}); "
            f"`{inspection}` tells how large the steps are, and tries what helps",
        ),
        result,
    )
