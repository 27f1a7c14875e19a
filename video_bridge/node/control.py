"""Ends the legs of a node that nobody controls any more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

CONTROL_LOST_AFTER_S = 10.0
LOOK_EVERY_S = 0.5


class ControlWatch:
    """Judges how long the node has been without a client; pure, `now` in seconds.

    Nothing is due before the first client came, and each loss is due once.
    """

    def __init__(self, limit_s: float = CONTROL_LOST_AFTER_S) -> None:
        self._limit_s = limit_s
        self._had_client = False
        self._alone_since: float | None = None

    def look(self, clients: int, now: float) -> bool:
        """True once when the limit is passed."""
        if clients > 0:
            self._had_client = True
            self._alone_since = None
            return False
        if not self._had_client:
            return False
        if self._alone_since is None:
            self._alone_since = now
        if now - self._alone_since < self._limit_s:
            return False
        self._had_client = False
        self._alone_since = None
        return True


async def watch_control(
    client_count: Callable[[], int], end_legs: Callable[[], Awaitable[None]]
) -> None:
    """Until cancelled."""
    watch = ControlWatch()
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        if watch.look(client_count(), loop.time()):
            await end_legs()
