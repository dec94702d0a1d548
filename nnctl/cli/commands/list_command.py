"""`nnctl list`: everything that has a name in a spec."""

from __future__ import annotations

from typing import Annotated

import typer

from nnctl.cli import options


def run(
    family: Annotated[
        str | None,
        typer.Argument(metavar="FAMILY", help="layers, losses, optimizers, schedules, initializers, datasets, …"),
    ] = None,
    json: options.Json = False,
) -> None:
    """List every name that a spec may use.

    \b
    nnctl list
    nnctl list layers
    """
    from nnctl.cli.output import print_json
    from nnctl.cli.render.catalogue import print_families
    from nnctl.cli.terminal import out
    from nnctl.reference.catalogue import families

    listed = families(family)
    if json:
        print_json({"families": listed})
    else:
        print_families(listed, out())
