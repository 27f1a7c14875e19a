"""Memory of those who left, given back while nobody waits for a picture.

A leg and a conference hold each other, so only the collector frees the rest of them, and in a node
it comes seldom (`node.__main__`). It is called after so many have left, and whenever the last one
has: then what the allocator keeps goes back to the system, too.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
from collections.abc import Callable
from concurrent.futures import Executor

COLLECT_AFTER = 32  # ended legs and conferences; with 144 legs a collection takes half a picture
SETTLE_S = 5.0  # until sockets, threads and unused encoders have let go of what has ended


class Tidiness:
    """`ended` for each leg and conference; `close` at the end. `is_idle()`: no leg is there."""

    def __init__(self, pool: Executor, is_idle: Callable[[], bool]) -> None:
        self._pool = pool
        self._is_idle = is_idle
        self._ended = 0
        self._last_at = 0.0
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def ended(self) -> None:
        """One more has left."""
        self._ended += 1
        self._last_at = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_later(SETTLE_S, self._tidy)

    def _tidy(self) -> None:
        self._timer = None
        wait_s = self._last_at + SETTLE_S - self._loop.time()
        is_settled = wait_s <= 0
        if not is_settled:
            self._timer = self._loop.call_later(wait_s, self._tidy)
        is_idle = is_settled and self._is_idle()
        if not is_idle and self._ended < COLLECT_AFTER:
            return
        self._ended = 0
        gc.collect()
        if is_idle:
            self._pool.submit(_trim)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


def _trim() -> None:
    """Where the C library can (glibc)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
