"""Where named data sets lie."""

from __future__ import annotations

import os
from pathlib import Path

from nnctl.spec.sections import Data


def data_root(data: Data) -> Path:
    """Return `data.root`, else $NNCTL_DATA, else ./data, absolute."""
    return Path(data.root).expanduser().absolute() if data.root else default_root()


def default_root() -> Path:
    """Return $NNCTL_DATA, else ./data, absolute: the root of a spec that names none."""
    return Path(os.environ.get("NNCTL_DATA") or "data").expanduser().absolute()
