"""From a spec to its graph: everything that can be known without data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from nnctl.document.node import UNKNOWN, Scalar, locate
from nnctl.errors import NOWHERE, Position, Problem, SpecError
from nnctl.graph.bagging import check_bagging
from nnctl.graph.checks import check_monitors, check_recipe, task_of
from nnctl.graph.costs import Memory, Row, memory_of, rows_of
from nnctl.graph.expand import Expander
from nnctl.graph.gains import next_activations
from nnctl.graph.inputs import declared_inputs, entering, facts_of
from nnctl.graph.lint import lint, unknown_codes
from nnctl.graph.nodes import NOTHING, Chain, Head, Leaf, SetTag, Signal, heads, leaves, walk
from nnctl.graph.paths import inside, unknown_paths
from nnctl.graph.penalties import check_penalties
from nnctl.graph.place import Context, arriving
from nnctl.graph.pretrained import check_pretrained
from nnctl.graph.pretraining import check_pretrain
from nnctl.graph.samples import check_samples
from nnctl.graph.scope import Bound, Resolver, Scope
from nnctl.graph.solvers import check_optimizer
from nnctl.graph.starts import check_starts
from nnctl.kinds.datasets.base import Facts
from nnctl.kinds.layers.base import Activation
from nnctl.kinds.layers.shape import Shape
from nnctl.kinds.losses.base import Task
from nnctl.spec.load import Reading, read, read_string
from nnctl.spec.sections import Spec


@dataclass(frozen=True)
class Graph:
    """A spec's network with its blocks expanded and its shapes known."""

    spec: Spec
    network: Chain
    inputs: dict[str, Shape]
    output: Signal
    facts: Facts | None
    """What the data set says of itself; None without one."""
    task: Task | None
    """What the output answers: classification or regression; None where no loss compares it with the target."""
    warnings: tuple[Problem, ...]
    refusals: tuple[Problem, ...]
    """What keeps the spec from being trained, though it compiles."""

    @cached_property
    def leaves(self) -> tuple[Leaf, ...]:
        """Every layer, in the order of writing."""
        return tuple(leaves(self.network))

    @cached_property
    def heads(self) -> dict[str, Head]:
        """The side outputs by name."""
        return {head.name: head for head in heads(self.network)}

    @cached_property
    def tag_signals(self) -> dict[str, Signal]:
        """What stands at each tag, by the tag's unique name."""
        return dict(_tag_signals(self.network))

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """One row for each layer, as `check` shows them."""
        return rows_of(self.network, self.spec.file)

    @property
    def parameters(self) -> int:
        """Learned numbers."""
        return sum(row.params for row in self.rows)

    @cached_property
    def frozen(self) -> frozenset[str]:
        """Paths of the layers that do not learn."""
        return frozenset(leaf.path for leaf in self.leaves if inside(leaf.path, self.spec.model.freeze))

    @property
    def trainable(self) -> int:
        """Learned numbers outside frozen layers."""
        return sum(row.params for row in self.rows if row.path not in self.frozen)

    @property
    def macs(self) -> int:
        """Multiply-adds of convolutions and matrix products for one sample."""
        return sum(row.macs for row in self.rows)

    @cached_property
    def memory(self) -> Memory:
        """Bytes that training takes."""
        return memory_of(self.rows, self.trainable, self.spec, self.facts.train if self.facts else None)

    @cached_property
    def positions(self) -> dict[str, Position]:
        """Where each layer stands in the spec, by path."""
        return {leaf.path: leaf.position for leaf in self.leaves}

    @cached_property
    def activations(self) -> dict[str, Activation]:
        """The activation whose gain each layer's initialiser may use, by the layer's path."""
        return next_activations(self.network)

    @property
    def has_batch_norm(self) -> bool:
        """Whether a batch of one sample cannot be trained on."""
        return any(leaf.layer.is_batch_norm and leaf.path not in self.frozen for leaf in self.leaves)


def _tag_signals(chain: Chain) -> Iterator[tuple[str, Signal]]:
    return ((step.name, step.signal) for step in walk(chain) if isinstance(step, SetTag))


def build_file(path: str | Path, overrides: Sequence[str] = (), fresh: bool = True) -> Graph:
    """Return the graph of the spec in a file. Raises SpecError with all that is wrong in it.

    Where the network does not start afresh, but has weights from a checkpoint, pretrained ones are not looked at.
    """
    return _build(read(path, overrides), fresh)


def load_spec(path: str | Path, overrides: Sequence[str] = ()) -> Spec:
    """Return the spec in a file, checked as `nnctl check` does, its network included. Does not import torch.

    Raises SpecError, whose `problems` hold all that is wrong in it with file, line and column.
    """
    return build_file(path, overrides).spec


def build_text(text: str, overrides: Sequence[str] = (), name: str = "spec.yaml", fresh: bool = True) -> Graph:
    """Return the graph of the spec in a text, as `build_file` does."""
    return _build(read_string(text, overrides, name), fresh)


def build(spec: Spec, look: bool = True) -> Graph:
    """Return the graph of a spec that was read. Raises SpecError with all that is wrong in its network.

    Without `look` the data's files are not looked at: a run's own spec says all that its network needs.
    """
    return _build(Reading(spec, []), fresh=False, look=look)


def _build(reading: Reading, fresh: bool, look: bool = True) -> Graph:
    problems = list(reading.problems)
    spec = reading.spec
    if spec is None:
        raise SpecError(_unique(problems))
    data_entry = spec.document.entries.get("data")
    position = data_entry.key if data_entry else NOWHERE
    facts = facts_of(spec, problems, look) if spec.data else None
    inputs = declared_inputs(spec.model, problems)
    if inputs is None and facts is not None and facts.inputs:
        inputs = facts.inputs
    signal = entering(inputs) if inputs else None
    if signal is None and not problems:
        problems.append(_no_input(spec, facts, position))

    scope = _model_scope(spec, facts, signal, reading.data_failed, _hints(facts, inputs), problems)
    expander = Expander(spec.model.blocks, scope, problems)
    tags = {f"data.{name}": (f"data.{name}", _field(inputs, name)) for name in inputs or {}}
    if facts is not None and facts.single is not None and "data.input" in tags:
        tags[f"data.{facts.single}"] = tags["data.input"]
    chain, output = expander.chain(spec.model.layers, signal, "", Context(scope, tags))
    problems += unknown_codes(spec)
    warnings: list[Problem] = []
    refusals: list[Problem] = []
    task = task_of(spec, facts)
    if output is not None and not problems:
        graph = Graph(spec, chain, inputs or {}, output, facts, task, (), ())
        check_samples(graph, problems, refusals, look)
        check_recipe(graph, problems, refusals)
        problems += check_bagging(graph)
        problems += check_pretrain(graph)
        problems += check_optimizer(graph)
        problems += check_starts(graph)
        problems += check_penalties(graph)
        problems += unknown_paths(graph, spec.model.freeze, "model", "freeze")
        if fresh:
            problems += check_pretrained(graph)
        warnings = lint(replace(graph, refusals=tuple(refusals)), scope.used)
    else:
        check_monitors(spec, facts, task, [], problems)
    if problems:
        raise SpecError(_unique(problems))
    assert output is not None
    return Graph(spec, chain, inputs or {}, output, facts, task, tuple(warnings), tuple(refusals))


def _field(inputs: dict[str, Shape] | None, name: str) -> Signal | None:
    return entering({"input": inputs[name]}) if inputs else None


def _no_input(spec: Spec, facts: Facts | None, position: Position) -> Problem:
    if spec.data is None:
        message = "nothing says what enters the network"
        hint = "write `data: {dataset: …}`, or `model: {input: [3, 32, 32]}`"
        entry = spec.document.entries["model"]
        return Problem("missing", message, entry.key, "model", hint=hint)
    unknown = "the shape of the data is not known before it is read"
    otherwise = "say what a sample is: `model: {input: [3, 32, 32]}`"
    if facts and facts.absent:
        place = locate(spec.document, ("data", "dataset", spec.data.dataset.kind, "path"))
        hint = f"correct the `path`, or {otherwise}"
        return Problem("missing", facts.absent, place, "data.dataset", (unknown,), hint)
    return Problem("missing", unknown, position, "data.dataset", hint=f"give the data set's `size`, or {otherwise}")


def _hints(facts: Facts | None, inputs: dict[str, Shape] | None) -> dict[str, str]:
    """Return what to do about built-in names that have no value with this data."""
    hints = {}
    if facts is not None and facts.task == "regression":
        what = "the target is a number" if facts.targets == 1 else f"the target is {facts.targets} numbers"
        hints["classes"] = f"{what} and has no classes: write `linear: {facts.targets}`"
    if inputs and "input" not in inputs:
        fields = [f"`from: data.{name}`" for name in inputs]
        begin = f"the data's fields are chosen by name: begin with {' or '.join(fields)}"
        begin += ", or with `branches` of them" if len(fields) > 1 else ""
        hints["in"] = f"{begin}; or {facts.joined}" if facts and facts.joined and inputs == facts.inputs else begin
    return hints


def _model_scope(
    spec: Spec,
    facts: Facts | None,
    signal: Signal | None,
    data_failed: bool,
    hints: dict[str, str],
    problems: list[Problem],
) -> Scope:
    """Return the names that the whole model knows: the data's, then `model.params`, which may shadow them."""
    built_in = Scope(hints=hints)
    unseen = signal is None and facts is not None and facts.absent is not None
    unknown = data_failed or unseen or (spec.data is not None and facts is None)
    classes = UNKNOWN if unknown else facts.classes if facts else None
    if classes is not None:
        built_in.values["classes"] = Bound(Scalar(classes, NOWHERE))
    if unknown or (signal is not None and signal is not NOTHING):
        value = UNKNOWN if signal is None or signal is NOTHING else signal.shape.features
        built_in.values["features"] = Bound(Scalar(value, NOWHERE))
    scope = Scope(parent=built_in)
    for name, entry in (spec.model.params.entries if spec.model.params else {}).items():
        resolver = Resolver(scope, arriving(signal), problems, f"model.params.{name}")
        scope.values[name] = resolver.value(entry.node)
    return scope


def _unique(problems: list[Problem]) -> list[Problem]:
    """Return the problems without repetition, in the order of the file: a block's body is checked at each use."""
    seen: set[tuple[str, str, Position]] = set()
    kept = []
    for problem in problems:
        key = (problem.code, problem.message, problem.position)
        if key not in seen:
            seen.add(key)
            kept.append(problem)
    return sorted(kept, key=lambda p: (p.position.file or "", p.position.line or 0, p.position.column or 0))
