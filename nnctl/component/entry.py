"""One entry of a spec: `relu`, `conv: 64` or `conv: {channels: 64}`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from nnctl.component.family import find, names
from nnctl.document.node import Mapping, Node, Scalar, Unknown, describe, is_null
from nnctl.document.suggest import did_you_mean
from nnctl.errors import Position, Problem

SYNONYMS = {
    "fc": "linear",
    "dense": "linear",
    "fully_connected": "linear",
    "conv1d": "conv",
    "conv2d": "conv",
    "conv3d": "conv",
    "convolution": "conv",
    "maxpool2d": "max_pool",
    "avgpool2d": "avg_pool",
    "batchnorm2d": "batch_norm",
    "bn": "batch_norm",
    "layernorm": "layer_norm",
    "groupnorm": "group_norm",
    "lrn": "local_response_norm",
    "convtranspose2d": "transposed_conv",
    "deconv": "transposed_conv",
    "multihead_attention": "attention",
    "self_attention": "attention",
    "se": "squeeze_excite",
    "drop_path": "stochastic_depth",
    "droppath": "stochastic_depth",
    "hardswish": "hard_swish",
    "hardsigmoid": "hard_sigmoid",
    "swish": "silu",
    "crossentropyloss": "cross_entropy",
    "nll": "cross_entropy",
    "l2": "mse",
    "momentum": "sgd",
    "nesterov": "sgd",
    "glorot": "xavier",
    "he": "kaiming",
    "resnet_block": "basic_block",
    "global_average_pool": "global_avg_pool",
    "cifar": "cifar10",
}
"""Other names that people know a kind by; they are hints in errors, not second names."""


def split_entry(
    node: Node, family: str, problems: list[Problem], where: str
) -> tuple[str, Position, Node | None] | None:
    """Return an entry's kind, the kind's position and its arguments: `relu`, `conv: 64` or `conv: {…}`."""
    if isinstance(node, Scalar) and isinstance(node.value, str):
        return node.value, node.position, None
    if isinstance(node, Mapping) and len(node.entries) == 1:
        (kind, entry), *_ = node.entries.items()
        return kind, entry.key, None if is_null(entry.node) else entry.node
    if isinstance(node, Scalar) and isinstance(node.value, Unknown):
        return None
    one = _one_of(family)
    if isinstance(node, Mapping) and node.entries:
        keys = list(node.entries)
        inner = next((key for key in keys if find(family, key)), keys[0])
        others = ", ".join(f"`{key}`" for key in keys if key != inner)
        hint = f"write `{inner}: {{…}}` with {others} inside the braces, or make them entries of their own"
        problems.append(
            Problem("entry", f"an entry has one kind, found {len(keys)} keys", node.position, where, hint=hint)
        )
    else:
        problems.append(
            Problem("entry", f"expected {one}, found {describe(node)}", node.position, where, hint=_example(family))
        )
    return None


def _one_of(family: str) -> str:
    """Return one member of a family, in words."""
    one = {"losses": "loss", "datasets": "data set", "penalties": "penalty"}.get(family, family.removesuffix("s"))
    return f"an {one}" if one[0] in "aeiou" else f"a {one}"


def _example(family: str) -> str | None:
    known = names(family)
    return f"write a name alone, such as `{known[0]}`, or with fields, `{known[0]}: {{…}}`" if known else None


def unknown_kind(family: str, kind: str, place: Position, where: str, known: Iterable[str]) -> Problem:
    """Return the problem of a kind that does not exist, with the one that was probably meant."""
    known = list(known)
    synonym = SYNONYMS.get(kind.lower()) or SYNONYMS.get(kind.replace("_", "").lower())
    hint = f"nnctl calls it `{synonym}`" if synonym in known else did_you_mean(kind, known, "known kinds")
    plain = unicodedata.normalize("NFKC", kind)  # `：` becomes `:`
    written = re.fullmatch(r"(\w+)(?:\s*[:=]\s*|\s+)(.+)", plain)
    if written and written[1] in known:
        hint = f"`: ` is missing: write `{written[1]}: {written[2]}`"
    called = re.fullmatch(r"(\w+)\(.*\)", plain)
    if called and called[1] in known:
        hint = f"write `{called[1]}: {{…}}`, with `name: value` for each field"
    one = _one_of(family).partition(" ")[2]
    return Problem("unknown-kind", f"there is no {one} `{kind}`", place, where, hint=hint)
