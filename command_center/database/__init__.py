"""The database room: starts the embedded PostgreSQL or uses a real one, opens sessions, migrates.

The request or job edge commits; services never do. Tables live in each room's `tables.py`.
"""

from .engine import Database
from .ids import new_id
from .migrate import migrate
from .postgres import EmbeddedPostgres, PostgresError
from .urls import async_url, sync_url

__all__ = [
    "Database",
    "EmbeddedPostgres",
    "PostgresError",
    "async_url",
    "migrate",
    "new_id",
    "sync_url",
]
