"""The gateway process: SIP signalling, one per installation, until SIGTERM.

A PostgreSQL advisory lock keeps a second gateway out: two registrars on one database would each
know half of the rooms.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time

import psycopg
import structlog

from sip_gateway import settle_memory

from .bootstrap import build_gateway
from .database import sync_url
from .processes import configure_logs, exit_when_orphaned, leave
from .settings import Settings

GATEWAY_LOCK = 0x43474154
WAIT_FOR_LOCK_S = 15.0
CHECK_EVERY_S = 2.0
_log = structlog.get_logger("command_center.gateway")


class GatewayTakenError(Exception):
    """Another gateway holds the installation."""

    code = "gateway_taken"


async def _take_lock(database_url: str) -> psycopg.AsyncConnection[tuple[object, ...]]:
    """A connection that holds the lock as long as it lives. A dying gateway is waited for."""
    deadline = time.monotonic() + WAIT_FOR_LOCK_S
    connection = await psycopg.AsyncConnection.connect(
        sync_url(database_url), autocommit=True, connect_timeout=5
    )
    while True:
        cursor = await connection.execute("SELECT pg_try_advisory_lock(%s)", (GATEWAY_LOCK,))
        row = await cursor.fetchone()
        if row and row[0]:
            return connection
        if time.monotonic() > deadline:
            await connection.close()
            raise GatewayTakenError()
        await asyncio.sleep(0.2)


async def _hold(connection: psycopg.AsyncConnection[tuple[object, ...]], database_url: str) -> None:
    """Hold the lock; after the database was away take it again. Ends when another took it."""
    while True:
        with contextlib.suppress(psycopg.Error):
            while True:
                await asyncio.sleep(CHECK_EVERY_S)
                await connection.execute("SELECT 1")
        _log.warning("gateway_lock_interrupted")
        with contextlib.suppress(psycopg.Error):
            await connection.close()
        while connection.closed:
            with contextlib.suppress(psycopg.Error):
                connection = await _take_lock(database_url)
                break
            await asyncio.sleep(CHECK_EVERY_S)


async def _run(settings: Settings, database_url: str) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    holding = asyncio.create_task(_hold(await _take_lock(database_url), database_url))
    holding.add_done_callback(lambda _task: stopping.set())
    gateway, close = build_gateway(settings, database_url)
    settle_memory()
    try:
        await gateway.run(stopping)
    finally:
        holding.cancel()
        with contextlib.suppress(asyncio.CancelledError, GatewayTakenError):
            await holding
        await close()


def run_gateway(settings: Settings, database_url: str) -> None:
    """Blocks until stopped, then ends the process. Raises GatewayTakenError, OSError (port)."""
    exit_when_orphaned(os.getppid())
    configure_logs("gateway")
    asyncio.run(_run(settings, database_url))
    leave()
