"""Seeds the demonstration when the database is empty, and tells its log-ins."""

from __future__ import annotations

import asyncio

import psycopg

from .bootstrap import build_desk
from .console_text import CREDENTIALS_FILE, Speaker
from .database import Database, sync_url
from .security import Passwords
from .settings import Settings


def seed_demo(settings: Settings, database_url: str, say: Speaker) -> bool:
    """Write the demonstration unless there is data. Whether it was written."""
    return asyncio.run(_seed(settings, database_url, say))


def _has_data(database_url: str) -> bool:
    """Asked before the demonstration is loaded: its maps and roads cost a second of start-up."""
    with psycopg.connect(sync_url(database_url)) as connection:
        row = connection.execute(
            "SELECT EXISTS (SELECT FROM account) OR EXISTS (SELECT FROM organisation)"
        ).fetchone()
    return bool(row and row[0])


async def _seed(settings: Settings, database_url: str, say: Speaker) -> bool:
    if _has_data(database_url):
        return False
    from . import demo

    say.line("seeding")
    database = Database(database_url, pooled=False)
    try:
        file = settings.var_dir / CREDENTIALS_FILE
        seeded = await demo.seed(build_desk(settings, database), Passwords(), file)
        return seeded is not None
    finally:
        await database.close()


class OtherAccountsError(Exception):
    """The database holds accounts that are not the demonstration's: it is not cleared."""

    code = "other_accounts"


def clear_demo(database_url: str) -> None:
    """Empty a database that holds the demonstration alone. Raises OtherAccountsError."""
    asyncio.run(_clear(database_url))


async def _clear(database_url: str) -> None:
    from . import demo

    database = Database(database_url, pooled=False)
    try:
        async with database.session() as session, session.begin():
            if not await demo.is_only_demo(session):
                raise OtherAccountsError()
            await demo.clear(session)
    finally:
        await database.close()


def demo_log_ins(settings: Settings) -> list[tuple[str, str, str]]:
    """Log-in name, password and whose they are; none without a demonstration."""
    from . import demo

    file = settings.var_dir / CREDENTIALS_FILE
    return demo.banner_log_ins(file) if settings.demo else []
