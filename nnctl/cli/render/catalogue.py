"""What `list` and `explain` print."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING

from nnctl.cli.render.columns import aligned

if TYPE_CHECKING:
    from nnctl.cli.terminal import Terminal
    from nnctl.reference.catalogue import Explanation, FieldHelp

_WIDEST = 120


def print_families(families: dict[str, dict[str, str]], to: Terminal) -> None:
    """Print each family's kinds with their summaries."""
    for number, (family, kinds) in enumerate(families.items()):
        if number:
            to.print()
        to.print(to.paint(family, "bold"))
        for line in aligned(list(kinds.items())):
            to.print(textwrap.shorten("  " + line, _width(to), placeholder=" …") if to.interactive else "  " + line)


def print_sections(sections: Iterable[str], to: Terminal) -> None:
    """Print which sections of a spec can be explained besides."""
    to.print(
        f"\n{to.paint('sections', 'bold')}  {', '.join(sections)}: `nnctl explain train`, `nnctl explain train.ema`"
    )


def print_explanation(explanation: Explanation, to: Terminal) -> None:
    """Print one kind: what it does, shapes, fields, properties, examples, paper."""
    title = f"{explanation.family}.{explanation.kind}" if explanation.family else explanation.kind
    to.print(to.paint(title, "bold"))
    to.print(explanation.summary)
    default = f"default {explanation.default}" if explanation.default is not None else ""
    if facts := ", ".join(filter(None, (explanation.expected, default))):
        to.print(f"\n{to.paint('value', 'bold')}  {facts}")
    for paragraph in filter(None, explanation.description.split("\n\n")):
        to.print()
        to.print(textwrap.fill(paragraph, _width(to)))
    if explanation.shape:
        to.print(f"\n{to.paint('shape', 'bold')}  {explanation.shape}")
    if explanation.fields:
        _heading("fields", to)
        for field in explanation.fields:
            _print_field(field, to)
    if explanation.properties:
        _heading("properties", to)
        rows = [(key.replace("_", " "), value) for key, value in explanation.properties.items()]
        _lines(aligned(rows), to)
    if explanation.examples:
        _heading("examples", to)
        _lines([f"- {example}" for example in explanation.examples], to)
    if explanation.source:
        _heading("written in YAML as", to)
        _lines(explanation.source.splitlines(), to)
    if explanation.paper:
        to.print(f"\n{to.paint('paper', 'bold')}  {explanation.paper}")


def _print_field(field: FieldHelp, to: Terminal) -> None:
    status = "required" if field.required else "optional" if field.default is None else f"default {field.default}"
    facts = ", ".join(
        part for part in (field.expected, status, "filled by the short form" if field.main else "") if part
    )
    to.print(f"  {to.paint(field.name, 'cyan')}: {facts}")
    if field.doc:
        to.print(textwrap.indent(textwrap.fill(field.doc, _width(to) - 6), "      "))


def _heading(text: str, to: Terminal) -> None:
    to.print(f"\n{to.paint(text, 'bold')}")


def _lines(lines: list[str], to: Terminal) -> None:
    for line in lines:
        to.print("  " + line)


def _width(to: Terminal) -> int:
    return min(to.width, _WIDEST)
