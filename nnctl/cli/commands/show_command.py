"""`nnctl show`: the spec that a file and its overrides come to, or the samples that it trains on."""

from __future__ import annotations

from typing import Annotated

import typer

from nnctl.cli import options


def run(
    spec: options.Spec,
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[OUT.png] [PATH=VALUE]...", help="With --images the file to draw to; fields to change."
        ),
    ] = None,
    images: Annotated[bool, typer.Option("--images", help="Draw augmented training samples with labels.")] = False,
    json: options.Json = False,
) -> None:
    """Show the resolved spec, or draw its samples.

    What it extends is merged, overrides and defaults are filled in; the YAML is itself a spec that does the same.

    \b
    nnctl show specs/vgg11.yaml
    nnctl show specs/vgg11.yaml train.epochs=1 > mine.yaml
    nnctl show --images specs/vgg11.yaml samples.png
    """
    from nnctl.cli.output import print_json
    from nnctl.cli.terminal import out
    from nnctl.errors import Problem, UsageError
    from nnctl.spec.load import load
    from nnctl.spec.resolved import as_dict, to_yaml

    files, overrides = options.files_and_overrides(arguments)
    if images:
        if len(files) != 1:
            raise UsageError(
                Problem("usage", "nothing says where to draw", hint="write `nnctl show --images SPEC OUT.png`")
            )
        path, rows = _draw(spec, overrides, files[0])
        if json:
            print_json({"path": path, "samples": rows})
        else:
            out().print(f"drew {rows} samples to {path}")
        return
    loaded = load(spec, options.checked_overrides(arguments))
    if json:
        print_json({"spec": as_dict(loaded)})
    else:
        out().print(to_yaml(loaded).rstrip("\n"))


def _draw(spec: str, overrides: list[str], target: str) -> tuple[str, int]:
    """Draw the sheet of a spec's samples; return the file's path and how many samples there are."""
    from pathlib import Path

    from nnctl.errors import Problem, SpecError, UsageError
    from nnctl.graph.build import build_file

    path = Path(target)
    if path.suffix.lower() != ".png":
        raise UsageError(Problem("usage", f"{target} is not the name of a PNG file", hint="end it with .png"))
    if path.exists():
        raise UsageError(Problem("exists", f"{target} is there already", hint="give another name, or remove it"))
    graph = build_file(spec, overrides)
    if graph.spec.data is None:
        raise SpecError(Problem("missing", "the spec has no `data` to draw", graph.spec.document.position, "data"))

    from nnctl.data.load import load
    from nnctl.data.sheet import ROWS, draw_sheet

    splits = load(graph.spec.data, graph.spec.seed, splits=("train",))
    try:
        dataset = graph.spec.data.dataset
        draw_sheet(splits, f"{graph.spec.name}: {dataset.kind}", dataset.white).save(path, "PNG")
    except OSError as error:
        raise UsageError(Problem("write", f"cannot write {target}: {error.strerror or error}")) from None
    return str(path), min(ROWS, len(splits.train))
