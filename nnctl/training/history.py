"""metrics.jsonl: what was measured, one object a line, cut back to the saved state on resume."""

from __future__ import annotations

import json
from math import isfinite
from pathlib import Path
from types import TracebackType
from typing import Any


class History:
    """The growing file of a run's measures, and the epochs in it."""

    def __init__(self, path: Path, keep: int = 0) -> None:
        """Open the file, kept up to byte `keep`: what follows was written after the state that is resumed."""
        self._file = path.open("a+b")
        self._file.truncate(min(keep, path.stat().st_size))
        self._file.seek(0)
        lines = [json.loads(line) for line in self._file.read().splitlines()]
        self.epochs: list[dict[str, Any]] = [line for line in lines if line["event"] == "epoch"]

    def __enter__(self) -> History:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def add(self, event: str, values: dict[str, Any]) -> None:
        """Append an object; numbers that are not finite have no place in JSON and become null."""
        line = {"event": event} | {key: _json_number(value) for key, value in values.items()}
        self._file.write(json.dumps(line, allow_nan=False).encode() + b"\n")
        if event == "epoch":
            self._file.flush()
            self.epochs.append(line)

    def flush(self) -> int:
        """Write what is buffered and return the file's length."""
        self._file.flush()
        return self._file.tell()


def _json_number(value: Any) -> Any:
    return None if isinstance(value, float) and not isfinite(value) else value
