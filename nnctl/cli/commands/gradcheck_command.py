"""`nnctl gradcheck`: whether back-propagation computes what the loss really does."""

from __future__ import annotations

from typing import Annotated

import typer

from nnctl.cli import options


def run(
    target: Annotated[
        str, typer.Argument(metavar="SPEC|CHECKPOINT", help="A spec (fresh weights), a run directory or its weights.")
    ],
    overrides: options.Overrides = None,
    joint: Annotated[
        bool, typer.Option("--joint", help="Move all tensors at once: for large networks; halves are tried on failure.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Twice as many directions; what stays inconclusive counts as a failure.")
    ] = False,
    samples: Annotated[int, typer.Option("--samples", min=1, metavar="N", help="Samples of the batch.")] = 4,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Seed of the random directions.")] = 0,
    random: Annotated[
        bool, typer.Option("--random", help="Use N(0, 1) inputs and random labels in place of the data.")
    ] = False,
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
    from nnctl.cli.output import print_json
    from nnctl.cli.render.gradients import print_gradients
    from nnctl.cli.terminal import out

    changes = options.checked_overrides(overrides)

    from nnctl.diagnosis.gradient.check import gradcheck

    result = gradcheck(
        target,
        samples=samples,
        joint=joint,
        strict=strict,
        random=random,
        seed=seed,
        overrides=changes,
        device=device,
    )
    if json:
        print_json(result.as_json())
    else:
        print_gradients(result, out())
    if result.verdict == "fail" or (strict and result.verdict == "inconclusive"):
        raise typer.Exit(1)
