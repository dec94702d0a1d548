"""`list` and `explain`: what they tell is what the files and classes say."""

from __future__ import annotations

from pathlib import Path

import pytest

import nnctl as package
from nnctl.component.family import FAMILIES, find, names
from nnctl.spec.blocks import shipped_names
from tests.cli.conftest import Run

KINDS = Path(package.__file__).parent / "kinds"
NAMES = [(family, kind) for family in FAMILIES for kind in names(family)]


def test_list_names_every_file_of_a_kind(nnctl: Run) -> None:
    listed = nnctl("list", "--json").json["families"]
    for family, kinds in listed.items():
        files = {file.stem for suffix in ("py", "yaml") for file in (KINDS / family).rglob(f"*.{suffix}")}
        helpers = {stem for stem in files if stem.startswith("_")} | {"base", "shape"}
        assert set(kinds) == files - helpers
        assert all(summary and "\n" not in summary for summary in kinds.values())
    assert set(listed) == {family for family in FAMILIES if names(family)}


def test_list_of_one_family(nnctl: Run) -> None:
    lines = nnctl("list", "schedules").out.splitlines()
    assert lines[0] == "schedules"
    assert [line.split()[0] for line in lines[1:]] == names("schedules")


def test_a_wrong_family(nnctl: Run) -> None:
    ran = nnctl("list", "layer")
    assert (ran.code, ran.err) == (2, "error: there is no family `layer`\n\nhint: did you mean `layers`?\n")


@pytest.mark.parametrize(("family", "kind"), NAMES)
def test_everything_can_be_explained(nnctl: Run, family: str, kind: str) -> None:
    explained = nnctl("explain", f"{family}.{kind}", "--json").json
    cls = find(family, kind)
    assert cls is not None
    assert (explained["family"], explained["kind"], explained["paper"]) == (family, kind, cls.paper)
    fields = {field["name"]: field for field in explained["fields"]}
    assert set(fields) == {info.alias or name for name, info in cls.model_fields.items()}
    short = [name for name, field in fields.items() if field["main"]]
    assert short == [cls.main_field()][: len(short)]
    assert not short or all(name in short for name, field in fields.items() if field["required"])
    for name, info in cls.model_fields.items():
        field = fields[info.alias or name]
        assert field["required"] == info.is_required()
        assert field["doc"]
        assert field["expected"], f"{name} does not say what it expects"
    assert explained["examples"] == [example.yaml for example in cls.examples]
    text = nnctl("explain", f"{family}.{kind}").out
    assert explained["summary"] in text
    assert all(f"  {name}: " in text for name in fields)
    assert all(f"- {example}" in text for example in explained["examples"])


@pytest.mark.parametrize("name", sorted(shipped_names()))
def test_shipped_blocks_are_explained_by_their_yaml(nnctl: Run, name: str) -> None:
    ran = nnctl("explain", name)
    assert ran.code == 0
    written = (KINDS / "layers" / "blocks" / f"{name}.yaml").read_text(encoding="utf-8")
    assert all(f"  {line}" in ran.out for line in written[written.index("layers:") :].splitlines())
    assert "  channels: required, filled by the short form\n  stride: default 1\n" in ran.out


def test_activations_tell_their_properties(nnctl: Run) -> None:
    properties = nnctl("explain", "sigmoid", "--json").json["properties"]
    assert properties["range"] == "(0, 1)"
    assert properties["largest_derivative"].startswith("0.25")
    assert properties["zero_centred"] == "no"
    assert properties["kinks"] == "none"


def test_a_wrong_kind(nnctl: Run) -> None:
    ran = nnctl("explain", "cnv")
    assert (ran.code, ran.err) == (2, "error: there is no kind `cnv`\n\nhint: did you mean `conv`?\n")
    ran = nnctl("explain", "optimizers.conv")
    assert ran.err.startswith("error: there is no kind `conv` among the optimizers\n\nhint: known kinds: adagrad, ")
    ran = nnctl("explain", "optimiser.sgd")
    assert ran.err == "error: there is no family `optimiser`\n\nhint: did you mean `optimizers`?\n"


def test_a_name_of_two_kinds(nnctl: Run) -> None:
    ran = nnctl("explain", "constant")
    assert ran.code == 2
    assert ran.err == (
        "error: `constant` is the name of several kinds\n\n"
        "hint: write `schedules.constant` or `initializers.constant`\n"
    )
