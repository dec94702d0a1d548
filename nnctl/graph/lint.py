"""Lint: what compiles and trains, and is probably a mistake all the same. Each rule has a code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

from nnctl.document.suggest import did_you_mean
from nnctl.errors import Problem
from nnctl.graph.bagging import COMPARING
from nnctl.graph.checks import position_of, subset_size
from nnctl.graph.nodes import Chain, Leaf, Residual, Step, inner_chains
from nnctl.graph.solvers import mini_batches_under_line_search, noise_under_line_search
from nnctl.kinds.datasets.base import count_of
from nnctl.kinds.layers.base import Activation
from nnctl.spec.sections import Spec

if TYPE_CHECKING:
    from nnctl.graph.build import Graph

Rule: TypeAlias = "Callable[[Graph], Iterator[Problem]]"

DEEP = 5
"""Hidden layers from which on a squashing activation costs the gradient most of its size: sigmoid's derivative is
at most 1/4, so five of them leave less than a thousandth."""
FEW = 8
"""Samples in a batch below which batch statistics are mostly noise."""
REARRANGING = ("flatten", "reshape", "identity", "dropout")
SQUASHING = ("sigmoid", "tanh")

CODES = (
    "softmax-before-loss",
    "bias-before-norm",
    "linear-after-linear",
    "squashing-in-depth",
    "dropout-before-norm",
    "tiny-image",
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


def _runs(chain: Chain) -> Iterator[list[Leaf]]:
    """Yield the layers that follow one another: those of one list, blocks and repeats entered; a residual, a join or
    a head ends a run and has runs of its own."""
    run: list[Leaf] = []
    for step in _in_line(chain):
        if isinstance(step, Leaf):
            run.append(step)
        else:
            yield run
            run = []
            for inner in inner_chains(step):
                yield from _runs(inner)
    yield run


def _pairs(chain: Chain) -> Iterator[tuple[Leaf, Leaf]]:
    for run in _runs(chain):
        yield from pairwise(run)


def _in_line(chain: Chain) -> Iterator[Step]:
    for step in chain.steps:
        if isinstance(step, Chain):
            yield from _in_line(step)
        else:
            yield step


def _last(chain: Chain) -> Leaf | None:
    steps = list(_in_line(chain))
    return steps[-1] if steps and isinstance(steps[-1], Leaf) else None


def _softmax_before_cross_entropy(graph: Graph) -> Iterator[Problem]:
    train = graph.spec.train
    for loss in train.loss if train else ():
        chain = graph.network if loss.at in (None, "output") else None
        if loss.at in graph.heads:
            chain = graph.heads[loss.at].chain
        last = _last(chain) if chain else None
        if loss.expects == "logits" and last and last.layer.kind in ("softmax", "log_softmax", "sigmoid"):
            message = f"`{last.layer.kind}` before `{loss.kind}`, which applies it itself"
            yield _warn("softmax-before-loss", message, last, f"remove the `{last.layer.kind}`: the loss takes logits")


def _bias_before_batch_norm(graph: Graph) -> Iterator[Problem]:
    for first, second in _pairs(graph.network):
        if second.layer.is_batch_norm and getattr(first.layer, "bias", False) is True:
            message = f"the bias of `{first.layer.kind}` has no effect: the batch norm behind it subtracts the mean"
            yield _warn("bias-before-norm", message, first, "write `bias: false`")


def _linear_after_linear(graph: Graph) -> Iterator[Problem]:
    for run in _runs(graph.network):
        weights: Leaf | None = None
        for leaf in run:
            if leaf.layer.kind in ("linear", "conv"):
                if weights is not None and leaf.layer.kind == "linear":
                    message = (
                        f"nothing but linear maps between `{weights.path}` and `{leaf.path}`: together they are one"
                    )
                    yield _warn("linear-after-linear", message, leaf, "put an activation between them")
                weights = leaf
            elif leaf.layer.kind not in REARRANGING:
                weights = None


def _squashing_in_depth(graph: Graph) -> Iterator[Problem]:
    hidden = [leaf for leaf in graph.leaves if isinstance(leaf.layer, Activation) and leaf.layer.kind in SQUASHING]
    last = _last(graph.network)
    hidden = [leaf for leaf in hidden if leaf is not last and ".gate." not in f".{leaf.path}"]
    if len(hidden) < DEEP or any(leaf.layer.is_batch_norm for leaf in graph.leaves):
        return
    if any(isinstance(step, Residual) and step.shortcut is not None for step in _all_steps(graph.network)):
        return
    kinds = [leaf for leaf in hidden if leaf.layer.kind == "sigmoid"] or hidden
    first = kinds[0]
    largest = "1/4" if first.layer.kind == "sigmoid" else "1, and less wherever it saturates"
    message = f"`{first.layer.kind}` in {len(kinds)} hidden layers: gradients shrink with depth"
    hint = f"its derivative is at most {largest}; use relu, batch_norm or residual"
    yield _warn("squashing-in-depth", message, first, hint)


def _all_steps(chain: Chain) -> Iterator[Step]:
    for step in chain.steps:
        yield step
        for inner in inner_chains(step):
            yield from _all_steps(inner)


def _dropout_before_batch_norm(graph: Graph) -> Iterator[Problem]:
    for run in _runs(graph.network):
        dropout: Leaf | None = None
        for leaf in run:
            if leaf.layer.kind in ("dropout", "spatial_dropout"):
                dropout = leaf
            elif leaf.layer.is_batch_norm and dropout is not None:
                message = f"`{dropout.path}` before `{leaf.path}`: the norm learns the variance with units dropped"
                hint = "put the dropout behind the last batch norm (Li et al., 2019)"
                yield _warn("dropout-before-norm", message, dropout, hint)
                dropout = None


def _small_too_early(graph: Graph) -> Iterator[Problem]:
    for leaf in graph.leaves:
        shape, layer = leaf.input.shape, leaf.layer
        if layer.kind == "conv" and shape.space and set(shape.space) == {1} and max(layer.window(shape).extent) > 1:
            message = (
                f"the image is down to {shape} before `{leaf.path}`: all of its kernel but the centre sees padding"
            )
            yield _warn("tiny-image", message, leaf, "use fewer pools or strides before it, or `kernel: 1`")
            return


def _standardised_into_binary(graph: Graph) -> Iterator[Problem]:
    data = graph.spec.data
    if data is None or not data.dataset.standardised:
        return
    for leaf in graph.leaves:
        if leaf.layer.kind == "rbm" and getattr(leaf.layer, "visible", None) == "binary":
            message = "binary visible units stand for numbers from 0 to 1; the data's are standardised"
            yield _warn("rbm-range", message, leaf, "write `visible: gaussian`, or put a `sigmoid` before it")
        if leaf.layer.kind not in REARRANGING:
            return


def _refusals(graph: Graph) -> Iterator[Problem]:
    """What keeps the spec from being trained is a warning to all who do not train it."""
    yield from graph.refusals


def _spare_outputs(graph: Graph) -> Iterator[Problem]:
    facts, last, shape = graph.facts, _last(graph.network), graph.output.shape
    if facts is None or facts.classes is None or last is None or graph.task != "classification" or len(shape.dims) != 1:
        return
    if last.layer.kind == "linear" and shape.features > max(facts.classes, 1) and facts.classes > 1:
        message = f"the last layer has {shape.features} outputs, the data has {facts.classes} classes"
        yield _warn("classes", message, last, "write `linear: $classes`")


def _long_schedule(graph: Graph) -> Iterator[Problem]:
    train = graph.spec.train
    if train is None or train.schedule is None:
        return
    last = train.schedule.longest_epoch()
    if last is not None and last >= train.epochs:
        message = f"the schedule changes the rate at epoch {last}, training ends after {train.epochs}"
        position = position_of(graph.spec, "train", "schedule")
        hint = "shorten the schedule, or train longer"
        yield Problem("long-schedule", message, position, "train.schedule", hint=hint)


def _tiny_batches(graph: Graph) -> Iterator[Problem]:
    train = graph.spec.train
    if train is None or train.batch_size == "all" or not graph.has_batch_norm:
        return
    size = train.batch_size // train.accumulate
    if size < FEW:
        what = f"batches of {size}" if train.accumulate == 1 else f"parts of {size} (batch_size / accumulate)"
        message = f"{what} with batch norm: its statistics are mostly noise"
        position = position_of(graph.spec, "train", "batch_size" if train.accumulate == 1 else "accumulate")
        yield Problem("tiny-batches", message, position, "train", hint=f"use {FEW} samples or more, or another norm")


def _large_batches(graph: Graph) -> Iterator[Problem]:
    train, data, facts = graph.spec.train, graph.spec.data, graph.facts
    if train is None or data is None or facts is None or facts.train is None or train.batch_size == "all":
        return
    samples = subset_size(data, facts.train)
    samples -= count_of(data.validation, samples)
    if 0 < samples < train.batch_size:
        message = f"`batch_size` is {train.batch_size}, there are about {samples} training samples: one step an epoch"
        position = position_of(graph.spec, "train", "batch_size")
        yield Problem(
            "large-batch", message, position, "train.batch_size", hint="write `batch_size: all` if it is meant"
        )


def _parts_of_batches(graph: Graph) -> Iterator[Problem]:
    """What a batch is cut into: parts of a sample at least, in which losses that compare samples find others."""
    train = graph.spec.train
    if train is None:
        return
    parts, whole = train.accumulate, train.batch_size
    place = position_of(graph.spec, "train", "accumulate" if parts > 1 else "batch_size")
    if whole != "all" and parts > whole:
        message = f"`accumulate` is {parts}: a batch of {whole} can be computed in {whole} parts at most"
        yield Problem("accumulate", message, place, "train.accumulate", hint=f"write {whole} or less")
    for loss in train.loss:
        if loss.kind not in COMPARING:
            continue
        if whole != "all" and whole // parts < 2:
            message = f"`{loss.kind}` compares samples of a batch, which has one" + (" in each part" * (parts > 1))
            yield Problem("nothing-to-compare", message, place, "train", hint="take larger batches")
        elif parts > 1:
            message = f"`{loss.kind}` compares samples within each of the {parts} parts of a batch alone"
            hint = "remove `accumulate`, or take it for batches of batch_size / accumulate samples"
            yield Problem("accumulate", message, place, "train.accumulate", hint=hint)


def _unused_params(graph: Graph, used: set[str]) -> Iterator[Problem]:
    params = graph.spec.model.params
    for name, entry in (params.entries if params else {}).items():
        if name not in used:
            message = f"the parameter `{name}` is used nowhere"
            yield Problem(
                "unused-param", message, entry.key, f"model.params.{name}", hint=f"write `${name}`, or remove it"
            )


def _warn(code: str, message: str, leaf: Leaf, hint: str) -> Problem:
    return Problem(code, message, leaf.position, leaf.path, hint=hint)


RULES: tuple[Rule, ...] = (
    _softmax_before_cross_entropy,
    _bias_before_batch_norm,
    _linear_after_linear,
    _squashing_in_depth,
    _dropout_before_batch_norm,
    _small_too_early,
    _standardised_into_binary,
    _refusals,
    _spare_outputs,
    _long_schedule,
    _tiny_batches,
    _large_batches,
    _parts_of_batches,
    mini_batches_under_line_search,
    noise_under_line_search,
)
