"""`nnctl show`: the spec that a file and its overrides come to."""

from __future__ import annotations

from nnctl.cli import options


def run(spec: options.Spec, overrides: options.Overrides = None, json: options.Json = False) -> None:
    """Show the resolved spec as YAML.

    What it extends is merged, overrides and defaults are filled in; the YAML is itself a spec that does the same.

    \b
    nnctl show specs/vgg11.yaml
    nnctl show specs/vgg11.yaml train.epochs=1 > mine.yaml
    """
    from nnctl.cli.output import print_json
    from nnctl.cli.terminal import out
    from nnctl.spec.load import load
    from nnctl.spec.resolved import as_dict, to_yaml

    loaded = load(spec, options.checked_overrides(overrides))
    if json:
        print_json({"spec": as_dict(loaded)})
    else:
        out().print(to_yaml(loaded).rstrip("\n"))
