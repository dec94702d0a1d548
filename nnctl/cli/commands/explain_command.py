"""`nnctl explain`: one kind's fields, shapes, examples and origin."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from nnctl.cli import options


def run(
    kind: Annotated[str, typer.Argument(metavar="[FAMILY.]KIND", help="A kind, section or setting; see `nnctl list`.")],
    json: options.Json = False,
) -> None:
    """Explain one name: fields, shapes, examples.

    \b
    nnctl explain conv
    nnctl explain optimizers.sgd
    nnctl explain train.ema       # a section's settings, or one of them
    """
    from nnctl.cli.output import print_json
    from nnctl.cli.render.catalogue import print_explanation
    from nnctl.cli.terminal import out
    from nnctl.reference.catalogue import explain

    explanation = explain(kind)
    if json:
        print_json(asdict(explanation))
    else:
        print_explanation(explanation, out())
