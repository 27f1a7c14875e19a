"""A request is not kept waiting for a database that has stopped answering.

A frozen server cannot enforce its own statement time-out, and cancelling a query on it waits for
it. So while the database's pulse is silent the caller is told so, and the stuck work is left to be
rolled back on its own.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

from ..security.work import Desk

T = TypeVar("T")

LOOK_EVERY_S = 0.2
LEAST_WAIT_S = 0.5
_left_behind: set[asyncio.Task[Any]] = set()


async def answered_in_time(desk: Desk, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`. Raises TimeoutError when the database falls silent meanwhile."""
    task = asyncio.create_task(work)
    began = time.monotonic()
    try:
        while True:
            done, _ = await asyncio.wait({task}, timeout=LOOK_EVERY_S)
            if done:
                return task.result()
            waited = time.monotonic() - began
            if waited > LEAST_WAIT_S and desk.database.pulse.is_silent:
                raise TimeoutError("the database does not answer")
    finally:
        if not task.done():
            _leave(task)


def _leave(task: asyncio.Task[Any]) -> None:
    """Cancel without waiting; keep a reference until it is over and take its exception."""
    _left_behind.add(task)
    task.cancel()

    def over(finished: asyncio.Task[Any]) -> None:
        _left_behind.discard(finished)
        if not finished.cancelled():
            finished.exception()

    task.add_done_callback(over)
