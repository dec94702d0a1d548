"""`nnctl check`: all that can be known of a spec without its data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nnctl.cli import options

if TYPE_CHECKING:
    from nnctl.errors import NnctlError
    from nnctl.graph.build import Graph


def run(
    arguments: Annotated[
        list[str],
        typer.Argument(metavar="SPEC|PATH=VALUE", help="Specs to check, and fields to change in all of them."),
    ],
    every_row: Annotated[bool, typer.Option("--all", help="Show every layer of a long network.")] = False,
    json: options.Json = False,
) -> None:
    """Check specs: mistakes, shapes, costs.

    Shows every layer with its shapes, parameters and multiply-adds, and the memory that training takes. Needs
    neither data nor torch, and answers at once.

    \b
    nnctl check specs/lenet.yaml
    nnctl check specs/*.yaml
    nnctl check specs/vgg11.yaml model.input=[3,224,224] --json
    """
    from nnctl.cli.output import print_json
    from nnctl.errors import Problem, UsageError

    files, overrides = options.files_and_overrides(arguments)
    if not files:
        raise UsageError(Problem("usage", "no spec is given", hint="write `nnctl check SPEC`, a YAML file"))
    findings = [_check(file, overrides) for file in files]
    if json:
        objects = [finding.as_json() for finding in findings]
        several = {"ok": all(one["ok"] for one in objects), "specs": objects}
        print_json(several if len(objects) > 1 else objects[0])
    else:
        for number, finding in enumerate(findings):
            finding.print(first=number == 0, every_row=every_row)
    raise typer.Exit(max(finding.exit_code for finding in findings))


@dataclass(frozen=True)
class Finding:
    """What came of checking one spec: its graph, or what is wrong with it."""

    file: str
    graph: Graph | None
    error: NnctlError | None

    @property
    def exit_code(self) -> int:
        """0 where the spec can be built, warnings or not."""
        return self.error.exit_code if self.error else 0

    def as_json(self) -> dict[str, Any]:
        """Return the object that `--json` prints for this spec."""
        if self.error is not None or self.graph is None:
            problems = self.error.problems if self.error else ()
            return {"ok": False, "file": self.file, "errors": [p.as_json() for p in problems], "warnings": []}
        graph = self.graph
        return {
            "ok": True,
            "file": self.file,
            "name": graph.spec.name,
            "layers": [row.as_json() for row in graph.rows],
            "params": graph.parameters,
            "trainable": graph.trainable,
            "macs": graph.macs,
            "flops": 2 * graph.macs,
            "memory": graph.memory.as_json(),
            "data": list(graph.facts.notes) if graph.facts else [],
            "errors": [],
            "warnings": [warning.as_json() for warning in graph.warnings],
        }

    def print(self, first: bool, every_row: bool) -> None:
        """Print the report on stdout and errors on stderr."""
        from nnctl.cli.output import print_problems
        from nnctl.cli.render.report import print_report
        from nnctl.cli.terminal import err, out

        if self.error is not None:
            if not first:
                err().print()
            print_problems(self.error.problems)
            if len(self.error.problems) > 1:
                err().print(f"\n{self.file}: {len(self.error.problems)} errors")
        elif self.graph is not None:
            to = out()
            if not first:
                to.print()
            print_report(self.graph, to, f"{self.graph.spec.name} ({self.file})", every_row)
            if self.graph.warnings:
                to.print()
                print_problems(self.graph.warnings, "warning", to)


def _check(file: str, overrides: list[str]) -> Finding:
    from nnctl.errors import NnctlError
    from nnctl.graph.build import build_file

    try:
        return Finding(file, build_file(file, overrides), None)
    except NnctlError as error:
        return Finding(file, None, error)
