"""Which schema a database has and which one the code wants, without loading any table."""

from __future__ import annotations

import psycopg

from .database import sync_url


def stored_revision(database_url: str) -> str:
    """The revision the database was brought to; empty for a database without schema."""
    with psycopg.connect(sync_url(database_url), connect_timeout=5) as connection:
        known = connection.execute("SELECT to_regclass('alembic_version')").fetchone()
        if known is None or known[0] is None:
            return ""
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else ""


def newest_revision(database_url: str) -> str:
    """The newest revision in the code."""
    from alembic.script import ScriptDirectory

    from .database.migrate import alembic_config

    config = alembic_config(database_url)
    return ScriptDirectory.from_config(config).get_current_head() or ""


def is_newest(database_url: str) -> bool:
    """Whether there is nothing to migrate: asked at each start, which is a second faster by it."""
    return stored_revision(database_url) == newest_revision(database_url)
