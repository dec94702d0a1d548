"""Lint: what compiles and trains, and is probably a mistake all the same. Each rule has a code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from nnctl.document.suggest import did_you_mean
from nnctl.errors import Problem
from nnctl.graph.checks import position_of
from nnctl.graph.lint_layers import OF_LAYERS
from nnctl.graph.lint_recipe import OF_RECIPE
from nnctl.spec.sections import Spec

if TYPE_CHECKING:
    from nnctl.graph.build import Graph

Rule: TypeAlias = "Callable[[Graph], Iterator[Problem]]"

CODES = (
    "softmax-before-loss",
    "bias-before-norm",
    "linear-after-linear",
    "squashing-in-depth",
    "dropout-before-norm",
    "tiny-image",
    "dropped-output",
    "rbm-range",
    "input",
    "outputs",
    "classes",
    "no-parameters",
    "no-samples",
    "long-schedule",
    "tiny-batches",
    "large-batch",
    "accumulate",
    "nothing-to-compare",
    "full-batch",
    "noisy-objective",
    "unused-param",
)
"""Every code that a warning can have: what `lint.allow` may name."""


def unknown_codes(spec: Spec) -> Iterator[Problem]:
    """Yield a problem for each entry of `lint.allow` that silences nothing."""
    for index, code in enumerate(spec.lint.allow):
        if code not in CODES:
            position = position_of(spec, "lint", "allow", index)
            hint = did_you_mean(code, CODES, "codes")
            yield Problem("unknown-code", f"there is no warning `{code}`", position, "lint.allow", hint=hint)


def lint(graph: Graph, used_params: set[str]) -> list[Problem]:
    """Return the warnings that the spec does not silence by `lint.allow`."""
    found = [problem for rule in RULES for problem in rule(graph)]
    found += _unused_params(graph, used_params)
    return _gathered(problem for problem in found if problem.code not in graph.spec.lint.allow)


def _gathered(warnings: Iterable[Problem]) -> list[Problem]:
    """Return one warning for each entry: in a block or a repeat the same entry is met as many layers."""
    alike: dict[object, list[Problem]] = {}
    for warning in warnings:
        entry = (warning.code, warning.position) if warning.position.line is not None else None
        first = alike[entry][0] if entry in alike else None
        alone = entry is None or (first is not None and first.where == warning.where)  # of one layer, but another one
        alike.setdefault(object() if alone else entry, []).append(warning)
    return [
        replace(first, details=(*first.details, f"and {len(more)} more like it")) if more else first
        for first, *more in alike.values()
    ]


def _refusals(graph: Graph) -> Iterator[Problem]:
    """What keeps the spec from being trained is a warning to all who do not train it."""
    yield from graph.refusals


def _unused_params(graph: Graph, used: set[str]) -> Iterator[Problem]:
    params = graph.spec.model.params
    for name, entry in (params.entries if params else {}).items():
        if name not in used:
            message = f"the parameter `{name}` is used nowhere"
            yield Problem(
                "unused-param", message, entry.key, f"model.params.{name}", hint=f"write `${name}`, or remove it"
            )


RULES: tuple[Rule, ...] = (*OF_LAYERS, _refusals, *OF_RECIPE)
