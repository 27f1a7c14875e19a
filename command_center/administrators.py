"""The first three administrators of an installation, and a new password for one who lost his.

Only on the machine itself: nobody in the console can make an administrator's password, so that
the three stay three people (GB/T 22239-2019, 8.1.5).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from .bootstrap import build_desk
from .console_text import chinese
from .database import Database
from .security import (
    SYSTEM,
    AdministratorUnknownError,
    Desk,
    LogIn,
    NewAccount,
    Passwords,
    Role,
    UsernameTakenError,
    create_account,
    random_password,
    reset_administrator,
)
from .settings import Settings

FIRST = {
    "system-admin": Role.SYSTEM_ADMIN,
    "security-admin": Role.SECURITY_ADMIN,
    "audit-admin": Role.AUDIT_ADMIN,
}

T = TypeVar("T")

__all__ = ["AdministratorUnknownError", "UsernameTakenError", "make_first", "reset"]


def make_first(settings: Settings, database_url: str, region_code: str) -> list[tuple[str, str]]:
    """Log-in name and first password of each; all or none. Raises UsernameTakenError."""

    async def make(desk: Desk) -> list[tuple[str, str]]:
        told = []
        async with desk.work(SYSTEM) as work:
            for username, role in FIRST.items():
                new = NewAccount(
                    username,
                    chinese(f"role_{role.value}"),
                    random_password(),
                    frozenset({role}),
                    region_code,
                    must_change_password=True,
                )
                await create_account(work, Passwords(), new)
                told.append((username, new.password))
        return told

    return asyncio.run(_with_desk(settings, database_url, make))


def reset(settings: Settings, database_url: str, username: str) -> str:
    """The administrator's new first password; the second factor is dropped, sessions end.

    Raises AdministratorUnknownError.
    """

    async def renew(desk: Desk) -> str:
        async with desk.work(SYSTEM) as work:
            return await reset_administrator(work, LogIn(desk, Passwords()), username)

    return asyncio.run(_with_desk(settings, database_url, renew))


async def _with_desk(
    settings: Settings, database_url: str, act: Callable[[Desk], Awaitable[T]]
) -> T:
    database = Database(database_url, pooled=False)
    try:
        return await act(build_desk(settings, database))
    finally:
        await database.close()
