"""Specs written in tests, and what reading them comes to."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import dedent, indent

import pytest

from nnctl.errors import Problem, SpecError
from nnctl.graph.build import Graph, build_text


def spec(layers: str, *, input: str = "[3, 8, 8]", model: str = "", rest: str = "") -> str:
    """Return a spec around a list of layers; `model` and `rest` are further lines of `model` and of the top."""
    parts = ["name: test\n", "model:\n", f"  input: {input}\n"]
    parts += [indent(dedent(model).strip("\n") + "\n", "  ")] if model else []
    parts += ["  layers:\n", indent(dedent(layers).strip("\n") + "\n", "    ")]
    return "".join(parts) + dedent(rest).lstrip("\n")


def graph(layers: str, overrides: Sequence[str] = (), **parts: str) -> Graph:
    """Return the graph of a spec made of a list of layers."""
    return build_text(spec(layers, **parts), overrides)


def paths(built: Graph) -> list[str]:
    return [leaf.path for leaf in built.leaves]


def outputs(built: Graph) -> list[tuple[int, ...]]:
    """Return the shape behind every layer."""
    return [leaf.output.shape.dims for leaf in built.leaves]


def problems_of(text: str, overrides: Sequence[str] = ()) -> tuple[Problem, ...]:
    """Return what is wrong with a spec."""
    with pytest.raises(SpecError) as caught:
        build_text(text, overrides)
    return caught.value.problems


def problem_of(text: str, overrides: Sequence[str] = ()) -> Problem:
    """Return the only thing that is wrong with a spec."""
    found = problems_of(text, overrides)
    assert len(found) == 1, str(SpecError(found))
    return found[0]
