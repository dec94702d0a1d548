"""Mean-field theory on a whole network: signals from the first layer to the last, errors back again.

Where a kind of layer has no rule (pooling, attention, gates), the prediction starts anew from what was measured there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod, sqrt

from torch import nn

from nnctl.diagnosis.theory.prediction import Prediction
from nnctl.diagnosis.theory.rules import Passage, Variance, passage
from nnctl.diagnosis.theory.state import Error, Signal
from nnctl.graph.nodes import Branches, Chain, FromTag, Head, Highway, Leaf, Residual, SetTag, Step


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
        self._tags: dict[str, tuple[Signal | None, int]] = {
            f"data.{name}": (signal, 1) for name, signal in inputs.items()
        }
        self._returned: dict[str, Error] = {}
        first = inputs.get("input", next(iter(inputs.values()), None))
        self._forward(network, first)
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

    def _forward(self, chain: Chain, signal: Signal | None) -> Signal | None:
        for step in chain.steps:
            signal = self._step(step, signal)
        return signal

    def _step(self, step: Step, signal: Signal | None) -> Signal | None:
        match step:
            case Leaf():
                return self._leaf(step, signal)
            case Chain():
                return self._forward(step, signal)
            case Residual(body=body, shortcut=shortcut):
                sent = self._forward(body, signal)
                if shortcut is None:
                    return sent
                other = self._forward(shortcut, signal)
                return None if sent is None or other is None else sent.added(other)
            case Branches(paths=paths, merge=merge):
                return _joined([(self._forward(path, signal), _size(path)) for path in paths], merge)
            case Highway(body=body, gate=gate):
                self._forward(body, signal)
                self._forward(gate, signal)
                return None
            case SetTag(name=name):
                self._tags[name] = signal, step.signal.shape.size
                return signal
            case FromTag(name=name, merge=merge):
                kept, size = self._tags.get(name, (None, 1))
                return kept if merge is None else _joined([(signal, size), (kept, size)], merge)
            case Head(chain=inner, start=start):
                self._forward(inner, signal if start is None else self._tags.get(start, (None, 1))[0])
                return signal

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
            case Branches(paths=paths, merge=merge):
                return self._branches_back(paths, merge, error)
            case Highway(body=body, gate=gate):
                self._backward(body, None)
                self._backward(gate, None)
                return None
            case SetTag(name=name):
                back = self._returned.get(name)
                return error.plus(back) if error is not None and back is not None else None
            case FromTag(merge=None):
                return None
            case FromTag(name=name, merge=merge):
                return self._join_back(name, merge, error)
            case Head(chain=inner):
                self._backward(inner, None)
                return None if any(True for _ in _measured_inside(inner, self._measured)) else error

    def _leaf_back(self, leaf: Leaf, error: Error | None) -> Error | None:
        here, measured = self._here[leaf.path], self._measured.get(leaf.path)
        if error is None and self._variances.get(leaf.path) is not None and measured and measured.error is not None:
            error = Error(measured.error)
        here.error = error
        factor = here.passage.factor
        return None if error is None or factor is None else error.times(factor, here.passage.noise)

    def _branches_back(self, paths: tuple[Chain, ...], merge: str, error: Error | None) -> Error | None:
        sizes = [_size(path) for path in paths]
        total: Error | None = None
        whole = True
        for path, size in zip(paths, sizes, strict=True):
            share = 1.0 if merge == "add" else size / max(sum(sizes), 1)
            sent = self._backward(path, None if error is None or merge == "multiply" else error.times(share))
            whole = whole and sent is not None
            total = sent.plus(total) if sent is not None else total
        return total if whole else None

    def _join_back(self, name: str, merge: str | None, error: Error | None) -> Error | None:
        if error is None or merge != "add":
            return None
        self._returned[name] = error.plus(self._returned.get(name))
        return error


def _cosine(signal: Signal | None) -> float | None:
    return None if signal is None or signal.square <= 0 else signal.shared / signal.square


def _joined(ways: list[tuple[Signal | None, int]], merge: str | None) -> Signal | None:
    """Return several signals joined; sizes weigh them where they are appended."""
    if merge == "multiply" or any(signal is None for signal, _ in ways):
        return None
    total, count = ways[0]
    for signal, size in ways[1:]:
        assert total is not None
        assert signal is not None
        total = total.added(signal) if merge == "add" else total.appended(signal, size / (count + size))
        count += size
    return total


def _size(chain: Chain) -> int:
    """Return how many numbers leave a chain's last layer, 1 where it has none."""
    for step in reversed(chain.steps):
        if isinstance(step, Leaf):
            return prod(step.output.shape.dims)
        if isinstance(step, Chain):
            return _size(step)
        if isinstance(step, Residual):
            return _size(step.body)
    return 1


def _measured_inside(chain: Chain, measured: Mapping[str, Measured]) -> Iterator[str]:
    for step in chain.steps:
        if isinstance(step, Leaf) and step.path in measured and measured[step.path].error is not None:
            yield step.path
        elif isinstance(step, Chain):
            yield from _measured_inside(step, measured)
