"""A run outlives its data: the network is rebuilt where the photos are not, and `eval` takes them from elsewhere."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import nnctl
from nnctl.errors import DataError
from nnctl.graph.build import build_text

SPEC = """
name: photos
data: {dataset: {image_folder: photos}, validation: 0}
model: {layers: [flatten, {linear: $classes}]}
train: {epochs: 1, batch_size: 4, loss: cross_entropy, optimizer: {sgd: 0.01}}
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NNCTL_CACHE", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    for split in ("train", "test"):
        for name in ("cat", "dog", "owl"):
            folder = tmp_path / "photos" / split / name
            folder.mkdir(parents=True)
            for number in range(4):
                Image.fromarray(rng.integers(0, 256, (6, 5, 3), dtype=np.uint8)).save(folder / f"{number}.png")
    (tmp_path / "spec.yaml").write_text(SPEC)
    nnctl.train(nnctl.load_spec(tmp_path / "spec.yaml"), run=tmp_path / "run")
    return tmp_path / "run"


def test_the_runs_own_spec_knows_what_the_folder_told(run: Path) -> None:
    text = (run / "spec.yaml").read_text()
    shutil.move(run.parent / "photos", run.parent / "elsewhere")
    graph = build_text(text)
    assert graph.inputs["input"].dims == (3, 6, 5)
    assert graph.output.shape.dims == (3,)


def test_a_moved_folder_is_named_and_can_be_given(run: Path) -> None:
    before = nnctl.evaluate(run)
    shutil.move(run.parent / "photos", run.parent / "elsewhere")
    with pytest.raises(DataError, match="there is no folder"):
        nnctl.evaluate(run)
    after = nnctl.evaluate(run, overrides=[f"data.dataset.image_folder.path={run.parent / 'elsewhere'}"])
    assert (after.n, after.loss, after.accuracy) == (before.n, before.loss, before.accuracy)


def test_weights_are_exported_without_the_data(run: Path, tmp_path: Path) -> None:
    shutil.rmtree(run.parent / "photos")
    assert nnctl.export(run, tmp_path / "weights.safetensors").verified


def test_the_photos_of_a_stream_are_not_needed_to_evaluate(run: Path, tmp_path: Path) -> None:
    shutil.copytree(tmp_path / "photos", tmp_path / "more")
    spec = SPEC.replace("validation: 0", "validation: 0, streams: {more: {dataset: {image_folder: more}}}")
    spec = spec.replace("{linear: $classes}", "tag: t, {linear: $classes}")
    spec = spec.replace("loss: cross_entropy", "loss: [cross_entropy, {mmd: {against: more, at: t}}]")
    (tmp_path / "stream.yaml").write_text(spec)
    nnctl.train(nnctl.load_spec(tmp_path / "stream.yaml"), run=tmp_path / "other")
    before = nnctl.evaluate(tmp_path / "other")
    shutil.rmtree(tmp_path / "more")
    assert nnctl.evaluate(tmp_path / "other") == before
