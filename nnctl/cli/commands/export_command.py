"""`nnctl export`: weights for other tools."""

from __future__ import annotations

from typing import Annotated

import typer

from nnctl.cli import options


def run(
    checkpoint: options.Checkpoint,
    destination: Annotated[
        str, typer.Argument(metavar="OUT", help="The .safetensors file to write; it must not exist.")
    ],
    json: options.Json = False,
) -> None:
    """Write weights that plain torch can read.

    The file is safetensors: names, tensors, and the spec in its metadata; nnctl is not needed to read it.

    \b
    nnctl export checkpoints/vgg11/1 vgg11.safetensors
    """
    from nnctl.cli.output import print_json
    from nnctl.cli.terminal import out
    from nnctl.exporting.export_weights import export

    result = export(checkpoint, destination)
    if json:
        print_json(result.as_json())
    else:
        out().print(f"{result.path}: {result.tensors} tensors, read back and equal")
