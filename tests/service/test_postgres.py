"""The embedded PostgreSQL: it comes back after anything and never runs twice over one folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from command_center.database import EmbeddedPostgres


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="cc-postgres-") as name:
        yield Path(name) / "postgres"


def write(url: str, value: int) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (value int)")
        connection.execute("INSERT INTO kept VALUES (%s)", [value])


def read(url: str) -> list[int]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("SELECT value FROM kept ORDER BY value")]


def test_committed_rows_are_there_after_kill_9(folder: Path) -> None:
    """kill -9 of the postmaster, its backends still alive, then a new start over the folder."""
    first = EmbeddedPostgres(folder)
    url = first.start()
    write(url, 1)
    open_backend = psycopg.connect(url)
    assert first.pid is not None
    os.kill(first.pid, signal.SIGKILL)
    first.stop()
    second = EmbeddedPostgres(folder)
    try:
        assert read(second.start()) == [1]
    finally:
        open_backend.close()
        second.stop()


def test_a_pid_file_that_names_a_stranger_does_not_stop_the_start(folder: Path) -> None:
    """Numbers come round again, in containers at once: ours names this very process."""
    server = EmbeddedPostgres(folder, durable=False)
    server.start()
    server.stop()
    (folder / "postmaster.pid").write_text(f"{os.getpid()}\n{folder}\n1\n5432\n\n\n\nready\n")
    try:
        server.start()
    finally:
        server.stop()


def test_a_second_starter_uses_the_first_ones_server(folder: Path) -> None:
    """`command-center migrate` beside a running `serve` must not start another, nor stop it."""
    owner = EmbeddedPostgres(folder, durable=False)
    write(owner.start(), 7)
    try:
        guest = EmbeddedPostgres(folder)
        assert read(guest.start()) == [7]
        assert not guest.is_owner
        guest.stop()
        assert read(guest.start()) == [7]
    finally:
        owner.stop()


def test_the_server_dies_with_the_process_that_started_it(folder: Path) -> None:
    """kill -9 of the parent leaves no server behind, and the next start finds everything."""
    script = (
        "import sys, time; from pathlib import Path\n"
        "from command_center.database import EmbeddedPostgres\n"
        f"s = EmbeddedPostgres(Path({str(folder)!r})); print(s.start(), s.pid, flush=True)\n"
        "time.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert parent.stdout is not None
    url, pid = parent.stdout.readline().split()
    write(url, 3)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 15
    while Path(f"/proc/{pid}/cwd").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    server = EmbeddedPostgres(folder)
    try:
        assert read(server.start()) == [3]
    finally:
        server.stop()


def test_a_long_path_gets_a_short_socket() -> None:
    """A Unix socket's path holds 107 bytes; checkouts lie deeper than that."""
    with tempfile.TemporaryDirectory(prefix="cc-postgres-") as name:
        folder = Path(name) / ("deep-" * 12) / ("deeper-" * 8) / "postgres"
        server = EmbeddedPostgres(folder, durable=False)
        try:
            write(server.start(), 1)
        finally:
            server.stop()


def test_a_half_made_folder_is_made_again(folder: Path) -> None:
    """initdb killed half-way leaves a folder without PG_VERSION."""
    folder.mkdir(parents=True, mode=0o700)
    (folder / "base").mkdir()
    server = EmbeddedPostgres(folder, durable=False)
    try:
        write(server.start(), 1)
    finally:
        server.stop()
