"""`list datasets`: what is on this computer, where, and how large."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from nnctl.data import presence
from nnctl.data.progress import silent
from tests.cli.conftest import Run
from tests.data.samples import dataset


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A root with part of MNIST, an archive of CIFAR-10, and the empty folder of another set."""
    monkeypatch.setenv("NNCTL_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("NNCTL_CACHE", str(tmp_path / "cache"))
    for path, size in (("MNIST/raw/a.gz", 1000), ("MNIST/raw/deeper/b", 24), ("cifar-10-binary.tar.gz", 5000)):
        (tmp_path / "data" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / path).write_bytes(bytes(size))
    (tmp_path / "data" / "FashionMNIST" / "raw").mkdir(parents=True)
    return tmp_path / "data"


def test_says_what_is_there_where_and_how_large(nnctl: Run, root: Path) -> None:
    listed = nnctl("list", "datasets", "--json").json
    assert (listed["root"], listed["cache"]) == (str(root), str(root.parent / "cache" / "datasets"))
    sets = listed["datasets"]
    assert sets["mnist"] == {"present": True, "path": f"{root}/MNIST/raw", "bytes": 1024, "decoded": 0}
    assert sets["cifar10"]["path"] == f"{root}/cifar-10-binary.tar.gz"
    assert sets["cifar10"]["bytes"] == 5000
    assert sets["fashion_mnist"] == {"present": False, "path": None, "bytes": None, "decoded": 0}
    assert set(sets) == {"cifar10", "cifar100", "fashion_mnist", "imagenet", "mnist", "tiny_imagenet"}
    lines = [line.split() for line in nnctl("list", "datasets").out.splitlines()]
    assert ["mnist", "MNIST/raw", "1.0", "KiB"] in lines
    assert ["fashion_mnist", "absent"] in lines


def test_says_what_is_kept_decoded(nnctl: Run, root: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / "set" / name).mkdir(parents=True)
        Image.new("RGB", (4, 4)).save(tmp_path / "set" / name / "0.png")
    dataset(f"image_folder: {tmp_path / 'set'}").read(root, "train", 0, silent)
    kept = sum(file.stat().st_size for file in (tmp_path / "cache").rglob("*") if file.is_file())
    sets = nnctl("list", "datasets", "--json").json["datasets"]
    assert sets["image_folder"] == {"present": None, "path": None, "bytes": None, "decoded": kept}
    assert "image_folder   where a spec says" in nnctl("list", "datasets").out


def test_very_many_files_are_not_counted(nnctl: Run, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "_MOST_FILES", 1)
    found = nnctl("list", "datasets", "--json").json["datasets"]["mnist"]
    assert (found["present"], found["bytes"]) == (True, None)
    lines = [line.split() for line in nnctl("list", "datasets").out.splitlines()]
    assert ["mnist", "MNIST/raw", "many", "files"] in lines


def test_other_families_say_nothing_of_it(nnctl: Run, root: Path) -> None:
    assert set(nnctl("list", "losses", "--json").json) == {"families"}
    assert str(root) not in nnctl("list").out


LIST = """
import sys
from nnctl.cli.app import main
try:
    main(["list", "datasets"])
finally:
    print(sorted({"torch", "torchvision", "numpy", "PIL", "sklearn", "rich"} & set(sys.modules)))
"""


def test_nothing_heavy_is_imported(root: Path) -> None:
    done = subprocess.run([sys.executable, "-c", LIST], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
