"""`nnctl inspect`: what the signal and its gradient do in every layer, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nnctl.cli import options
from nnctl.errors import Problem, UsageError


def run(
    target: Annotated[
        str, typer.Argument(metavar="SPEC|CHECKPOINT", help="A spec (fresh weights), a run directory or its weights.")
    ],
    rest: Annotated[
        list[str] | None,
        typer.Argument(metavar="[OTHER] [PATH=VALUE]...", help="A second one to compare; fields to change, of both."),
    ] = None,
    steps: Annotated[
        int, typer.Option("--steps", min=0, metavar="N", help="Take N steps of the recipe first, on a copy.")
    ] = 0,
    random: Annotated[
        bool, typer.Option("--random", help="Use N(0, 1) inputs and random labels in place of the data.")
    ] = False,
    spectrum: Annotated[
        bool, typer.Option("--spectrum", help="Also singular values of weights and of the input-output Jacobian.")
    ] = False,
    preflight: Annotated[
        bool, typer.Option("--preflight", help="Also five checks of data, loss and network before a long training.")
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
    Each verdict names a cause and a change of the spec that mends it.

    \b
    nnctl inspect specs/vgg11.yaml
    nnctl inspect specs/cifar/plain56.yaml specs/cifar/resnet56.yaml --html both.html
    nnctl inspect specs/vgg11.yaml --steps 20 --random
    nnctl inspect checkpoints/vgg11/1 --strict --json
    """
    from nnctl.cli.output import print_json
    from nnctl.cli.render.signals import different_data, print_signals
    from nnctl.cli.terminal import err, out

    targets, changes = _targets(target, rest or [])
    if html is not None and not html.parent.is_dir():
        raise UsageError(Problem("usage", f"there is no folder {html.parent} to write {html.name} to"))

    from nnctl.diagnosis.signals import inspect

    found = {
        name: inspect(
            name,
            steps=steps,
            random=random,
            spectrum=spectrum,
            preflight=preflight,
            overrides=changes,
            device=device,
        )
        for name in targets
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


def _targets(target: str, rest: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what is inspected and the overrides. Raises UsageError for more than two of the former."""
    others = [argument for argument in rest if not options.is_override(argument)]
    changes = options.checked_overrides([argument for argument in rest if options.is_override(argument)])
    if len(others) > 1:
        hint = "an override looks like `train.epochs=3`"
        raise UsageError(Problem("usage", f"expected at most two networks, found {len(others) + 1}", hint=hint))
    if target in others:
        raise UsageError(Problem("usage", f"{target} is given twice", hint="name another network to compare it with"))
    return (target, *others), changes
