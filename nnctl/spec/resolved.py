"""The resolved spec: extends merged, overrides and defaults filled in; blocks and `$` as written."""

from __future__ import annotations

from typing import Any

import yaml
from pydantic import BaseModel

from nnctl.component.base import Component
from nnctl.document.node import plain
from nnctl.document.scalars import AmbiguousScalarError, resolve
from nnctl.kinds.initializers.base import Init
from nnctl.spec.roots import data_root
from nnctl.spec.sections import Spec


def as_dict(spec: Spec) -> dict[str, Any]:
    """Return the resolved spec as plain values; reading them again gives the same spec."""
    resolved: dict[str, Any] = {"name": spec.name}
    if spec.description:
        resolved["description"] = spec.description
    resolved["seed"] = spec.seed
    if spec.data is not None:
        data = _section(spec.data)
        if spec.data.dataset.under_root:
            data["root"] = str(data_root(spec.data))
        resolved["data"] = data
    resolved["model"] = _model(spec)
    if spec.train is not None:
        resolved["train"] = _section(spec.train)
    if spec.lint.allow:
        resolved["lint"] = {"allow": list(spec.lint.allow)}
    return resolved


def to_yaml(spec: Spec) -> str:
    """Return the resolved spec as YAML."""
    return dump(as_dict(spec))


def dump(value: object) -> str:
    """Return plain values as YAML that the strict reader reads back as they are."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110, default_flow_style=None)


def in_flow(value: object) -> str:
    """Return a list or mapping as YAML in one line."""
    return yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10**9, default_flow_style=True
    ).strip()


def _model(spec: Spec) -> dict[str, Any]:
    model = spec.model
    resolved: dict[str, Any] = {}
    if model.input is not None:
        resolved["input"] = plain(model.input)
    if model.params is not None and model.params.entries:
        resolved["params"] = plain(model.params)
    resolved["init"] = _init(model.init)
    if model.blocks:
        resolved["blocks"] = {
            name: {"params": plain(block.params) if block.params else {}, "layers": plain(block.layers)}
            for name, block in model.blocks.items()
        }
    resolved["layers"] = plain(model.layers)
    if model.pretrained is not None:
        resolved["pretrained"] = _section(model.pretrained)
    if model.freeze:
        resolved["freeze"] = list(model.freeze)
    return resolved


def _init(init: Init) -> Any:
    assert init.weight is not None
    assert init.bias is not None
    if init.weight.by_module and init.bias.by_module:
        return _component(init.weight)
    return {"weight": _component(init.weight), "bias": _component(init.bias)}


def _section(section: BaseModel) -> dict[str, Any]:
    """Return a section's fields, those that are not given and have no default left out."""
    fields = {}
    for name, info in type(section).model_fields.items():
        value = _value(getattr(section, name))
        if value is not None and value != {}:
            fields[info.alias or name] = value
    return fields


def _value(value: Any) -> Any:
    if isinstance(value, Component):
        return _component(value)
    if isinstance(value, Init):
        return _init(value)
    if isinstance(value, BaseModel):
        return _section(value)
    if isinstance(value, tuple):
        return [_value(item) for item in value]
    if isinstance(value, dict):
        return {name: _value(item) for name, item in value.items()}
    return value


def _component(component: Component) -> Any:
    fields = _section(component)
    return {component.kind: fields} if fields else component.kind


class _Dumper(yaml.SafeDumper):
    """Writes text in quotes wherever a reader might take it for something else."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    try:
        safe = resolve(text) == text
    except AmbiguousScalarError:
        safe = False
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if safe else '"')


_Dumper.add_representer(str, _text)
