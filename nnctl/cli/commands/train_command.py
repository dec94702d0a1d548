"""`nnctl train`: from a spec to a run directory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from nnctl.cli import options

if TYPE_CHECKING:
    from nnctl.cli.terminal import Terminal
    from nnctl.graph.build import Graph
    from nnctl.training.reporter import Reporter


def run(
    spec: options.Spec,
    overrides: options.Overrides = None,
    directory: Annotated[
        str | None,
        typer.Option("--run", metavar="DIR", help="Where the run goes; checkpoints/<name>/<number> if not given."),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on from the last saved state of DIR, or of the newest run of that name."),
    ] = False,
    find_lr: Annotated[
        bool, typer.Option("--find-lr", help="Test a range of learning rates instead, and propose one.")
    ] = False,
    device: options.Device = "auto",
    json: options.Json = False,
) -> None:
    """Train a spec's network by its recipe.

    Everything that comes of it lies in one run directory: weights, metrics, curves and all that resuming needs.
    Ctrl-C finishes the step and saves; a second one stops at once.

    \b
    nnctl train specs/quickstart.yaml
    nnctl train specs/vgg11.yaml train.epochs=1 train.optimizer.sgd.lr=0.05
    nnctl train specs/vgg11.yaml --resume
    nnctl train specs/vgg11.yaml --find-lr
    """
    from nnctl.cli.output import print_json, print_problems
    from nnctl.cli.render.history import summary
    from nnctl.cli.terminal import err, out
    from nnctl.graph.build import build_file

    # The spec is judged before torch is imported, which takes seconds.
    graph = build_file(spec, options.checked_overrides(overrides), fresh=not resume)
    if warnings := [warning for warning in graph.warnings if warning not in graph.refusals]:  # those are errors here
        print_problems(warnings, "warning", err())
        err().print()

    if find_lr:
        _find_rate(graph, directory, resume, device, json)
        return

    from nnctl.training.run import TrainingDiverged, train

    try:
        with _view(err()) as reporter:
            result = train(graph, run=directory, resume=resume, device=device, reporter=reporter)
    except TrainingDiverged as error:
        if not json:
            raise
        print_json(error.result.as_json() | {"errors": [problem.as_json() for problem in error.problems]})
        raise typer.Exit(error.exit_code) from None
    if json:
        print_json(result.as_json())
    else:
        for line in summary(result, graph):
            out().print(line)
    if result.stopped == "interrupted":
        raise typer.Exit(128 + (result.signal or 2))


def _find_rate(graph: Graph, directory: str | None, resume: bool, device: str, json: bool) -> None:
    """Test a range of rates, draw it to a new file, and print what it proposes."""
    from nnctl.cli.output import print_json
    from nnctl.cli.terminal import err, out
    from nnctl.errors import Problem, UsageError
    from nnctl.training.rate_picture import draw_range
    from nnctl.training.rate_range import find_rate
    from nnctl.training.run_directory import write_anew

    if directory is not None or resume:
        raise UsageError(Problem("usage", "--find-lr makes no run", hint="leave out --run and --resume"))
    with _view(err()) as reporter:
        found = find_rate(graph, device, reporter)
    picture = write_anew(graph.spec.name, "learning-rates", draw_range(graph.spec.name, found))
    if json:
        print_json(found.as_json() | {"picture": str(picture)})
        return
    kind = graph.spec.train.optimizer.kind if graph.spec.train else ""
    out().print(f"proposed  {found.proposed:g}")
    out().print(f"best      the loss was least at {found.best:.2g}")
    out().print(
        f"diverged  at {found.diverged:.2g}" if found.diverged else f"diverged  never, up to {found.rates[-1]:g}"
    )
    out().print(f"picture   {picture}")
    out().print(f"next  nnctl train {graph.spec.file} train.optimizer.{kind}.lr={found.proposed:g}")


@contextmanager
def _view(to: Terminal) -> Iterator[Reporter]:
    """Yield the listener that suits the terminal: a live picture, or plain lines."""
    if to.interactive:
        from nnctl.cli.render.live import LiveView

        with LiveView(to) as live:
            yield live
    else:
        from nnctl.cli.render.plain import PlainView

        yield PlainView(to)
