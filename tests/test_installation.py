"""The package is found wherever Python starts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_a_folder_of_the_same_name_does_not_hide_the_package(tmp_path: Path) -> None:
    (tmp_path / "nnctl").mkdir()  # as the clone lies in its parent
    done = subprocess.run([sys.executable, "-c", "import nnctl; nnctl.load_spec"], cwd=tmp_path, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
