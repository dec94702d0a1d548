"""`nnctl eval`: how good trained weights are."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from nnctl.cli import options


def run(
    checkpoint: options.Checkpoint,
    overrides: options.Overrides = None,
    split: Annotated[
        Literal["train", "validation", "test"] | None,
        typer.Option("--split", help="The samples to measure on; test if there are any, else train."),
    ] = None,
    attack: Annotated[
        str | None,
        typer.Option(
            "--attack",
            metavar="fgsm:EPSILON|pgd:EPSILON[:STEPS]",
            help="Tell also the accuracy at inputs changed to mislead, by EPSILON at most; inputs are standardised.",
        ),
    ] = None,
    device: options.Device = "auto",
    json: options.Json = False,
) -> None:
    """Measure trained weights on a split of the data.

    Tells loss, accuracy, top 5, each class and the confusion matrix. A run directory stands for its best weights.
    PATH=VALUE mends the path of data that has moved.

    \b
    nnctl eval checkpoints/quickstart/1
    nnctl eval checkpoints/vgg11/1 --split validation
    nnctl eval checkpoints/vgg11/1 data.root=/data
    nnctl eval checkpoints/vgg11/1 --attack pgd:0.1:20
    """
    from nnctl.cli.output import print_json, print_problems
    from nnctl.cli.render.evaluation import print_evaluation
    from nnctl.cli.terminal import out
    from nnctl.errors import Problem

    changes = options.checked_overrides(overrides)

    from nnctl.evaluation.checkpoint import evaluate

    result = evaluate(checkpoint, split=split, overrides=changes, device=device, attack=attack)
    if json:
        print_json(result.as_json())
    else:
        print_evaluation(result, out())
    if result.agrees_with_log is False:
        message = "these weights do not measure what their training logged, on the same data and machine"
        hint = "the checkpoint may have been changed: `nnctl train` on its spec.yaml repeats the run"
        print_problems([Problem("differs-from-log", message, hint=hint)], "warning")
        raise typer.Exit(1)
