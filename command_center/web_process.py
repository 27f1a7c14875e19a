"""The web process: serves the application until SIGTERM, or until its parent is gone."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl

from aiohttp import web

from .bootstrap import build_web
from .processes import configure_logs, exit_when_orphaned, leave
from .settings import Settings

SHUTDOWN_S = 1.0


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """TLS 1.2 and up with the certificate files of the settings; None: plain http."""
    if settings.certificate_file is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(settings.certificate_file, settings.key_file)
    return context


async def _run(settings: Settings, database_url: str) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    runner = web.AppRunner(
        build_web(settings, database_url), shutdown_timeout=SHUTDOWN_S, access_log=None
    )
    await runner.setup()
    try:
        site = web.TCPSite(
            runner,
            settings.listen_host,
            settings.listen_port,
            ssl_context=tls_context(settings),
            reuse_address=True,
        )
        await site.start()
        await stopping.wait()
    finally:
        await runner.cleanup()


def run_web(settings: Settings, database_url: str) -> None:
    """Blocks until stopped, then ends the process."""
    exit_when_orphaned(os.getppid())
    configure_logs("web")
    asyncio.run(_run(settings, database_url))
    leave()
