"""`nnctl inspect`: what the signal and its gradient do in every layer, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nnctl.cli import options
from nnctl.errors import Problem, UsageError


def run(
    target: options.SpecOrCheckpoint,
    rest: Annotated[
        list[str] | None,
        typer.Argument(metavar="[OTHER] [PATH=VALUE]...", help="A second one to compare; fields to change, of both."),
    ] = None,
    steps: Annotated[
        int, typer.Option("--steps", min=0, metavar="N", help="Take N steps of the recipe first, on a copy.")
    ] = 0,
    random: options.RandomData = False,
    spectrum: Annotated[
        bool, typer.Option("--spectrum", help="Also singular values of weights and of the input-output Jacobian.")
    ] = False,
    preflight: Annotated[
        bool, typer.Option("--preflight", help="Also six checks of data, loss and network before a long training.")
    ] = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write the page as one self-contained HTML file.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if anything is wrong, warnings too.")] = False,
    device: options.Device = "auto",
    json: options.Json = False,
) -> None:
    """Show signal and gradient of every layer, with verdicts.

    One batch goes through the network: the size of every layer's signal, of the error that comes back, of the
    gradients, and of the step that the optimiser would take, beside what theory expects of the initialisation.
    Each verdict names a cause and a change of the spec that mends it, or the changes tried in vain.

    \b
    nnctl inspect specs/vgg11.yaml
    nnctl inspect specs/cifar/plain56.yaml specs/cifar/resnet56.yaml --html both.html
    nnctl inspect specs/vgg11.yaml --steps 20 --random
    nnctl inspect checkpoints/vgg11/1 --strict --json
    """
    from nnctl.cli.output import check_target, print_json
    from nnctl.cli.render.signals import different_data, print_signals
    from nnctl.cli.render.waiting import waiting
    from nnctl.cli.terminal import err, out

    other, changes = options.other_and_overrides(rest, "networks")
    if other == target:
        raise UsageError(Problem("usage", f"{target} is given twice", hint="name another network to compare it with"))
    if html is not None:
        check_target(html, ".html")

    from nnctl.diagnosis.signals import inspect

    with waiting(err()) as progress:
        found = {
            name: inspect(
                name,
                steps=steps,
                random=random,
                spectrum=spectrum,
                preflight=preflight,
                overrides=changes,
                device=device,
                progress=progress,
            )
            for name in (target, other)
            if name is not None
        }
    if json:
        first, *others = found.values()
        print_json(first.as_json() | ({"other": others[0].as_json()} if others else {}))
    else:
        for name, result in found.items():
            print_signals(result, name, out())
        if note := different_data(found):
            out().print(f"{out().paint('different data:', 'yellow')} {note}")
    if html is not None:
        from nnctl.cli.render.signals_page import signals_page

        html.write_text(signals_page(found), encoding="utf-8")
        err().print(f"wrote {html}")
    if strict and any(result.verdict != "ok" for result in found.values()):
        raise typer.Exit(1)
