"""`nnctl gradcheck`: whether back-propagation computes what the loss really does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nnctl.cli import options


def run(
    target: options.SpecOrCheckpoint,
    overrides: options.Overrides = None,
    joint: Annotated[
        bool, typer.Option("--joint", help="Move all tensors at once: for large networks; halves are tried on failure.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Twice as many directions; what stays inconclusive counts as a failure.")
    ] = False,
    samples: Annotated[int, typer.Option("--samples", min=1, metavar="N", help="Samples of the batch.")] = 4,
    seed: options.DirectionSeed = 0,
    random: options.RandomData = False,
    svg: Annotated[
        Path | None,
        typer.Option("--svg", metavar="FILE", help="Draw the error by step, and Taylor's remainder, as SVG."),
    ] = None,
    device: options.Device = "auto",
    json: options.Json = False,
) -> None:
    """Prove the gradients of the whole compiled network.

    Every weight tensor and the input are moved along random directions, in float64, and the loss's real change is
    compared with what its gradient says. A wrong gradient is named with its layer, rows, entries and the likely
    mistake. Exits with 1 where one is wrong.

    \b
    nnctl gradcheck specs/lenet.yaml
    nnctl gradcheck specs/cifar/resnet56.yaml --joint --random
    nnctl gradcheck checkpoints/vgg11/1 --strict --json
    """
    from nnctl.cli.output import check_target, print_json
    from nnctl.cli.render.gradients import print_gradients
    from nnctl.cli.render.waiting import waiting
    from nnctl.cli.terminal import err, out

    changes = options.checked_overrides(overrides)
    if svg is not None:
        check_target(svg, ".svg")

    from nnctl.diagnosis.gradient.check import gradcheck

    with waiting(err()) as progress:
        result = gradcheck(
            target,
            samples=samples,
            joint=joint,
            strict=strict,
            curve=svg is not None,
            random=random,
            seed=seed,
            overrides=changes,
            device=device,
            progress=progress,
        )
    if json:
        print_json(result.as_json())
    else:
        print_gradients(result, out())
    if svg is not None:
        from nnctl.diagnosis.gradient.drawing import draw_check

        svg.write_text(draw_check(target, result), encoding="utf-8")
        err().print(f"wrote {svg}")
    if result.verdict == "fail" or (strict and result.verdict == "inconclusive"):
        raise typer.Exit(1)
