"""Every test of data has a cache and a root of its own, and no network."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

import pytest

REAL = Path(__file__).parents[2].parent / "shared" / "data"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("NNCTL_CACHE", str(folder))
    return folder


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise urllib.error.URLError("there is no network")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)


@pytest.fixture
def real_data() -> Path:
    if not (REAL / "MNIST" / "raw").is_dir():
        pytest.skip(f"real data is not at {REAL}")
    return REAL
