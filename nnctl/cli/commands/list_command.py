"""`nnctl list`: everything that has a name in a spec."""

from __future__ import annotations

from dataclasses import asdict
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
    nnctl list datasets     # also which of them are on this computer, where, and how large
    """
    from nnctl.cli.output import print_json
    from nnctl.cli.render.catalogue import print_families, print_sections
    from nnctl.cli.terminal import out
    from nnctl.reference.catalogue import families
    from nnctl.reference.settings import section_names

    listed = families(family)
    if family != "datasets":
        if json:
            print_json({"families": listed})
        else:
            print_families(listed, out())
            if family is None:
                print_sections(section_names(), out())
        return
    from nnctl.cli.render.presence import print_presence
    from nnctl.data.presence import presence
    from nnctl.data.stored import decoded_root
    from nnctl.spec.roots import default_root

    root, cache, found = default_root(), decoded_root(), presence(default_root())
    if json:
        sets = {kind: asdict(one) for kind, one in found.items()}
        print_json({"families": listed, "root": str(root), "cache": str(cache), "datasets": sets})
    else:
        print_families(listed, out())
        print_presence(root, cache, found, out())
