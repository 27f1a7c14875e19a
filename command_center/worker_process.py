"""A worker: makes draws of coverage studies until SIGTERM. Any number run, on any machine."""

from __future__ import annotations

import asyncio
import os
import signal
from functools import cache

from .bootstrap import build_desk, road_network, worker_mark
from .database import Database, sync_url
from .processes import configure_logs, exit_when_orphaned, leave
from .settings import Settings
from .sweeps.jobs import job_app, work_off


async def _run(settings: Settings, database_url: str) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    database = Database(database_url, pool_size=3)
    app = job_app(
        sync_url(database_url),
        build_desk(settings, database),
        cache(lambda: road_network(settings)),
    )
    mark = worker_mark(settings)
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.write_text(str(os.getpid()), encoding="utf-8")
    try:
        await work_off(app, stopping)
    finally:
        mark.unlink(missing_ok=True)
        await database.close()


def run_worker(settings: Settings, database_url: str) -> None:
    """Blocks until stopped, then ends the process."""
    exit_when_orphaned(os.getppid())
    configure_logs("worker")
    asyncio.run(_run(settings, database_url))
    leave()
