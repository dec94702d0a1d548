"""`nnctl landscape`: the loss around trained weights, and its curvature."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from nnctl.cli import options
from nnctl.errors import Problem, UsageError

_SPECS = frozenset({".yaml", ".yml"})


def run(
    target: Annotated[
        str,
        typer.Argument(
            metavar="CHECKPOINT", help="A run directory (its best weights), a .safetensors file, or a spec."
        ),
    ],
    rest: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[OTHER] [PATH=VALUE]...", help="The checkpoint at the end of a line; fields to change, of both."
        ),
    ] = None,
    dims: Annotated[
        int | None, typer.Option("--dims", min=1, max=2, metavar="1|2", help="A line or a plane; 2, but 1 with OTHER.")
    ] = None,
    points: Annotated[
        int | None,
        typer.Option("--points", min=3, metavar="N", help="Points on each axis, at least; 21, on a line 41."),
    ] = None,
    span: Annotated[
        float, typer.Option("--span", metavar="X", help="How far each axis goes from its middle; 1 is as far as 0.")
    ] = 1.0,
    weights: Annotated[
        bool, typer.Option("--weights", help="Draw a network of two weights over both of them.")
    ] = False,
    batch_norm: Annotated[
        Literal["frozen", "recalibrate"],
        typer.Option("--batch-norm", help="Keep running statistics, or measure them afresh at each point."),
    ] = "frozen",
    samples: Annotated[int, typer.Option("--samples", min=1, metavar="N", help="Training samples to use.")] = 1024,
    seed: options.DirectionSeed = 0,
    top: Annotated[
        int, typer.Option("--top", min=1, metavar="K", help="Largest and smallest eigenvalues to tell.")
    ] = 3,
    steps: Annotated[int, typer.Option("--steps", min=1, metavar="N", help="Lanczos steps for each vector.")] = 40,
    no_surface: Annotated[bool, typer.Option("--no-surface", help="Curvature alone.")] = False,
    no_curvature: Annotated[bool, typer.Option("--no-curvature", help="The surface alone.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where to write; `landscape` beside the weights.")
    ] = None,
    device: options.Device = "auto",
    json: options.Json = False,
) -> None:
    """Draw the loss around trained weights, and tell its curvature.

    A slice of the loss along filter-normalised directions is drawn as SVG and PNG, with the level of chance; of two
    checkpoints the line between them. What has been measured is kept: a command that was stopped goes on where it was.
    The Hessian's eigenvalues come with bounds, and say whether the weights lie in a minimum, on a saddle or a slope.

    \b
    nnctl landscape checkpoints/lenet/1
    nnctl landscape checkpoints/lenet/1 --dims 1 --points 101 --batch-norm recalibrate
    nnctl landscape checkpoints/lenet/1 checkpoints/lenet/2
    nnctl landscape specs/labs/two_weights.yaml --weights --span 8
    """
    from nnctl.cli.output import print_json
    from nnctl.cli.render.landscape_page import print_landscape
    from nnctl.cli.render.waiting import waiting
    from nnctl.cli.terminal import err
    from nnctl.cli.terminal import out as stdout

    other, changes = options.other_and_overrides(rest, "checkpoints")
    if no_surface and no_curvature:
        raise UsageError(Problem("usage", "--no-surface and --no-curvature leave nothing to do"))

    from nnctl.diagnosis.surface.explore import landscape

    folder = out or _folder(Path(target))
    try:
        with waiting(err()) as progress:
            result = landscape(
                target,
                to=other,
                dims=dims,
                points=points,
                span=span,
                weights=weights,
                batch_norm=batch_norm,
                surface=not no_surface,
                curvature=not no_curvature,
                top=top,
                steps=steps,
                samples=samples,
                seed=seed,
                overrides=changes,
                device=device,
                folder=folder,
                progress=progress,
            )
    except KeyboardInterrupt:
        if no_surface:
            raise
        raise KeyboardInterrupt(f"points of the surface are kept in {folder}: the same command goes on") from None
    if json:
        print_json(result.as_json())
    else:
        print_landscape(result, stdout())


def _folder(target: Path) -> Path:
    """Return `landscape` in a run's directory or beside a file of weights; of a spec, in the current directory."""
    if target.suffix.lower() in _SPECS:
        return Path("landscape")
    return (target if target.is_dir() else target.parent) / "landscape"
