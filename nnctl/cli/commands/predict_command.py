"""`nnctl predict`: what a trained network says of new files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nnctl.cli import options


def run(
    checkpoint: options.Checkpoint,
    arguments: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE|PATH=VALUE",
            help="Photos, tables, texts or folders of them; `-` for a pipe. PATH=VALUE: a field to change.",
        ),
    ],
    top: Annotated[int, typer.Option("--top", min=1, metavar="K", help="How many classes are told.")] = 3,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV on stdout.")] = False,
    device: options.Device = "auto",
    json: options.Json = False,
) -> None:
    """Tell class and probability of new files, or a number.

    Files are photos, CSV tables or lines of text, as those that the network was trained on; a table needs the columns
    that the network takes, by name. What cannot be read is named, and the rest is predicted all the same. Photos are
    scaled and cut to the size of the training, which is told. PATH=VALUE changes a field of the spec that the run
    keeps, as `train` takes it: how answers are computed, or where something lies that has moved.

    \b
    nnctl predict checkpoints/photos/1 cat.jpg dogs/
    nnctl predict checkpoints/photos/1 cat.jpg train.precision=fp32
    nnctl predict checkpoints/adult/1 people.csv --csv > answers.csv
    cat people.csv | nnctl predict checkpoints/adult/1 - --json
    """
    from nnctl.cli.output import print_json, print_problems
    from nnctl.cli.render.predictions import print_csv, print_predictions
    from nnctl.cli.terminal import err, out
    from nnctl.errors import Problem, UsageError

    overrides = [one for one in arguments if options.is_override(one) and not Path(one).exists()]
    files = [one for one in arguments if one not in overrides]
    if not files:
        raise UsageError(Problem("usage", "no file is given", hint="write `nnctl predict CHECKPOINT FILE`"))
    if csv and json:
        raise UsageError(Problem("usage", "--csv and --json are both given", hint="choose one"))

    from nnctl.evaluation.predict import predict

    result = predict(checkpoint, files, top=top, overrides=overrides, device=device)
    if json:
        print_json(result.as_json())
    else:
        if csv:
            print_csv(result.predictions, top, out())
        else:
            print_predictions(result.predictions, out())
        for note in result.notes:
            err().print(f"note: {note}")
        if result.problems:
            print_problems(result.problems, to=err())
    if result.problems:
        raise typer.Exit(2)
