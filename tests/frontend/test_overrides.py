"""`PATH=VALUE`: every field of a spec from the command line, checked as the file is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nnctl.document.node import plain
from nnctl.graph.build import build_text
from nnctl.spec.load import loads
from tests.frontend.helpers import outputs, problem_of, problems_of

SPEC = """
name: test
data:
  dataset: digits
model:
  params: {width: 8}
  init: kaiming
  blocks:
    stage:
      params: {channels: null, stride: 2}
      layers:
        - conv: {channels: $channels, stride: $stride}
        - relu
  layers:
    - conv: $width
    - batch_norm
    - relu
    - conv: 16
    - stage: 12
    - basic_block: 12
    - branches:
        merge: concat
        paths:
          - [identity]
          - [{conv: 4}, relu]
    - flatten
    - linear: $classes
train:
  epochs: 2
  loss: cross_entropy
  optimizer: {sgd: {lr: 0.1, momentum: 0.9}}
  ema: 0.9
"""


def at(document: Any, *path: str | int) -> Any:
    for step in path:
        document = document[step]
    return document


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("train.optimizer.sgd.lr=0.05", ("train", "optimizer", "sgd"), {"lr": 0.05, "momentum": 0.9}),
        ("model.layers[3].conv.channels=32", ("model", "layers", 3), {"conv": {"channels": 32}}),
        ("model.layers[0].conv.kernel=5", ("model", "layers", 0), {"conv": {"channels": "$width", "kernel": 5}}),
        ("model.layers[1].batch_norm.eps=1e-3", ("model", "layers", 1), {"batch_norm": {"eps": 0.001}}),
        ("model.layers[2]=tanh", ("model", "layers", 2), "tanh"),
        ("model.layers[2]={leaky_relu: 0.1}", ("model", "layers", 2), {"leaky_relu": 0.1}),
        ("model.layers[4].stage.stride=1", ("model", "layers", 4), {"stage": {"channels": 12, "stride": 1}}),
        ("model.layers[4].stage=7", ("model", "layers", 4), {"stage": 7}),
        (
            "model.layers[5].basic_block.shortcut=projection",
            ("model", "layers", 5),
            {"basic_block": {"channels": 12, "shortcut": "projection"}},
        ),
        (
            "model.layers[6].branches.paths[1][0].conv.channels=5",
            ("model", "layers", 6, "branches", "paths", 1, 0),
            {"conv": {"channels": 5}},
        ),
        ("model.layers[6].branches.paths[0]=[relu]", ("model", "layers", 6, "branches", "paths", 0), ["relu"]),
        ("model.layers[6].branches.merge=concat", ("model", "layers", 6, "branches", "merge"), "concat"),
        ("model.params.width=32", ("model", "params"), {"width": 32}),
        ("model.blocks.stage.params.stride=1", ("model", "blocks", "stage", "params", "stride"), 1),
        (
            "model.blocks.stage.layers[0].conv.kernel=5",
            ("model", "blocks", "stage", "layers", 0, "conv"),
            {"channels": "$channels", "stride": "$stride", "kernel": 5},
        ),
        ("model.blocks.stage.layers[1]=tanh", ("model", "blocks", "stage", "layers", 1), "tanh"),
        ("model.init=xavier", ("model", "init"), "xavier"),
        ("model.init.kaiming.fan=out", ("model", "init"), {"kaiming": {"fan": "out"}}),
        ("model.init.bias.constant=0.1", ("model", "init"), {"weight": {"kaiming": {}}, "bias": {"constant": 0.1}}),
        ("model.init.orthogonal.gain=2", ("model", "init"), {"orthogonal": {"gain": 2}}),
        ("model.input=[1, 16, 16]", ("model", "input"), [1, 16, 16]),
        ("data.dataset.blobs.classes=4", ("data", "dataset"), {"blobs": {"classes": 4}}),
        ("data.dataset=mnist", ("data", "dataset"), "mnist"),
        ("data.validation=0", ("data", "validation"), 0),
        ("data.subset=100", ("data", "subset"), 100),
        ("train.ema.decay=0.5", ("train", "ema"), {"decay": 0.5}),
        ("train.ema=0.5", ("train", "ema"), 0.5),
        ("train.ema=null", ("train", "ema"), None),
        ("train.clip.norm=1", ("train", "clip"), {"norm": 1}),
        ("train.early_stopping.patience=2", ("train", "early_stopping"), {"patience": 2}),
        ("train.schedule.one_cycle.warmup=0.1", ("train", "schedule"), {"one_cycle": {"warmup": 0.1}}),
        ("train.schedule={step: 1}", ("train", "schedule"), {"step": 1}),
        ("train.optimizer.adam.lr=0.01", ("train", "optimizer"), {"adam": {"lr": 0.01}}),
        (
            "train.loss.cross_entropy.label_smoothing=0.1",
            ("train", "loss"),
            {"cross_entropy": {"label_smoothing": 0.1}},
        ),
        ("train.loss=[cross_entropy, {output: {weight: 0.1}}]", ("train", "loss", 1), {"output": {"weight": 0.1}}),
        ("train.batch_size=all", ("train", "batch_size"), "all"),
        ("train.checkpoint.every=5", ("train", "checkpoint"), {"every": 5}),
        ("seed=7", ("seed",), 7),
        ("name=other", ("name",), "other"),
        ('name="5"', ("name",), "5"),
        ("description=a = b == c", ("description",), "a = b == c"),
        ("description=", ("description",), None),
        (
            "data.dataset.csv={path: t.csv, target: y, columns: {native country: number}}",
            ("data", "dataset", "csv", "columns"),
            {"native country": "number"},
        ),
        ("model.freeze=linear1", ("model", "freeze"), "linear1"),
        ("lint.allow=[bias-before-norm]", ("lint", "allow"), ["bias-before-norm"]),
    ],
)
def test_any_field_can_be_set(override: str, path: tuple[str | int, ...], value: object) -> None:
    document: Any = plain(loads(SPEC, [override]).document)
    untouched: Any = plain(loads(SPEC).document)
    assert at(document, *path) == value
    assert [key for key in untouched if at(document, key) != at(untouched, key)] in ([path[0]], [])


def test_an_override_changes_the_network() -> None:
    assert outputs(build_text(SPEC, ["model.params.width=5"]))[0] == (5, 8, 8)
    assert outputs(build_text(SPEC, ["model.layers[3].conv.channels=32", "model.layers[3].conv.stride=2"]))[3] == (
        32,
        4,
        4,
    )
    stage = [leaf for leaf in build_text(SPEC, ["model.layers[4].stage.stride=1"]).leaves if "stage1" in leaf.path]
    assert stage[0].output.shape.dims == (12, 8, 8)


def test_later_overrides_win_and_build_on_earlier_ones() -> None:
    spec = loads(SPEC, ["train.epochs=5", "train.epochs=6", "train.optimizer=adam", "train.optimizer.adam.lr=0.3"])
    assert spec.train is not None
    assert (spec.train.epochs, spec.train.optimizer.kind, spec.train.optimizer.lr) == (6, "adam", 0.3)


@pytest.mark.parametrize(
    ("override", "columns"),
    [
        ("columns.age=category", {"age": "category", "the z": {"category": 3}, "t": {"text": {"length": 4}}}),
        ("columns.t.text.length=5", {"age": "number", "the z": {"category": 3}, "t": {"text": {"length": 5}}}),
        ("columns={native country: {category: 2}}", {"native country": {"category": 2}}),
    ],
)
def test_columns_are_called_what_the_file_calls_them(override: str, columns: object) -> None:
    table = "csv: {path: t.csv, target: y, columns: {age: number, the z: {category: 3}, t: {text: {length: 4}}}}"
    text = SPEC.replace("dataset: digits", f"dataset: {{{table}}}")
    document: Any = plain(loads(text, [f"data.dataset.csv.{override}"]).document)
    assert at(document, "data", "dataset", "csv", "columns") == columns


def test_entries_of_a_list_of_losses_are_addressed() -> None:
    several = SPEC.replace("loss: cross_entropy", "loss: [cross_entropy, {output: {weight: 0.1}}]")
    spec = loads(several, ["train.loss[1].output.weight=0.5", "train.loss[0].cross_entropy.label_smoothing=0.2"])
    assert spec.train is not None
    assert spec.train.loss[1].weight == 0.5
    assert spec.train.loss[0].model_dump()["label_smoothing"] == 0.2


@pytest.mark.parametrize(
    ("override", "message", "column", "hint"),
    [
        ("train.epoch=1", "there is no `train.epoch`", 7, "did you mean `epochs`?"),
        ("trian.epochs=1", "there is no `trian`", 1, "did you mean `train`?"),
        ("train.optimizer.sgd.lrr=1", "there is no `train.optimizer.sgd.lrr`", 21, "did you mean `lr`?"),
        ("train.optimizer.lr=1", "there is no `train.optimizer.lr`", 17, "did you mean `train.optimizer.sgd.lr`?"),
        ("train.optimizer.sdg.lr=1", "there is no optimizer `sdg`", 17, "did you mean `sgd`?"),
        ("data.dataset.cifar.path=x", "there is no data set `cifar`", 14, "nnctl calls it `cifar10`"),
        ("model.params.widht=3", "there is no `model.params.widht`", 14, "did you mean `width`?"),
        ("model.params.count=3", "there is no `model.params.count`", 14, "parameters: width"),
        ("model.blocks.stge.params.stride=1", "there is no `model.blocks.stge`", 14, "did you mean `stage`?"),
        ("model.blocks.stage.param.stride=1", "there is no `model.blocks.stage.param`", 20, "did you mean `params`?"),
        ("model.layer[0]=relu", "there is no `model.layer`", 7, "did you mean `layers`?"),
        ("model.layers[9]=relu", "`model.layers` has 9 entries, none at [9]", 13, "its entries are [0] to [8]"),
        ("model.layers[2].conv.channels=3", "`model.layers[2]` is a `relu`, not a `conv`", 17, None),
        ("model.layers[2].basic_block.channels=3", "`model.layers[2]` is a `relu`, not a `basic_block`", 17, None),
        ("model.layers[2].cnov.channels=3", "there is no layer `cnov`", 17, "did you mean `conv`?"),
        ("model.layers[0].channels=3", "there is no `model.layers[0].channels`", 17, None),
        ("model.layers.conv=3", "`model.layers` is a list, it has no field `conv`", 14, None),
        ("model.layers[6].branches.paths[2]=[relu]", "`model.layers[6].branches.paths` has 2 entries", 31, None),
        ("train.epochs[0]=1", "`train.epochs` is 2, not a list", 13, None),
        (
            "model.freeze[0]=conv1",
            "`model.freeze` is not given, and so has no entry [0]",
            13,
            "give it whole: 'model.freeze=[conv1]'",
        ),
        (
            "train.penalties[0].l2.weight=0.1",
            "`train.penalties` is not given, and so has no entry [0]",
            16,
            "give it whole: 'train.penalties=[{l2: {weight: 0.1}}]'",
        ),
        ("train.loss[0]=mse", '`train.loss` is "cross_entropy", not a list', 11, "give it whole: 'train.loss=[mse]'"),
        ("train.pretrain.stages=[a]", "there is no `train.pretrain.stages`", 16, "fields: autoencoder"),
        ("train.epochs.x=1", "`train.epochs` is 2, it has no field `x`", 14, None),
        ("seed.x=1", "`seed` has no field `x`", 6, None),
        ("train.ema.decy=1", "there is no `train.ema.decy`", 11, "did you mean `decay`?"),
        ("epochs", "`epochs` is not an override", 1, "write PATH=VALUE, such as train.epochs=2"),
        ("=5", "`=5` is not an override", 1, "write PATH=VALUE, such as train.epochs=2"),
        ("train..epochs=5", "`train..epochs` is not a path", 6, None),
        ("train.epochs.=5", "`train.epochs.` is not a path", 13, None),
        ("model.layers[-1]=relu", "`model.layers[-1]` is not a path", 13, None),
        ("--epochs=5", "`--epochs` is not a path", 1, None),
        ("train.epochs=0", "`epochs` is 0, expected a whole number of at least 1", 14, None),
        ("train.epochs=2.5", "`epochs` is 2.5, expected a whole number of at least 1", 14, None),
        ("train.epochs=two", '`epochs` is "two", expected a whole number of at least 1', 14, None),
        ("train.epochs=", "`train` needs `epochs`", 1, None),
        ("train.epochs=yes", "`yes` is ambiguous: some YAML readers take it for true or false", 14, None),
        ("train.epochs=[1", "this is not valid YAML", 16, None),
        ("train.epochs=1\u202e", "the text holds the hidden character U+202E", 15, None),
        ("data.dataset=imagent", "there is no data set `imagent`", 14, None),
        ("model.layers[4].stage.strid=1", "the block `stage` has no parameter `strid`", 23, "did you mean `stride`?"),
        ("model.params.width=$wide", "`$wide` is not known here", 20, None),
        ("model.layers[0]={conv: {channels: 0}}", "`channels` is 0, expected a whole number", 35, None),
        ("name=5", "`name` is 5, expected text", 6, 'quote it: "5"'),
        ("train.monitor=val_acuracy", "`val_acuracy` is never measured", 15, "did you mean `val_accuracy`?"),
    ],
)
def test_mistakes_point_into_the_argument(override: str, message: str, column: int, hint: str | None) -> None:
    problem = problem_of(SPEC, [override])
    assert problem.message.startswith(message)
    if override != "train.epochs=":
        assert (problem.position.file, problem.position.line) == ("command line", None)
        assert problem.position.column == column
    if hint is not None:
        assert problem.hint == hint


def test_all_mistakes_of_all_overrides_and_the_file_are_told() -> None:
    found = problems_of(
        SPEC.replace("epochs: 2", "epochs: 0"), ["seed=-1", "trian.x=1", "data.validation=[", "name=a/b"]
    )
    assert {(problem.position.file, problem.position.column) for problem in found} == {
        ("command line", 6),
        ("command line", 1),
        ("command line", 18),
        ("spec.yaml", 11),
    }


def test_an_override_mends_what_is_wrong_in_the_file() -> None:
    broken = SPEC.replace("epochs: 2", "epochs: 0")
    assert problem_of(broken).position.file == "spec.yaml"
    assert build_text(broken, ["train.epochs=1"]).spec.train is not None


def test_a_path_on_the_command_line_starts_at_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    spec = loads(SPEC, ["data.root=photos"], "/somewhere/spec.yaml")
    assert spec.data is not None
    assert spec.data.root == str(tmp_path / "photos")
