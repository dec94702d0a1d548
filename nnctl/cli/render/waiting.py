"""How far long work is, on one line that is redrawn, or now and then on a new one where nobody watches."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from nnctl.cli.render.numbers import duration, share_done, thousands

if TYPE_CHECKING:
    from nnctl.cli.terminal import Terminal
    from nnctl.data.progress import Progress

_REDRAWN, _SPOKEN = 0.1, 10.0


@contextmanager
def waiting(to: Terminal) -> Iterator[Progress]:
    """Give a function that tells how far work is; what it drew is gone when the block ends."""
    view = _Waiting(to)
    try:
        yield view
    finally:
        view.clear()


class _Waiting:
    def __init__(self, to: Terminal) -> None:
        self._to = to
        self._what = ""
        self._began = self._spoke = time.monotonic()
        self._first = 0
        self._drawn = 0

    def __call__(self, what: str, done: int, total: int | None) -> None:
        now, begins = time.monotonic(), what != self._what
        told = begins and (self._to.interactive or not self._what)  # lines that stay are told at the start alone
        if begins:
            self._what, self._began, self._first = what, now, done
        if not told and now - self._spoke < (_REDRAWN if self._to.interactive else _SPOKEN):
            return
        self._spoke = now
        line = f"{what}: {thousands(done)}" if done else f"{what} …"
        if total:
            line = f"{what}: {share_done(done, total)} of {thousands(total)}"
        if total and done > self._first:
            left = (now - self._began) * (total - done) / (done - self._first)
            line += f", {duration(left)} left"
        if not self._to.interactive:
            self._to.print(line)
            return
        self._to.stream.write("\r" + line.ljust(self._drawn))
        self._to.stream.flush()
        self._drawn = len(line)

    def clear(self) -> None:
        """Take the line away."""
        if self._drawn:
            self._to.stream.write("\r" + " " * self._drawn + "\r")
            self._to.stream.flush()
