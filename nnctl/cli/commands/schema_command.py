"""`nnctl schema`: JSON Schema of a whole spec, for editors."""

from __future__ import annotations

from nnctl.cli import options


def run(json: options.Json = False) -> None:
    """Print the JSON Schema of specs, for editors.

    For VS Code with the YAML extension, write it beside your specs and name it in their first line:

    \b
    nnctl schema > specs/schema.json
    # yaml-language-server: $schema=schema.json
    """
    from nnctl.cli.output import print_json
    from nnctl.reference.schema import spec_schema

    print_json(spec_schema())  # a schema is JSON with or without --json
