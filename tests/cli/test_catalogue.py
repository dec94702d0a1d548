"""`list` and `explain`: what they tell is what the files and classes say."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

import nnctl as package
from nnctl.component.family import FAMILIES, find, names
from nnctl.reference.schema import spec_schema
from nnctl.spec.blocks import shipped_names
from nnctl.spec.sections import Data, Ema, Pretrained, Stream, Train
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
    ran = nnctl("explain", "optimizers")
    assert ran.err == "error: there is no kind `optimizers`\n\nhint: `nnctl list optimizers` shows all of them\n"
    ran = nnctl("explain", "train.optimizer.lr")
    assert ran.err.endswith("\n\nhint: `nnctl explain train.optimizer` tells what it may be\n")


def test_a_shipped_block_reads_as_other_kinds_do(nnctl: Run) -> None:
    listed = nnctl("list", "layers", "--json").json["families"]["layers"]
    assert all(summary.endswith(".") and ". " not in summary for summary in listed.values()), listed
    found = nnctl("explain", "bottleneck", "--json").json
    assert found["description"].startswith("`channels` is the inner width")
    assert {one["name"]: one.get("default") for one in found["fields"]}["shortcut"] == "auto"


def test_an_empty_list_is_no_default(nnctl: Run) -> None:
    assert "layers: a list of layer paths, optional\n" in nnctl("explain", "penalties.l1").out
    assert "allow: a list of codes, optional\n" in nnctl("explain", "lint").out


def test_what_a_list_of_layers_may_be_besides(nnctl: Run) -> None:
    shown = nnctl("explain", "residual").out
    assert "shortcut: identity, projection, pad, auto, none or a list of layers, optional\n" in shown
    assert "paths: a list of lists of layers, required\n" in nnctl("explain", "branches").out


def test_a_name_of_two_kinds(nnctl: Run) -> None:
    ran = nnctl("explain", "constant")
    assert ran.code == 2
    assert ran.err == (
        "error: `constant` is the name of several kinds\n\n"
        "hint: write `schedules.constant` or `initializers.constant`\n"
    )


SECTIONS: dict[str, type[BaseModel]] = {
    "data": Data,
    "train": Train,
    "data.streams": Stream,
    "train.ema": Ema,
    "model.pretrained": Pretrained,
}


@pytest.mark.parametrize("name", SECTIONS)
def test_a_section_is_explained_by_its_fields(nnctl: Run, name: str) -> None:
    fields = {field["name"]: field for field in nnctl("explain", name, "--json").json["fields"]}
    infos = SECTIONS[name].model_fields
    assert list(fields) == list(infos)
    assert all(fields[key]["required"] == info.is_required() and fields[key]["doc"] for key, info in infos.items())


@pytest.mark.parametrize(
    ("name", "place", "expected", "default"),
    [
        ("seed", "seed", "a whole number of at least 0", "0"),
        ("extends", "extends", "a path", None),
        ("label_noise", "data.label_noise", "a number from 0 to 1", "0.0"),
        ("train.epochs", "train.epochs", "a whole number of at least 1", None),
        ("checkpoint.keep", "train.checkpoint.keep", "a whole number of at least 1", "2"),
        ("freeze", "model.freeze", "a list of layer paths", None),
        ("penalties", "train.penalties", "a list of penalties, see `nnctl list penalties`", None),
    ],
)
def test_a_setting_is_explained_with_its_default(
    nnctl: Run, name: str, place: str, expected: str, default: str | None
) -> None:
    told = nnctl("explain", name, "--json").json
    assert ".".join(filter(None, (told.get("family"), told["kind"]))) == place
    assert (told["expected"], told.get("default")) == (expected, default)
    assert nnctl("explain", name).out.startswith(f"{place}\n")


def test_model_is_explained_by_the_keys_of_the_schema(nnctl: Run) -> None:
    keys = spec_schema()["properties"]["model"]["properties"]
    fields = nnctl("explain", "model", "--json").json["fields"]
    assert {field["name"]: field["doc"] for field in fields} == {key: keys[key]["description"] for key in keys}


def test_a_wrong_setting(nnctl: Run) -> None:
    ran = nnctl("explain", "train.epoch")
    assert (ran.code, ran.err) == (2, "error: `train` has no field `epoch`\n\nhint: did you mean `epochs`?\n")


def test_list_ends_with_the_sections(nnctl: Run) -> None:
    assert nnctl("list").out.splitlines()[-1].startswith("sections  data, model, train, lint: ")
