"""What `check` says of a spec that is right: a table of its layers, and what the whole costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.cli.render.columns import aligned
from nnctl.cli.render.numbers import thousands

if TYPE_CHECKING:
    from nnctl.cli.terminal import Terminal
    from nnctl.graph.build import Graph
    from nnctl.graph.costs import Row

LONGEST_TABLE = 60
_HEADINGS = ("layer", "kind", "input", "output", "parameters", "multiply-adds")


def print_report(graph: Graph, to: Terminal, title: str, every_row: bool) -> None:
    """Print the layers, the totals and the memory of a network."""
    fold = to.interactive and not every_row and len(graph.rows) > LONGEST_TABLE
    rows = folded(graph.rows) if fold else [_cells(row) for row in graph.rows]
    totals = ("total", "", "", "", thousands(graph.parameters), thousands(graph.macs))
    heading, *lines = aligned([_HEADINGS, *rows, totals], right={4, 5}, gap="   ")
    rule = "─" * max(len(line) for line in (heading, *lines)) if to.unicode else "-" * len(heading)
    to.print(to.paint(title, "bold"))
    to.print()
    to.print(to.paint(heading, "dim"))
    for line in lines[:-1]:
        to.print(line)
    to.print(to.paint(rule, "dim"))
    to.print(to.paint(lines[-1], "bold"))
    to.print()
    for line in _footer(graph):
        to.print(line)


def folded(rows: tuple[Row, ...]) -> list[tuple[str, ...]]:
    """Return the cells of a long table in which all that lies inside one outermost entry is a single row."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.path.partition(".")[0], []).append(row)
    return [_group(name, members) for name, members in groups.items()]


def _cells(row: Row) -> tuple[str, ...]:
    costs = tuple(thousands(cost) if cost else "" for cost in (row.params, row.macs))
    return (row.path, row.kind, str(row.input), str(row.output), *costs)


def _group(name: str, members: list[Row]) -> tuple[str, ...]:
    if len(members) == 1 and members[0].path == name:
        return _cells(members[0])
    costs = (sum(row.params for row in members), sum(row.macs for row in members))
    ends = (str(members[0].input), str(members[-1].output))
    return (name, f"{len(members)} layers", *ends, *(thousands(cost) if cost else "" for cost in costs))


def _footer(graph: Graph) -> list[str]:
    rows = [
        ("multiply-adds", f"{thousands(graph.macs)} a sample ({thousands(2 * graph.macs)} operations)"),
        ("memory", graph.memory.account),
    ]
    spatial = [row for row in graph.rows if row.receptive_field is not None and len(row.output) > 1]
    if spatial:
        rows.append(("receptive field", f"{_extent(spatial[-1])} at {spatial[-1].path}"))
    rows += [("data", note) for note in (graph.facts.notes if graph.facts else ())]
    model = graph.spec.model
    if model.freeze:
        share = f"{thousands(graph.trainable)} of {thousands(graph.parameters)} parameters"
        rows.append(("trainable", f"{share}; frozen: {', '.join(model.freeze)}"))
    if model.pretrained is not None:
        new = f"; new: {', '.join(model.pretrained.new)}" if model.pretrained.new else ""
        rows.append(("pretrained", f"{model.pretrained.file}, by {model.pretrained.match}{new}"))
    return aligned(rows)


def _extent(row: Row) -> str:
    field = row.receptive_field
    extents = field if isinstance(field, tuple) else (field,) * (len(row.output) - 1)
    return "×".join(str(extent) for extent in extents)
