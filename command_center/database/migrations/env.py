"""Alembic's environment: always online, on the connection or address handed in by the caller."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool

from command_center.database.metadata import collect_tables
from command_center.database.urls import async_url


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=collect_tables(),
        compare_type=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


_connection = context.config.attributes.get("connection")
if _connection is not None:
    _run(_connection)
else:
    _engine = create_engine(async_url(context.config.attributes["url"]), poolclass=NullPool)
    with _engine.connect() as _opened:
        _run(_opened)
