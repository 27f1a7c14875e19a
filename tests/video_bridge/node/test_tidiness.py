"""What has ended is given back without waiting for Python's collector."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from video_bridge.allocation.rungs import H264_720P
from video_bridge.node import tidiness
from video_bridge.node.tidiness import COLLECT_AFTER, Tidiness
from video_bridge.programme import Programme
from video_bridge.video.ladder import Rung


class Knot:
    """Holds itself: nothing but the collector frees it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def _collector_rests(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(tidiness, "SETTLE_S", 0.0)
    gc.disable()
    yield
    gc.enable()


async def is_freed_after(ended: int, *, is_idle: bool) -> bool:
    with ThreadPoolExecutor(1) as pool:
        tidy = Tidiness(pool, lambda: is_idle)
        left = weakref.ref(Knot())
        for _ in range(ended):
            tidy.ended()
        await asyncio.sleep(0.05)
        tidy.close()
        pool.shutdown()  # what was given to it is done
        return left() is None


async def test_the_collector_is_called_when_the_last_has_left() -> None:
    """An empty node has time for it."""
    assert await is_freed_after(1, is_idle=True)


async def test_in_a_meeting_the_collector_waits_until_many_have_left() -> None:
    """It stops pictures for some milliseconds: one who leaves is no reason."""
    assert not await is_freed_after(COLLECT_AFTER - 1, is_idle=False)
    assert await is_freed_after(COLLECT_AFTER, is_idle=False)


async def test_a_closed_programme_gives_its_encoders_back_at_once() -> None:
    """A 720p encoder holds 15 MiB; a hundred meetings later that would be the machine's memory."""
    with ThreadPoolExecutor(1) as pool:
        programme = Programme(pool, list, lambda now: (), lambda now: None)
        tap = SimpleNamespace(rung=None, take_picture=lambda frame, now: None)
        programme.taps.append(tap)
        running = asyncio.create_task(programme.run())
        for _ in range(1200):
            if tap.rung is not None and tap.rung.newest is not None:
                break
            await asyncio.sleep(0.05)
        assert isinstance(tap.rung, Rung) and tap.rung.key == H264_720P
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        left = weakref.ref(tap.rung._encoder)
        await programme.close()
    assert left() is None
