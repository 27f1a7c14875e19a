"""Fixtures that every kind of test may ask for."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg.conninfo import conninfo_to_dict

from command_center.database import Database, EmbeddedPostgres, migrate, sync_url

# How long an example takes is the machine's affair, which may be busy.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def _with_database(url: str, name: str) -> str:
    """The same server, another database."""
    parts = conninfo_to_dict(sync_url(url))
    user, password = parts.get("user", ""), parts.get("password", "")
    login = f"{user}:{password}" if password else f"{user}"
    host, port = str(parts.get("host", "")), parts.get("port")
    if host.startswith("/"):
        return f"postgresql://{login}@/{name}?host={host}" + (f"&port={port}" if port else "")
    return f"postgresql://{login}@{host}:{port or 5432}/{name}"


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """One server for the session: $DATABASE_URL or the embedded one in a temporary folder.

    Not in pytest's own temporary folder: other pytest runs close and clean that while we serve.
    """
    given = os.environ.get("DATABASE_URL")
    if given:
        yield given
        return
    folder = Path(tempfile.mkdtemp(prefix="cc-test-"))
    server = EmbeddedPostgres(folder / "postgres", durable=False)
    try:
        yield server.start()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def migrated_template(postgres_url: str) -> Iterator[str]:
    """The name of a migrated database that test databases are copied from."""
    name = f"template_{uuid4().hex[:12]}"
    with psycopg.connect(sync_url(postgres_url), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        migrate(_with_database(postgres_url, name))
        yield name
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def database_url(postgres_url: str, migrated_template: str) -> Iterator[str]:
    """A fresh migrated database for the test module."""
    name = f"test_{uuid4().hex[:12]}"
    with psycopg.connect(sync_url(postgres_url), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {migrated_template}")
        yield _with_database(postgres_url, name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The module's database, opened for one test."""
    opened = Database(database_url, pool_size=10)
    yield opened
    await opened.close()
