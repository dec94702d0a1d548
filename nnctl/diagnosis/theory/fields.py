"""Mean-field theory on a whole network: signals from the first layer to the last, errors back again.

Where a kind of layer has no rule (pooling, attention, gates), the prediction starts anew from what was measured there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import TypeAlias

from torch import nn

from nnctl.diagnosis.theory.prediction import Prediction
from nnctl.diagnosis.theory.rules import Passage, Variance, passage
from nnctl.diagnosis.theory.state import Error, Signal
from nnctl.graph.nodes import Branches, Chain, FromTag, Head, Highway, Leaf, Residual, SetTag, Step, leaves

Sent: TypeAlias = tuple[Signal | None, int | None]
"""A signal and how many numbers it has; None for what is not known."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured at a layer's output."""

    signal: Signal | None
    error: float | None
    """‖δ‖² of a sample, on average."""


@dataclass(slots=True)
class _Here:
    leaf: Leaf
    passage: Passage
    arriving: Signal | None
    signal: Signal | None
    anchored: bool = False
    """Whether the signal is the measured one."""
    error: Error | None = None


class Fields:
    """Sends a signal through the graph, and the error back."""

    def __init__(
        self,
        net: nn.Module,
        network: Chain,
        variances: Mapping[str, Variance | None],
        measured: Mapping[str, Measured],
        inputs: Mapping[str, Signal | None],
        samples: int,
    ) -> None:
        """Take the network, its weights' variances, what was measured by layer path, and what enters by field."""
        self._net, self._variances, self._measured, self._samples = net, variances, measured, samples
        self._here: dict[str, _Here] = {}
        self._tags: dict[str, Sent] = {f"data.{name}": (signal, None) for name, signal in inputs.items()}
        self._sizes: dict[str, list[int | None]] = {}
        """What leaves the paths of each branching."""
        self._returned: dict[str, Error] = {}
        self._untold: set[str] = set()
        """Tags that part of the error comes back to by ways without a rule."""
        first = inputs.get("input", next(iter(inputs.values()), None))
        start = next((leaf.input.shape.size for leaf in leaves(network)), None)
        self._forward(network, (first, start))
        self._backward(network, None)

    def predictions(self) -> dict[str, Prediction]:
        """Return what is expected at each layer, by path."""
        return {path: self._prediction(here) for path, here in self._here.items()}

    def _prediction(self, here: _Here) -> Prediction:
        units = here.leaf.output.shape.size
        signal = None if here.anchored else here.signal
        return Prediction(
            None if here.arriving is None else sqrt(max(here.arriving.square, 0.0)),
            _cosine(here.arriving),
            None if signal is None else sqrt(max(signal.square, 0.0)),
            None if signal is None else signal.spread,
            _cosine(signal),
            None if here.error is None else sqrt(here.error.square / units),
            None if here.error is None else here.error.spread,
            None if here.passage.factor is None else sqrt(here.passage.factor),
        )

    def _forward(self, chain: Chain, sent: Sent) -> Sent:
        for step in chain.steps:
            sent = self._step(step, sent)
        return sent

    def _step(self, step: Step, sent: Sent) -> Sent:
        match step:
            case Leaf():
                return self._leaf(step, sent[0]), step.output.shape.size
            case Chain():
                return self._forward(step, sent)
            case Residual(body=body, shortcut=shortcut):
                through = self._forward(body, sent)
                return through if shortcut is None else _joined([through, self._forward(shortcut, sent)], "add")
            case Branches(path=path, paths=paths, merge=merge):
                ways = [self._forward(way, sent) for way in paths]
                self._sizes[path] = [size for _, size in ways]
                return _joined(ways, merge)
            case Highway(body=body, gate=gate):
                self._forward(body, sent)
                self._forward(gate, sent)
                return None, sent[1]
            case SetTag(name=name):
                self._tags[name] = sent
                return sent
            case FromTag(name=name, merge=merge):
                kept = self._tags.get(name, (None, None))
                return kept if merge is None else _joined([sent, kept], merge)
            case Head(chain=inner, start=start):
                self._forward(inner, sent if start is None else self._tags.get(start, (None, None)))
                return sent

    def _leaf(self, leaf: Leaf, signal: Signal | None) -> Signal | None:
        module = self._net.get_submodule(leaf.path)
        found = passage(leaf, module, self._variances.get(leaf.path), signal, self._samples)
        sent, anchored = found.signal, False
        if sent is None and leaf.path in self._measured:
            sent, anchored = self._measured[leaf.path].signal, True
        self._here[leaf.path] = _Here(leaf, found, signal, sent, anchored)
        return sent

    def _backward(self, chain: Chain, error: Error | None) -> Error | None:
        for step in reversed(chain.steps):
            error = self._back(step, error)
        return error

    def _back(self, step: Step, error: Error | None) -> Error | None:
        match step:
            case Leaf():
                return self._leaf_back(step, error)
            case Chain():
                return self._backward(step, error)
            case Residual(body=body, shortcut=shortcut):
                sent = self._backward(body, error)
                if shortcut is None:
                    return sent
                other = self._backward(shortcut, error)
                return None if sent is None or other is None else sent.plus(other)
            case Branches():
                return self._branches_back(step, error)
            case Highway(body=body, gate=gate):
                self._backward(body, None)
                self._backward(gate, None)
                return None
            case SetTag(name=name):
                back = None if name in self._untold else self._returned.get(name)
                return error.plus(back) if error is not None and back is not None else None
            case FromTag(name=name, merge=merge):
                return self._join_back(name, merge, error)
            case Head(chain=inner, start=start):
                self._backward(inner, None)
                if not any(self._measures(leaf) for leaf in leaves(inner)):
                    return error
                if start is None:
                    return None
                self._untold.add(start)
                return error

    def _measures(self, leaf: Leaf) -> bool:
        """Return whether the loss reaches a layer."""
        measured = self._measured.get(leaf.path)
        return measured is not None and measured.error is not None

    def _leaf_back(self, leaf: Leaf, error: Error | None) -> Error | None:
        here, measured = self._here[leaf.path], self._measured.get(leaf.path)
        if error is None and self._variances.get(leaf.path) is not None and measured and measured.error is not None:
            error = Error(measured.error)
        here.error = error
        factor = here.passage.factor
        return None if error is None or factor is None else error.times(factor, here.passage.noise)

    def _branches_back(self, branches: Branches, error: Error | None) -> Error | None:
        shares = _shares(self._sizes[branches.path], branches.merge)
        total: Error | None = None
        whole = True
        for path, share in zip(branches.paths, shares, strict=True):
            sent = self._backward(path, None if error is None or share is None else error.times(share))
            whole = whole and sent is not None
            total = sent.plus(total) if sent is not None else total
        return total if whole else None

    def _join_back(self, name: str, merge: str | None, error: Error | None) -> Error | None:
        if error is None or merge != "add":
            self._untold.add(name)
            return None
        self._returned[name] = error.plus(self._returned.get(name))
        return error


def _cosine(signal: Signal | None) -> float | None:
    return None if signal is None or signal.square <= 0 else signal.shared / signal.square


def _joined(ways: list[Sent], merge: str) -> Sent:
    """Return several signals joined; sizes weigh them where they are appended."""
    total, count = ways[0]
    for signal, size in ways[1:]:
        if count is None or size is None:
            whole, share = None, None
        else:
            whole = count + size if merge == "concat" else max(count, size)
            share = size / whole
        if total is None or signal is None or merge == "multiply":
            total = None
        elif merge == "add":
            total = total.added(signal)
        else:
            total = None if share is None else total.appended(signal, share)
        count = whole
    return total, count


def _shares(sizes: list[int | None], merge: str) -> list[float | None]:
    """Return what share of ‖δ‖² goes back along each path."""
    if merge == "add":
        return [1.0] * len(sizes)
    known = [size for size in sizes if size is not None]
    if merge == "multiply" or len(known) < len(sizes):
        return [None] * len(sizes)
    return [size / max(sum(known), 1) for size in known]
