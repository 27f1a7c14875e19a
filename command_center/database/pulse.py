"""The database's pulse: one connection that asks twice a second whether anybody is there.

A frozen server answers nobody, on the pulse's connection as little as on any other; a busy one
answers the pulse, which takes no place in the pool. So silence here tells frozen from busy. It is
counted in ticks of our own loop, not in seconds: when this process gets no processor, the ticks
come late as well, and the database is not blamed for it.
"""

from __future__ import annotations

import asyncio
import contextlib

import psycopg

from .urls import sync_url

BEAT_S = 0.4
TICK_S = 0.2
SILENT_TICKS = 10  # two seconds for a process that is not starved


class Pulse:
    """`start()` it on the running loop and read `is_silent`."""

    def __init__(self, url: str) -> None:
        self._url = sync_url(url)
        self._ticks = 0
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def is_silent(self) -> bool:
        """Whether the database has answered nothing for two seconds."""
        return self._ticks >= SILENT_TICKS

    def start(self) -> None:
        if not self._tasks:
            self._ticks = 0
            self._tasks = [asyncio.create_task(self._beat()), asyncio.create_task(self._tick())]

    async def stop(self) -> None:
        """Does not wait for a server that is frozen."""
        tasks, self._tasks, self._ticks = self._tasks, [], 0
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=1.0)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._ticks += 1

    async def _beat(self) -> None:
        while True:
            with contextlib.suppress(psycopg.Error, OSError):
                connection = await psycopg.AsyncConnection.connect(
                    self._url, autocommit=True, connect_timeout=2
                )
                async with connection:
                    while True:
                        await connection.execute("SELECT 1")
                        self._ticks = 0
                        await asyncio.sleep(BEAT_S)
            await asyncio.sleep(BEAT_S)
