"""`predict` on rows, photos and texts, against the same sums done in numpy; what cannot be read; `eval` on new data."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors import safe_open
from sklearn.datasets import load_digits

import nnctl as package
from nnctl.errors import CheckpointError, DataError, UsageError
from tests.cli.conftest import Run, Write

RECIPE = "train: {epochs: 2, batch_size: 16, loss: cross_entropy, optimizer: {sgd: 0.1}}"
TABLE = f"""\
name: table
data: {{dataset: {{csv: {{path: rows.csv, target: answer, missing: mean}}}}}}
model: {{layers: [linear: $classes]}}
{RECIPE}
"""
PRICES = """\
name: prices
data: {dataset: {csv: {path: rows.csv, target: price, columns: {age: number, kind: number}}}}
model: {layers: [linear: 1]}
train: {epochs: 2, batch_size: 16, loss: mse, optimizer: {sgd: 0.1}}
"""
PHOTOS = f"""\
name: photos
data: {{dataset: {{image_folder: photos}}}}
model: {{layers: [flatten, linear: $classes]}}
{RECIPE}
"""


def rows(n: int = 60) -> list[list[str]]:
    rng = np.random.default_rng(0)
    return [[f"{rng.normal(40, 9):.2f}", "abc"[i % 3], ["no", "yes"][i % 2]] for i in range(n)]


def write_rows(name: str, body: list[list[str]], heading: tuple[str, ...] = ("age", "kind", "answer")) -> str:
    with Path(name).open("w", newline="") as file:
        csv.writer(file).writerows([heading, *body])
    return name


def weights_of(run: str) -> tuple[dict[str, Any], dict[str, str]]:
    with safe_open(Path(run) / "best.safetensors", "numpy") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118  # no mapping


@pytest.fixture
def table(nnctl: Run, write: Write) -> str:
    spec = write(TABLE)
    write_rows("rows.csv", rows())
    assert nnctl("train", spec, "--run", "run").code == 0
    return "run"


def test_rows_are_standardised_and_coded_as_in_training(nnctl: Run, table: str) -> None:
    Path("rows.csv").unlink()  # the run knows all that it needs
    write_rows("new.csv", [["x", "c", "50.5"], ["y", "a", ""]], ("more", "kind", "age"))
    found = nnctl("predict", table, "new.csv", "--json").json["predictions"]
    tensors, metadata = weights_of(table)
    mean, std, fill = (np.array(json.loads(metadata[key])) for key in ("mean", "std", "fill"))
    for one, raw in zip(found, [[50.5, 0, 0, 1], [fill[0], 1, 0, 0]], strict=True):
        logits = tensors["linear1.weight"] @ ((np.array(raw) - mean) / std) + tensors["linear1.bias"]
        shares = np.exp(logits) / np.exp(logits).sum()
        best = int(shares.argmax())
        assert (one["file"], one["label"]) == ("new.csv", ["no", "yes"][best])
        assert one["probability"] == pytest.approx(shares[best], rel=1e-5)
        assert [choice["label"] for choice in one["top"]] == [["no", "yes"][best], ["no", "yes"][1 - best]]
        assert sum(choice["probability"] for choice in one["top"]) == pytest.approx(1)
    assert [one["row"] for one in found] == [1, 2]
    assert mean[1:].tolist() == [0, 0, 0]


def test_training_on_ones_own_files_proposes_to_predict(nnctl: Run, table: str) -> None:
    spec = "spec.yaml"
    assert "      nnctl predict other TABLE.csv" in nnctl("train", spec, "--run", "other").out.splitlines()
    # what answers with its own input has no answer to tell
    rebuilt = ("train.loss={mse: {target: data.input}}", "model.layers=[linear: 4]")
    ran = nnctl("train", spec, *rebuilt, "--run", "rebuilt")
    assert "next  nnctl eval rebuilt" in ran.out
    assert "predict" not in ran.out


def test_bad_rows_and_files_are_named_and_the_rest_is_predicted(nnctl: Run, table: str) -> None:
    write_rows("new.csv", [["1", "a"], ["x", "a"], ["2", "z"], ["3"], ["4", "b"]], ("age", "kind"))
    write_rows("other.csv", [["1", "a"]], ("age", "sort"))
    ran = nnctl("predict", table, "new.csv", "nowhere.csv", "other.csv", "--json")
    assert ran.code == 2
    assert [(one["file"], one["row"]) for one in ran.json["predictions"]] == [("new.csv", 1), ("new.csv", 5)]
    assert [(error["message"], error["line"]) for error in ran.json["errors"]] == [
        ('row 2: `age` is "x", expected a number', 3),
        ('row 3: `kind` is "z", which training did not have', 4),
        ("row 4 has 1 value, the heading names 2 columns", 5),
        ("there is no file nowhere.csv", None),
        ("other.csv has no column `kind`", 1),
    ]
    shown = nnctl("predict", table, "new.csv")
    assert shown.code == 2
    assert len(shown.out.splitlines()) == 3
    assert "Traceback" not in shown.err
    assert "new.csv:3" in shown.err
    Path("pictures").mkdir()
    Path("pictures", "a.png").touch()
    assert "pictures has no tables or texts, which the network takes" in nnctl("predict", table, "pictures").err
    nothing = nnctl("predict", table, "nowhere.csv", "--json")
    assert (nothing.code, nothing.json["predictions"]) == (2, [])


def test_rows_can_be_piped_in_and_come_out_as_csv(nnctl: Run, table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Pipe:
        buffer = io.BytesIO(b"age,kind\n30,a\n44.5,c\n")

    monkeypatch.setattr(sys, "stdin", Pipe())
    ran = nnctl("predict", table, "-", "--csv", "--top", "1")
    lines = list(csv.DictReader(io.StringIO(ran.out)))
    assert [(line["file"], line["row"]) for line in lines] == [("-", "1"), ("-", "2")]
    assert all(0.5 <= float(line["probability"]) <= 1 and line["label"] in ("no", "yes") for line in lines)
    assert set(lines[0]) == {"file", "row", "label", "probability"}


def test_what_is_piped_in_is_called_so(nnctl: Run, table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Pipe:
        buffer = io.BytesIO(b"years,kind\n30,a\n")

    monkeypatch.setattr(sys, "stdin", Pipe())
    ran = nnctl("predict", table, "-")
    assert ran.code == 2
    assert ran.err.startswith("error: the piped input has no column `age`\n  --> the piped input:1\n")
    assert "`-` is given twice" in nnctl("predict", table, "-", "-").err


def test_a_folder_stands_for_what_the_network_takes(nnctl: Run, photos: str) -> None:
    Path("new").mkdir()
    Image.fromarray(np.zeros((6, 5, 3), dtype=np.uint8)).save("new/zero.png")
    Path("new/notes.txt").write_text("no photo")
    ran = nnctl("predict", photos, "new", "--json")
    assert (ran.code, [one["file"] for one in ran.json["predictions"]]) == (0, ["new/zero.png"])
    shutil.rmtree("new")
    assert nnctl("predict", photos, "no.png").err.startswith("error: there is no file no.png\n")


def test_numbers_come_in_their_own_units(nnctl: Run, write: Write) -> None:
    body = [[str(i), str(i % 7), str(1000 + 3 * i - i % 7 + 0.5)] for i in range(50)]
    write_rows("rows.csv", body, ("age", "kind", "price"))
    assert nnctl("train", write(PRICES), "--run", "run").code == 0
    tensors, metadata = weights_of("run")
    mean, std = (np.array(json.loads(metadata[key])) for key in ("mean", "std"))
    write_rows("new.csv", [["12", "3"]], ("age", "kind"))
    (found,) = package.predict("run", ["new.csv"]).predictions
    expected = tensors["linear1.weight"] @ ((np.array([12, 3]) - mean) / std) + tensors["linear1.bias"]
    assert found.value == pytest.approx(expected[0], rel=1e-5)
    assert (found.label, found.top) == (None, None)
    assert nnctl("predict", "run", "new.csv").out.splitlines()[0].split() == ["file", "row", "value"]
    assert nnctl("predict", "run", "new.csv", "--csv").out.splitlines()[0] == "file,row,value"
    result = nnctl("eval", "run", "--json").json
    assert {"rmse", "mae", "r2"} <= set(result)


@pytest.fixture
def photos(nnctl: Run, write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    spec = write(PHOTOS)
    monkeypatch.setenv("NNCTL_CACHE", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    for name in ("cat", "dog", "owl"):
        Path("photos", name).mkdir(parents=True)
        for number in range(8):
            Image.fromarray(rng.integers(0, 256, (6, 5, 3), dtype=np.uint8)).save(f"photos/{name}/{number}.png")
    assert nnctl("train", spec, "--run", "run").code == 0
    return "run"


def test_photos_get_the_size_of_the_training(nnctl: Run, photos: str) -> None:
    shutil.rmtree("photos")
    pixels = np.random.default_rng(1).integers(0, 256, (6, 5, 3), dtype=np.uint8)
    Path("new").mkdir()
    Image.fromarray(pixels).save("new/small.png")
    large = Image.fromarray(pixels).resize((90, 60), Image.Resampling.BICUBIC)
    large.save("new/large.png")
    box = (20, 0, 70, 60)  # the middle, of the training's proportions
    large.resize((5, 6), Image.Resampling.BILINEAR, box=box).save("new/cut.png")
    Path("new/broken.jpg").write_bytes(b"\xff\xd8 no photo")
    ran = nnctl("predict", photos, "new", "--json", "--top", "2")
    assert ran.code == 2
    cut, whole, small = ran.json["predictions"]
    assert (cut["file"], whole["file"]) == ("new/cut.png", "new/large.png")
    assert cut["top"] == whole["top"]
    assert (small["file"], "row" in small, len(small["top"])) == ("new/small.png", False, 2)
    assert [error["code"] for error in ran.json["errors"]] == ["unreadable"]
    assert "new/broken.jpg cannot be read" in ran.json["errors"][0]["message"]
    tensors, metadata = weights_of(photos)
    mean, std = (np.array(json.loads(metadata[key]))[:, None, None] for key in ("mean", "std"))
    x = ((pixels.transpose(2, 0, 1) / 255 - mean) / std).reshape(-1)
    logits = tensors["linear1.weight"] @ x + tensors["linear1.bias"]
    shares = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    assert small["label"] == ["cat", "dog", "owl"][int(shares.argmax())]
    assert small["probability"] == pytest.approx(shares.max(), rel=1e-4)
    assert nnctl("predict", photos, "new/small.png").out.splitlines()[0].split() == ["file", "class", "others"]
    Path("none").mkdir()
    assert "none has no photos, which the network takes" in nnctl("predict", photos, "none").err


def test_grey_digits_and_plain_rows(nnctl: Run, write: Write) -> None:
    spec = "name: digits\ndata: {dataset: digits}\nmodel: {layers: [flatten, linear: $classes]}\n" + RECIPE
    assert nnctl("train", write(spec), "--run", "digits").code == 0
    Image.fromarray(np.full((20, 20, 3), (255, 0, 0), dtype=np.uint8)).save("red.png")
    Image.fromarray(np.full((8, 8), 76, dtype=np.uint8)).save("grey.png")  # 0.299 · 255
    red, grey = package.predict("digits", ["red.png", "grey.png"]).predictions
    assert red.top == grey.top
    spec = spec.replace("flatten, ", "").replace("digits", "iris")
    assert nnctl("train", write(spec), "--run", "iris").code == 0
    write_rows("new.csv", [["5.1", "3.5", "1.4", "0.2"]], ("a", "b", "c", "d"))
    (found,) = package.predict("iris", ["new.csv"], top=2).predictions
    assert found.top is not None
    assert len(found.top) == 2
    write_rows("short.csv", [["5.1", "3.5"]], ("a", "b"))
    assert "short.csv has 2 columns, the network takes 4 numbers" in nnctl("predict", "iris", "short.csv").err
    write_rows("bare.csv", [["5.1", "3.5", "1.4", "0.2"]], ("5.0", "3.4", "1.5", "0.3"))
    assert "the first line holds numbers" in nnctl("predict", "iris", "bare.csv").err


def test_digits_as_pictures_are_predicted_as_the_set_is(nnctl: Run, write: Write) -> None:
    spec = "name: digits\ndata: {dataset: digits}\nmodel: {layers: [flatten, linear: $classes]}\n" + RECIPE
    assert nnctl("train", write(spec), "--run", "digits").code == 0
    raw = load_digits().images[:60]  # from 0 to 16
    for number, image in enumerate(raw):
        Image.fromarray(np.rint(image * 255 / 16).astype(np.uint8)).save(f"{number:02}.png")
    found = package.predict("digits", [f"{number:02}.png" for number in range(60)], top=10)
    tensors, metadata = weights_of("digits")
    mean, std = (np.array(json.loads(metadata[key])) for key in ("mean", "std"))
    logits = ((raw.reshape(60, 64) / 255 - mean) / std) @ tensors["linear1.weight"].T + tensors["linear1.bias"]
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    assert [one.label for one in found.predictions] == [str(label) for label in shares.argmax(1)]
    assert [one.probability for one in found.predictions] == pytest.approx(shares.max(1), rel=1e-4)
    assert found.notes == ()


def test_photos_of_another_size_or_colour_are_told(nnctl: Run, write: Write) -> None:
    spec = "name: digits\ndata: {dataset: digits}\nmodel: {layers: [flatten, linear: $classes]}\n" + RECIPE
    assert nnctl("train", write(spec), "--run", "digits").code == 0
    Image.fromarray(np.full((20, 8, 3), (255, 0, 0), dtype=np.uint8)).save("red.png")
    Image.fromarray(np.full((8, 8), 76, dtype=np.uint8)).save("grey.png")
    assert nnctl("predict", "digits", "red.png", "grey.png").err.splitlines() == [
        "note: 1 of 2 is not 8×8, the size of the training: scaled and cut to it",
        "note: 1 of 2 is in colour, and the training in grey: its brightness is taken",
    ]
    assert nnctl("predict", "digits", "grey.png").err == ""
    assert len(nnctl("predict", "digits", "red.png", "--json").json["notes"]) == 2


@pytest.mark.parametrize(
    ("last", "loss", "rule"),
    [
        ("linear: 2", "cross_entropy", "softmax"),
        ("linear: 1", "bce", "sigmoid"),
        ("linear: 2, softmax", "mse", "none"),
        ("linear: 2", "mse", None),
    ],
)
def test_what_is_a_probability(last: str, loss: str, rule: str | None, nnctl: Run, write: Write) -> None:
    layers = ", ".join(f"{{{part}}}" if ":" in part else part for part in last.split(", "))
    spec = f"name: p\ndata: {{dataset: xor, validation: 0}}\nmodel: {{layers: [{layers}]}}\n"
    recipe = f"train: {{epochs: 1, loss: {loss}, optimizer: {{sgd: 0.1}}, batch_size: all}}"
    assert nnctl("train", write(spec + recipe), "--run", "run").code == 0
    write_rows("new.csv", [["0", "1"], ["1", "1"]], ("a", "b"))
    tensors, _ = weights_of("run")
    for one, x in zip(package.predict("run", ["new.csv"]).predictions, ([0, 1], [1, 1]), strict=True):
        output = tensors["linear1.weight"] @ np.array(x) + tensors["linear1.bias"]
        if rule is None:
            assert one.probability is None
            assert one.label == str(output.argmax())
            continue
        odds = np.exp(output) / np.exp(output).sum() if rule != "sigmoid" else 1 / (1 + np.exp(-output))
        expected = [1 - odds[0], odds[0]] if rule == "sigmoid" else list(odds)
        assert one.top is not None
        assert {choice.label: choice.probability for choice in one.top} == pytest.approx(
            {"0": expected[0], "1": expected[1]}, rel=1e-5
        )


def test_misuse_is_said(nnctl: Run, table: str) -> None:
    assert nnctl("predict", table).code == 2
    assert nnctl("predict", table, "rows.csv", "--csv", "--json").code == 2
    assert nnctl("predict", table, "rows.csv", "--top", "0").code == 2
    with pytest.raises(CheckpointError):
        package.predict("nowhere", ["rows.csv"])
    with pytest.raises(UsageError):
        package.predict(table, ["rows.csv"], top=0)


def test_eval_measures_all_of_new_rows(nnctl: Run, table: str) -> None:
    shutil.copy("rows.csv", "moved.csv")
    at = "data.dataset.csv.path="
    before = nnctl("eval", table, "--json").json
    assert before["n"] == 12
    Path("rows.csv").unlink()
    assert nnctl("eval", table, f"{at}moved.csv", "--json").json == before, "data that has only moved"
    write_rows("new.csv", rows(30))
    result = nnctl("eval", table, f"{at}new.csv", "--json").json
    assert (result["split"], result["n"]) == ("test", 30)
    assert result["notes"] == ["this data is not that of the training"]
    told = package.predict(table, ["new.csv"]).predictions
    right = [one.label == row[2] for one, row in zip(told, rows(30), strict=True)]
    assert result["accuracy"] == pytest.approx(sum(right) / 30)
    write_rows("one.csv", [["33", "a", "yes"]])
    assert nnctl("eval", table, f"{at}one.csv", "--json").json["n"] == 1, "a class alone is enough"
    assert "no train split" in nnctl("eval", table, f"{at}new.csv", "--split", "train").err
    write_rows("bad.csv", [["33", "a", "maybe"]])
    ran = nnctl("eval", table, f"{at}bad.csv")
    assert ran.code == 2
    assert 'row 1: the target `answer` is "maybe", which training did not have' in ran.err


def test_eval_says_when_the_data_has_changed(nnctl: Run, table: str) -> None:
    write_rows("rows.csv", [*rows(), ["1", "a", "yes"]])
    result = nnctl("eval", table, "--json").json
    assert result["notes"] == ["the data has changed since training: there may be training samples in this split"]


def test_eval_on_a_new_folder_needs_the_same_classes(nnctl: Run, photos: str) -> None:
    shutil.copytree("photos", "more")
    Image.fromarray(np.zeros((6, 5, 3), dtype=np.uint8)).save("more/cat/new.png")
    at = "data.dataset.image_folder.path="
    assert nnctl("eval", photos, f"{at}more", "--json").json["n"] == 25
    Path("more/owl").rename("more/ox")
    with pytest.raises(DataError, match="other classes than those that the network was trained on"):
        package.evaluate(photos, overrides=[f"{at}more"])
