"""A request is not kept waiting for a database that has stopped answering.

A frozen server cannot enforce its own statement time-out, and cancelling a query on it waits for
it. So after a while the edge asks the database on the side whether it still answers; when it does
not, the caller is told so at once and the stuck work is left to be rolled back on its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from ..security.work import Desk

T = TypeVar("T")

FIRST_LOOK_S = 2.0
LOOK_EVERY_S = 1.0
PROBE_S = 0.5
_left_behind: set[asyncio.Task[Any]] = set()


async def answered_in_time(desk: Desk, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`. Raises TimeoutError when the database stops answering meanwhile."""
    task = asyncio.create_task(work)
    try:
        patience = FIRST_LOOK_S
        while True:
            done, _ = await asyncio.wait({task}, timeout=patience)
            if done:
                return task.result()
            if not await _is_answering(desk):
                _leave(task)
                raise TimeoutError("the database does not answer")
            patience = LOOK_EVERY_S
    except asyncio.CancelledError:
        _leave(task)
        raise


async def _is_answering(desk: Desk) -> bool:
    probe = asyncio.create_task(desk.database.is_answering())
    done, _ = await asyncio.wait({probe}, timeout=PROBE_S)
    if not done:
        _leave(probe)
        return False
    return probe.result()


def _leave(task: asyncio.Task[Any]) -> None:
    """Cancel without waiting; keep a reference until it is over and take its exception."""
    _left_behind.add(task)
    task.cancel()

    def over(finished: asyncio.Task[Any]) -> None:
        _left_behind.discard(finished)
        if not finished.cancelled():
            finished.exception()

    task.add_done_callback(over)
