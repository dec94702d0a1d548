"""Which field a name most likely stands for that a kind does not have."""

from __future__ import annotations

from collections.abc import Collection

from nnctl.document.suggest import suggest

SYNONYMS = {
    "alpha": ("slope",),
    "ceil_mode": ("ceil",),
    "dilation_rate": ("dilation",),
    "dim": ("features",),
    "drop": ("p",),
    "drop_prob": ("p",),
    "dropout_rate": ("p",),
    "embed_dim": ("features",),
    "embedding_dim": ("features",),
    "epsilon": ("eps",),
    "filters": ("channels",),
    "hidden_dim": ("features",),
    "hidden_size": ("features",),
    "initializer": ("init",),
    "keep_prob": ("keep",),
    "kernel_initializer": ("init",),
    "kernel_size": ("kernel",),
    "label_smooth": ("label_smoothing",),
    "learning_rate": ("lr",),
    "negative_slope": ("slope",),
    "nesterovs": ("nesterov",),
    "num_filters": ("channels",),
    "num_groups": ("groups",),
    "num_heads": ("heads",),
    "num_layers": ("layers",),
    "num_units": ("features",),
    "out_channels": ("channels",),
    "out_features": ("features",),
    "patch_size": ("patch",),
    "pool_size": ("kernel",),
    "probability": ("p",),
    "rate": ("p", "lr"),
    "scale_factor": ("factor",),
    "size": ("kernel", "features"),
    "step_size": ("every",),
    "strides": ("stride",),
    "units": ("features",),
    "use_bias": ("bias",),
}
"""What other tools call a field -> what it is called here, by one kind or another."""


def field_meant(key: str, fields: Collection[str], given: Collection[str]) -> str | None:
    """Return the field that a wrong key stands for, none of those that are given beside it; None where none is near."""
    called = _called_here(key, fields)
    free = [field for field in fields if field not in given]
    return next((field for field in called if field in free), None) if called else suggest(key, free)


def field_hint(key: str, fields: Collection[str], given: Collection[str], label: str = "fields") -> str:
    """Return what to write in place of a wrong key: the field that is meant, or else one of them all."""
    called, meant = _called_here(key, fields), field_meant(key, fields, given)
    if meant is not None:
        return f"nnctl calls it `{meant}`" if called else f"did you mean `{meant}`?"
    return f"remove it: `{called[0]}` is given already" if called else f"{label}: {', '.join(sorted(fields))}"


def _called_here(key: str, fields: Collection[str]) -> list[str]:
    return [field for field in SYNONYMS.get(key.lower(), ()) if field in fields]
