"""Checkpoint files: what is refused, and with which words."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

import pytest
import safetensors.torch
import torch
from safetensors import safe_open
from torch import nn

from nnctl.checkpoint import encoded, load_into, read_weights, write_weights
from nnctl.errors import CheckpointError

TENSORS = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.zeros(2)}


def written(tmp_path: Path) -> Path:
    path = tmp_path / "w.safetensors"
    write_weights(path, TENSORS, {"spec": "name: x"})
    return path


def test_what_is_written_is_read(tmp_path: Path) -> None:
    weights = read_weights(written(tmp_path))
    assert all(torch.equal(weights.tensors[name], tensor) for name, tensor in TENSORS.items())
    assert weights.text("spec") == "name: x"
    assert [path.name for path in tmp_path.iterdir()] == ["w.safetensors"]


def test_every_cut_is_noticed(tmp_path: Path) -> None:
    path = written(tmp_path)
    data = path.read_bytes()
    for length in range(len(data)):
        path.write_bytes(data[:length])
        with pytest.raises(CheckpointError, match=r"cannot use .*w\.safetensors"):
            read_weights(path)


def test_every_flipped_bit_of_the_tensors_is_noticed(tmp_path: Path) -> None:
    path = written(tmp_path)
    data = bytearray(path.read_bytes())
    for position in range(len(data) - 32, len(data)):
        data[position] ^= 4
        path.write_bytes(data)
        with pytest.raises(CheckpointError, match="its weights are not those that were written"):
            read_weights(path)
        data[position] ^= 4


def test_flipped_bits_of_the_header_end_in_words(tmp_path: Path) -> None:
    path = written(tmp_path)
    data = bytearray(path.read_bytes())
    for position in range(len(data) - 32):
        for bit in (1, 4, 128):
            data[position] ^= bit
            path.write_bytes(data)
            with suppress(CheckpointError):  # a flip in a text of the metadata leaves the weights as they are
                read_weights(path)
            data[position] ^= bit


@pytest.mark.parametrize(
    "header",
    [
        b"[]",
        b"{}" * 3,
        b'{"__metadata__": []}',
        b'{"__metadata__": {"a": 1}}',
        b'{"a": 1}',
        b'{"a":{},"a":{}}',
        b"[" * 5000,
    ],
)
def test_hostile_headers(tmp_path: Path, header: bytes) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(CheckpointError, match="cannot use"):
        read_weights(path)


@pytest.mark.parametrize("length", [0, 1, 10**8 + 1, 2**63, 2**64 - 1])
def test_hostile_lengths(tmp_path: Path, length: int) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(length.to_bytes(8, "little") + b"{}")
    with pytest.raises(CheckpointError, match="not a whole safetensors file"):
        read_weights(path)


def test_missing_files(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="there is no file"):
        read_weights(tmp_path / "none.safetensors")
    with pytest.raises(CheckpointError, match=r"is a directory without best\.safetensors"):
        read_weights(tmp_path)


def test_other_tools_files_lack_the_spec(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    safetensors.torch.save_file(TENSORS, path)
    with pytest.raises(CheckpointError, match="it has no metadata entry `spec`"):
        read_weights(path).text("spec")


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    safetensors.torch.save_file(TENSORS, path, {"format": "2"})
    with pytest.raises(CheckpointError, match="its format is 2, this nnctl reads 1"):
        read_weights(path)


def test_metadata_that_is_not_json(tmp_path: Path) -> None:
    weights = read_weights(written(tmp_path))
    with pytest.raises(CheckpointError, match="`spec` is not JSON"):
        weights.value("spec")


def test_weights_of_another_network_are_named(tmp_path: Path) -> None:
    net = nn.ModuleDict({"a": nn.Linear(4, 2), "b": nn.Linear(1, 1, bias=False)})
    with pytest.raises(CheckpointError, match="do not fit the network") as caught:
        load_into(net, read_weights(written(tmp_path)))
    assert caught.value.problems[0].details == (
        "missing: b.weight float32 (1, 1)",
        "a.weight: the network has float32 (2, 4), the file float32 (2, 3)",
    )


def test_the_file_is_plain_json_and_bytes(tmp_path: Path) -> None:
    data = written(tmp_path).read_bytes()
    length = int.from_bytes(data[:8], "little")
    assert set(json.loads(data[8 : 8 + length])) == {"__metadata__", *TENSORS}


def test_a_folder_of_runs_names_the_newest(tmp_path: Path) -> None:
    for number, age in ((1, 2000), (2, 1000), (10, 3000)):
        best = tmp_path / str(number) / "best.safetensors"
        best.parent.mkdir()
        best.write_bytes(b"")
        os.utime(best, (10_000 - age, 10_000 - age))
    with pytest.raises(CheckpointError) as caught:
        read_weights(tmp_path)
    assert caught.value.problems[0].hint == f"did you mean {tmp_path / '2'}?"


def test_equal_weights_give_equal_files_and_any_reader_reads_them(tmp_path: Path) -> None:
    tensors = {"b.weight": torch.randn(3, 2), "a.bias": torch.randn(5), "n": torch.tensor(7)}
    metadata = {f"key{number}": f"wert “{number}” ü" for number in range(12)}
    shuffled = dict(reversed(metadata.items()))
    first, second = encoded(tensors, metadata), encoded(tensors, shuffled)
    assert first == second
    path = tmp_path / "a.safetensors"
    path.write_bytes(first)
    with safe_open(path, "pt") as file:
        assert {name: file.get_tensor(name).tolist() for name in file.keys()} == {  # noqa: SIM118  # no mapping
            name: tensor.tolist() for name, tensor in tensors.items()
        }
        assert metadata.items() <= file.metadata().items()
