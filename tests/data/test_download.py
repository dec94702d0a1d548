from __future__ import annotations

import functools
import hashlib
import http.server
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from nnctl.data.download import DownloadFailed, Source, fetch
from nnctl.data.progress import silent

_OPEN = urllib.request.urlopen
CONTENT = bytes(range(256)) * 3000
SOURCE = Source("set.gz", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, offline: None) -> Iterator[str]:
    """A server of one file on this computer."""
    monkeypatch.setattr(urllib.request, "urlopen", _OPEN)
    served = tmp_path / "served"
    served.mkdir()
    (served / SOURCE.name).write_bytes(CONTENT)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=served)) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


def test_fetches_and_tells(address: str, tmp_path: Path) -> None:
    told: list[tuple[str, int, int | None]] = []
    path = fetch(SOURCE, [address], tmp_path / "new" / "folder", lambda *progress: told.append(progress))
    assert path == tmp_path / "new" / "folder" / "set.gz"
    assert path.read_bytes() == CONTENT
    assert told[-1] == ("downloading set.gz", len(CONTENT), len(CONTENT))
    assert len(told) > 1


def test_goes_on_to_the_next_address(address: str, tmp_path: Path) -> None:
    assert fetch(SOURCE, [f"{address}missing/", address], tmp_path / "new", silent).read_bytes() == CONTENT


@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT[:-1] + b"x", CONTENT + CONTENT, b""])
def test_another_file_is_not_kept(address: str, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "served" / SOURCE.name).write_bytes(content)
    with pytest.raises(DownloadFailed, match="what it gave is another file"):
        fetch(SOURCE, [address], tmp_path / "new", silent)
    assert list((tmp_path / "new").iterdir()) == []


def test_an_interrupted_download_leaves_nothing(address: str, tmp_path: Path) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(SOURCE, [address], tmp_path / "new", interrupt)
    assert list((tmp_path / "new").iterdir()) == []
