"""`nnctl train`: from a spec to a run directory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from nnctl.cli import options

if TYPE_CHECKING:
    from nnctl.cli.terminal import Terminal
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
    """
    from nnctl.cli.output import print_json, print_problems
    from nnctl.cli.render.history import summary
    from nnctl.cli.terminal import err, out
    from nnctl.graph.build import build_file

    # The spec is judged before torch is imported, which takes seconds.
    graph = build_file(spec, options.checked_overrides(overrides), fresh=not resume)
    if graph.warnings:
        print_problems(graph.warnings, "warning", err())
        err().print()

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
        for line in summary(result):
            out().print(line)
    if result.stopped == "interrupted":
        raise typer.Exit(128 + (result.signal or 2))


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
