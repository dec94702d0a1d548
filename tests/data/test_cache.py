from __future__ import annotations

import errno
import json
import math
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import torch

from nnctl.data.cache import Decoded, Sink, remember
from nnctl.data.stored import cache_root, decoded_sizes
from nnctl.errors import DataError, ResourceError

SHAPE = (1, 2, 2)


class Decoder:
    """Writes three samples and counts how often it is asked."""

    def __init__(self, value: int = 7, names: tuple[str, ...] = ("a", "b")) -> None:
        self.calls, self.value, self.names = 0, value, names

    def __call__(self, sink: Sink) -> Decoded:
        self.calls += 1
        sink.add(bytes([self.value] * 8), [0, 1])
        sink.add(bytes([9] * 4), bytes([1]))
        return Decoded(SHAPE, self.names, ("a note",))


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "source"
    path.write_bytes(b"content")
    return str(path)


def entries(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "datasets").iterdir() if not path.name.endswith(".lock"))


def test_decodes_once(file: str) -> None:
    decode = Decoder()
    first, again = remember([file], {}, decode), remember([file], {}, decode)
    assert decode.calls == 1
    for samples in (first, again):
        assert samples.fields["input"].flatten(1).tolist() == [[7] * 4, [7] * 4, [9] * 4]
        assert samples.fields["input"].shape == (3, *SHAPE)
        assert samples.fields["input"].dtype == torch.uint8
        assert samples.target.tolist() == [0, 1, 1]
        assert samples.class_names == ("a", "b")
        assert samples.notes == ("a note",)
        assert samples.digest == first.digest


def change_size(file: str) -> None:
    stat = os.stat(file)
    Path(file).write_bytes(b"content!")
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def change_time(file: str) -> None:
    stat = os.stat(file)
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))


@pytest.mark.parametrize("change", [change_size, change_time])
def test_a_changed_file_is_decoded_again(file: str, change: Any) -> None:
    decode = Decoder()
    remember([file], {}, decode)
    change(file)
    remember([file], {}, decode)
    assert decode.calls == 2


def test_other_files_and_options_are_other_entries(file: str, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"content")
    os.utime(other, ns=(0, os.stat(file).st_mtime_ns))
    decode = Decoder()
    for files, options in (([file], {}), ([str(other)], {}), ([file, str(other)], {}), ([file], {"size": 3})):
        remember(files, options, decode)
    assert decode.calls == 4


def test_the_digest_is_of_the_content(file: str) -> None:
    digests = [
        remember([file], {"entry": number}, decode).digest
        for number, decode in enumerate((Decoder(), Decoder(), Decoder(8), Decoder(names=("a", "c"))))
    ]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


def test_a_failed_build_leaves_nothing(file: str, cache: Path) -> None:
    def fail(sink: Sink) -> Decoded:
        sink.add(bytes(4), [0])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        remember([file], {}, fail)
    assert entries(cache) == []
    assert len(remember([file], {}, Decoder())) == 3


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("options", [{}, {"size": 3}])
def test_a_killed_build_is_never_taken_for_a_whole(file: str, cache: Path, options: dict[str, int]) -> None:
    """A process that is killed leaves its folder aside behind; the next one, of this entry or another, sweeps it."""
    pid = os.fork()
    if pid == 0:

        def die(sink: Sink) -> Decoded:
            sink.add(bytes(4), [0])
            os.kill(os.getpid(), signal.SIGKILL)
            raise AssertionError("killed")

        try:
            remember([file], {}, die)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    assert [name.endswith(".tmp") for name in entries(cache)] == [True]
    assert decoded_sizes() == {}
    assert len(remember([file], options, Decoder())) == 3
    assert [name.endswith(".tmp") for name in entries(cache)] == [False]


@pytest.mark.parametrize("name", ["inputs.uint8", "labels.int64", "record.json"])
@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: os.truncate(path, 3)])
def test_a_damaged_entry_is_made_again(file: str, cache: Path, name: str, damage: Any) -> None:
    decode = Decoder()
    remember([file], {}, decode)
    (entry,) = entries(cache)
    damage(cache / "datasets" / entry / name)
    assert remember([file], {}, decode).fields["input"].flatten().tolist() == [7] * 8 + [9] * 4
    assert decode.calls == 2


def test_further_labels_are_fields(file: str) -> None:
    def decode(sink: Sink) -> Decoded:
        sink.add(bytes(8), [0, 1], bytes([5, 6]), [7, 8])
        sink.add(bytes(4), [2], [9], [3])
        return Decoded(SHAPE, ("a", "b", "c"), further=("first", "second"))

    for _ in range(2):  # decoded, then from the cache
        samples = remember([file], {}, decode)
        assert samples.target.tolist() == [0, 1, 2]
        assert samples.fields["first"].tolist() == [5, 6, 9]
        assert samples.fields["second"].tolist() == [7, 8, 3]
        assert samples.fields["first"].dtype == torch.int64


LARGER_THAN_MEMORY = """
import os, resource, sys, torch
from nnctl.data.cache import Decoded, remember

source, size, limit = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
pixels = 1 << 20

def decode(sink):
    for number in range(size // pixels):
        sink.add(bytes([number % 251]) * pixels, [number % 2])
    return Decoded((1, 1024, 1024), ("even", "odd"))

torch.zeros(1).add(1)  # what torch itself needs is there
used = int(next(line for line in open("/proc/self/status") if line.startswith("VmData")).split()[1]) * 1024
resource.setrlimit(resource.RLIMIT_DATA, (used + limit, used + limit))
samples = remember([source], {"kind": "large"}, decode)
try:
    whole = samples.fields["input"].clone()
except RuntimeError:
    pass
else:
    raise SystemExit("the limit limits nothing")
for number, image in enumerate(samples.fields["input"].split(16)):
    assert image.flatten(1).float().mean(1).tolist() == [(16 * number + place) % 251 for place in range(len(image))]
print(len(samples), samples.fields["input"].numel())
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the limit on memory is Linux's")
def test_sets_larger_than_memory_are_decoded_and_read(file: str) -> None:
    """A process that may have 160 MB decodes and reads a set of 320 MB, which it could not copy."""
    size, limit = 320 << 20, 160 << 20
    run = [sys.executable, "-c", LARGER_THAN_MEMORY, file, str(size), str(limit)]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["320", str(size)]


def test_sets_larger_than_the_machine_are_mapped(file: str, cache: Path) -> None:
    remember([file], {}, Decoder())
    (entry,) = entries(cache)
    record, rows = cache / "datasets" / entry / "record.json", 3 << 10
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    side = 2 * math.isqrt(memory // rows)
    record.write_text(json.dumps(json.loads(record.read_text()) | {"count": rows, "shape": [1, side, side]}))
    os.truncate(record.with_name("inputs.uint8"), rows * side**2)  # a hole: it takes no room on the disk
    os.truncate(record.with_name("labels.int64"), rows * 8)
    samples = remember([file], {}, Decoder())
    assert samples.fields["input"].numel() > 3 * memory
    assert samples.fields["input"][0, 0, 0, :4].tolist() == [7] * 4
    assert samples.fields["input"][-1, 0, -1].sum() == 0


def test_who_comes_second_waits(file: str) -> None:
    started, proceed = threading.Event(), threading.Event()
    slow, second, found = Decoder(), Decoder(), []

    def decode(sink: Sink) -> Decoded:
        started.set()
        proceed.wait(10)
        return slow(sink)

    first = threading.Thread(target=lambda: found.append(remember([file], {}, decode)))
    first.start()
    started.wait(10)
    other = threading.Thread(target=lambda: found.append(remember([file], {}, second)))
    other.start()
    proceed.set()
    for thread in (first, other):
        thread.join(10)
    assert (slow.calls, second.calls, len(found)) == (1, 0, 2)


def test_what_another_process_makes_is_not_swept(file: str, cache: Path) -> None:
    def decode(sink: Sink) -> Decoded:
        remember([file], {"another": 1}, Decoder())
        return Decoder()(sink)

    assert len(remember([file], {}, decode)) == 3
    assert len(entries(cache)) == 2


def test_how_much_is_kept(file: str, cache: Path) -> None:
    assert decoded_sizes() == {}
    for options in ({"kind": "photos"}, {"kind": "photos", "size": 3}, {"kind": "other"}):
        remember([file], options, Decoder())
    sizes = decoded_sizes()
    records = sum(path.stat().st_size for path in cache.glob("datasets/*/record.json"))
    assert sorted(sizes) == ["other", "photos"]
    assert sum(sizes.values()) == 3 * (12 + 24) + records
    next(cache.glob("datasets/*/record.json")).write_text("{")
    assert sum(decoded_sizes().values()) < sum(sizes.values())


def test_where_the_cache_lies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("NNCTL_CACHE", str(tmp_path / "own"))
    assert cache_root() == tmp_path / "own"
    monkeypatch.delenv("NNCTL_CACHE")
    assert cache_root() == tmp_path / "xdg" / "nnctl"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_root() == tmp_path / ".cache" / "nnctl"


def test_a_cache_that_cannot_be_written_is_named(file: str, cache: Path) -> None:
    cache.write_text("a file where a folder should be")
    with pytest.raises(DataError) as caught:
        remember([file], {}, Decoder())
    assert str(caught.value) == (
        f"error: decoded images cannot be kept in {cache}/datasets: Not a directory\n"
        "\n"
        "hint: set NNCTL_CACHE to another folder"
    )


def test_a_full_disk_is_said(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ResourceError, match="the disk is full: decoded images do not fit in"):
        remember([file], {}, Decoder())


def test_what_cannot_fit_is_refused_before_it_is_decoded(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    decode = Decoder()
    with pytest.raises(ResourceError, match=r"they take 1,000,000,000\.0 GB, .* GB are free"):
        remember([file], {}, decode, size=10**18)
    assert decode.calls == 0
    assert len(remember([file], {}, decode, size=36)) == 3
