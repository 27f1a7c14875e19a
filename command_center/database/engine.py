"""The engine and its sessions. Every statement has a time-out, so that a frozen database shows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import NullPool, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from .pulse import Pulse
from .urls import async_url

STATEMENT_TIMEOUT_MS = 2500
LOCK_TIMEOUT_MS = 2000


class Database:
    """One pool of connections. Open a session per request; `session.begin()` is the edge's.

    `pooled=False` opens a connection per session (tests, short-lived tools).
    """

    def __init__(self, url: str, *, pool_size: int = 20, pooled: bool = True) -> None:
        self.url = url
        options = (
            f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout={LOCK_TIMEOUT_MS} "
            "-c idle_in_transaction_session_timeout=15000 -c timezone=UTC"
        )
        kwargs: dict[str, Any] = {"poolclass": NullPool}
        if pooled:
            kwargs = {
                "pool_size": pool_size,
                "max_overflow": 10,
                "pool_timeout": 10,  # a frozen server is noticed by the edge, beside the pool
                "pool_pre_ping": True,
                "pool_recycle": 1800,
            }
        connect: dict[str, Any] = {
            "options": options,
            "connect_timeout": 2,
            "prepare_threshold": None,
        }
        self.engine: AsyncEngine = create_async_engine(
            async_url(url), connect_args=connect, **kwargs
        )
        self.pulse = Pulse(url)
        self._probe: AsyncEngine = create_async_engine(
            async_url(url), connect_args=connect, poolclass=NullPool
        )
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """A session without a transaction yet; closing it rolls back what was not committed."""
        async with self._sessions() as session:
            yield session

    async def is_answering(self) -> bool:
        """Whether a trivial query succeeds now, beside the pool, which may be busy."""
        try:
            async with self._probe.connect() as connection:
                await connection.execute(text("SELECT 1"))
        except (OperationalError, DBAPIError, TimeoutError, OSError):
            return False
        return True

    async def close(self) -> None:
        await self.pulse.stop()
        await self.engine.dispose()
        await self._probe.dispose()
