"""Rules of lint about layers: orders of them that undo, repeat or weaken what they do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nnctl.errors import Problem
from nnctl.graph.dropped import dropped
from nnctl.graph.nodes import Leaf, Residual, walk
from nnctl.graph.runs import last_layer, pairs, runs
from nnctl.kinds.layers.base import Activation

if TYPE_CHECKING:
    from nnctl.graph.build import Graph

DEEP = 5
"""Hidden layers from which on a squashing activation costs the gradient most of its size: sigmoid's derivative is
at most 1/4, so five of them leave less than a thousandth."""
NAMED = 4
"""Layers that a message lists."""
REARRANGING = ("flatten", "reshape", "identity", "dropout")
SQUASHING = ("sigmoid", "tanh")


def _softmax_before_cross_entropy(graph: Graph) -> Iterator[Problem]:
    train = graph.spec.train
    for loss in train.loss if train else ():
        chain = graph.network if loss.at in (None, "output") else None
        if loss.at in graph.heads:
            chain = graph.heads[loss.at].chain
        last = last_layer(chain) if chain else None
        if loss.expects == "logits" and last and last.layer.kind in ("softmax", "log_softmax", "sigmoid"):
            message = f"`{last.layer.kind}` before `{loss.kind}`, which applies it itself"
            yield _warn("softmax-before-loss", message, last, f"remove the `{last.layer.kind}`: the loss takes logits")


def _bias_before_batch_norm(graph: Graph) -> Iterator[Problem]:
    for first, second in pairs(graph.network):
        if second.layer.is_batch_norm and getattr(first.layer, "bias", False) is True:
            message = f"the bias of `{first.layer.kind}` has no effect: the batch norm behind it subtracts the mean"
            yield _warn("bias-before-norm", message, first, "write `bias: false`")


def _linear_after_linear(graph: Graph) -> Iterator[Problem]:
    for run in runs(graph.network):
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
    last = last_layer(graph.network)
    hidden = [leaf for leaf in hidden if leaf is not last and ".gate." not in f".{leaf.path}"]
    if len(hidden) < DEEP or any(leaf.layer.is_batch_norm for leaf in graph.leaves):
        return
    if any(isinstance(step, Residual) and step.shortcut is not None for step in walk(graph.network)):
        return
    kinds = [leaf for leaf in hidden if leaf.layer.kind == "sigmoid"] or hidden
    first = kinds[0]
    largest = "1/4" if first.layer.kind == "sigmoid" else "1, and less wherever it saturates"
    message = f"`{first.layer.kind}` in {len(kinds)} hidden layers: gradients shrink with depth"
    hint = f"its derivative is at most {largest}; use relu, batch_norm or residual"
    yield _warn("squashing-in-depth", message, first, hint)


def _dropout_before_batch_norm(graph: Graph) -> Iterator[Problem]:
    for run in runs(graph.network):
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


def _dropped_outputs(graph: Graph) -> Iterator[Problem]:
    train = graph.spec.train
    tags = (loss.at for loss in train.loss if loss.at) if train else graph.tag_signals  # all may be asked for
    for step, leaves in dropped(graph.network, frozenset(tags)):
        names = ", ".join(f"`{leaf.path}`" for leaf in leaves[:NAMED]) + (", …" if len(leaves) > NAMED else "")
        line = f" in line {step.position.line}" if step.position.line else ""
        message = f"nothing uses what {names} compute{'s' * (len(leaves) == 1)}: the `from`{line} takes another value"
        hint = "join the two, as `from: {tag: …, merge: add}` does, or remove what is not used"
        yield _warn("dropped-output", message, leaves[0], hint)


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


def _warn(code: str, message: str, leaf: Leaf, hint: str) -> Problem:
    return Problem(code, message, leaf.position, leaf.path, hint=hint)


OF_LAYERS = (
    _softmax_before_cross_entropy,
    _bias_before_batch_norm,
    _linear_after_linear,
    _squashing_in_depth,
    _dropout_before_batch_norm,
    _small_too_early,
    _dropped_outputs,
    _standardised_into_binary,
)
"""In the order in which their warnings are told."""
