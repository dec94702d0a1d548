"""`nnctl inspect`: what the signal and its gradient do in every layer."""

from __future__ import annotations

from typing import Annotated

import typer

from nnctl.cli import options


def run(
    target: Annotated[
        str, typer.Argument(metavar="SPEC|CHECKPOINT", help="A spec (fresh weights), a run directory or its weights.")
    ],
    overrides: options.Overrides = None,
    steps: Annotated[
        int, typer.Option("--steps", min=0, metavar="N", help="Take N steps of the recipe first, on a copy.")
    ] = 0,
    random: Annotated[
        bool, typer.Option("--random", help="Use N(0, 1) inputs and random labels in place of the data.")
    ] = False,
    device: options.Device = "auto",
    json: options.Json = False,
) -> None:
    """Show signals and gradients in every layer.

    One batch goes through the network: the size of every layer's signal, of the error that comes back, of the
    gradients, and of the step that the optimiser would take.

    \b
    nnctl inspect specs/vgg11.yaml
    nnctl inspect specs/vgg11.yaml --steps 20 --random
    nnctl inspect checkpoints/vgg11/1 --json
    """
    from nnctl.cli.output import print_json
    from nnctl.cli.render.signals import print_signals
    from nnctl.cli.terminal import out

    changes = options.checked_overrides(overrides)

    from nnctl.diagnosis.signals import inspect

    result = inspect(target, steps=steps, random=random, overrides=changes, device=device)
    if json:
        print_json(result.as_json())
    else:
        print_signals(result, out())
