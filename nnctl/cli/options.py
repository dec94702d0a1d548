"""The arguments and options that commands share, so that each reads the same everywhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, TypeAlias

import typer

from nnctl.errors import Problem, UsageError

Spec: TypeAlias = Annotated[str, typer.Argument(metavar="SPEC", help="The spec, a YAML file.")]
Checkpoint: TypeAlias = Annotated[
    str, typer.Argument(metavar="CHECKPOINT", help="A run directory (its best weights), or a .safetensors file.")
]
SpecOrCheckpoint: TypeAlias = Annotated[
    str, typer.Argument(metavar="SPEC|CHECKPOINT", help="A spec (fresh weights), a run directory or its weights.")
]
Overrides: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(metavar="PATH=VALUE", help="Fields to change, such as train.optimizer.sgd.lr=0.05."),
]
RandomData: TypeAlias = Annotated[
    bool, typer.Option("--random", help="Use N(0, 1) inputs and random labels in place of the data.")
]
DirectionSeed: TypeAlias = Annotated[int, typer.Option("--seed", metavar="N", help="Seed of the random directions.")]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Device: TypeAlias = Annotated[
    str, typer.Option("--device", metavar="auto|cpu|cuda[:N]|mps", help="Where to compute; auto: cuda, else cpu.")
]

_OVERRIDE = re.compile(r"[A-Za-z_]\w*(\.\w+|\[[^]=]*\])*=", re.ASCII)


def is_override(argument: str) -> bool:
    """Return whether an argument reads PATH=VALUE rather than naming a file."""
    return _OVERRIDE.match(argument) is not None


def files_and_overrides(arguments: Sequence[str] | None) -> tuple[list[str], list[str]]:
    """Return the arguments that name files, and those that read PATH=VALUE."""
    given = arguments or ()
    return [one for one in given if not is_override(one)], [one for one in given if is_override(one)]


def other_and_overrides(arguments: Sequence[str] | None, compared: str) -> tuple[str | None, list[str]]:
    """Return a second thing to compare, if there is one, and the overrides. Raises UsageError for a third."""
    files, overrides = files_and_overrides(arguments)
    if len(files) > 1:
        raise UsageError(
            Problem(
                "usage",
                f"expected at most two {compared}, found {len(files) + 1}",
                hint="an override looks like `train.epochs=3`",
            )
        )
    return (files[0] if files else None), overrides


def checked_overrides(arguments: Sequence[str] | None) -> tuple[str, ...]:
    """Return the overrides. Raises UsageError for an argument without `=`."""
    for argument in arguments or ():
        if "=" not in argument:
            raise UsageError(
                Problem(
                    "usage",
                    f"expected PATH=VALUE, found `{argument}`",
                    hint="an override looks like `train.epochs=3`; this command takes one file",
                )
            )
    return tuple(arguments or ())
