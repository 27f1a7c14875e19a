"""`command-center serve`: database, demo, children, banner; and their orderly end.

The database is started before the event loop, from the main thread: it dies with the thread that
started it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from .bootstrap import (
    certificate_folder,
    gateway_socket,
    node_socket,
    public_url,
    worker_mark,
)
from .console_text import Speaker
from .database import EmbeddedPostgres, migrate
from .processes import (
    InstanceLock,
    ensure_certificate,
    http_answers,
    http_json,
    is_loopback,
    local_ipv4_addresses,
    wire_answers,
)
from .schema_state import is_newest
from .seeding import demo_log_ins, seed_demo
from .settings import Settings
from .supervisor import ChildSpec, ChildState, Supervisor

HEALTHY_WITHIN_S = 30.0
WORKER_NICE = 15  # a study yields to everything that people wait for
DATABASE_GRACE_S = 2.0  # then it is stopped as by a power cut, which loses nothing acknowledged


@contextmanager
def database_running(settings: Settings, say: Speaker) -> Iterator[str]:
    """The address of the real PostgreSQL, or of the embedded one, which ends with the block."""
    with database_server(settings, say) as (database_url, _server):
        yield database_url


@contextmanager
def database_server(
    settings: Settings, say: Speaker
) -> Iterator[tuple[str, EmbeddedPostgres | None]]:
    """As `database_running`, with the embedded server itself, None for a real one."""
    if settings.database_url is not None:
        yield settings.database_url, None
        return
    settings.log_dir.mkdir(parents=True, exist_ok=True)
    log = settings.log_dir / "postgres.log"
    server = EmbeddedPostgres(settings.postgres_dir, log=log.absolute())
    is_first = not (settings.postgres_dir / "PG_VERSION").exists()
    say.line("postgres_first" if is_first else "postgres")
    try:
        yield server.start(), server
    finally:
        server.stop(DATABASE_GRACE_S)


@contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM and SIGHUP end us as Ctrl-C does, so that nothing we started is left behind."""
    previous = {
        number: signal.signal(number, signal.default_int_handler)
        for number in (signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, disposition in previous.items():
            signal.signal(number, disposition)


def with_https(settings: Settings, say: Speaker) -> Settings:
    """Beyond loopback phones need https: use the files given or make a certificate."""
    if settings.certificate_file is not None or is_loopback(settings.listen_host):
        return settings
    hosts = [*local_ipv4_addresses(), settings.listen_host]
    if settings.public_url:
        hosts.append(urlsplit(settings.public_url).hostname or "")
    wanted = [host for host in hosts if host not in ("", "0.0.0.0", "::")]  # noqa: S104
    files = ensure_certificate(certificate_folder(settings), wanted, now=datetime.now(UTC))
    say.line("certificate", fingerprint=files.fingerprint_sha256)
    return settings.with_changes(certificate_file=files.certificate, key_file=files.key)


def write_settings(settings: Settings, database_url: str) -> Path:
    """What the children read: the settings in force, readable by us alone."""
    path = settings.run_dir / "settings.json"
    settings.run_dir.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    text = settings.with_changes(database_url=database_url).model_dump_json(indent=2)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def _own_host(settings: Settings) -> str:
    """Where this machine reaches its own web process."""
    is_any = settings.listen_host in ("0.0.0.0", "::")  # noqa: S104 - compared, not bound
    return "127.0.0.1" if is_any else settings.listen_host


def child_specs(settings: Settings, settings_file: Path) -> list[ChildSpec]:
    """Media node, gateway, web process and one worker."""
    ours = [sys.executable, "-m", "command_center"]
    node_argv = [sys.executable, "-m", "video_bridge.node"]
    node_argv += ["--socket", str(node_socket(settings)), "--node-id", "node-1"]
    node_argv += ["--rtp-ports", f"{settings.rtp_port_first}-{settings.rtp_port_last}"]
    node_argv += ["--dscp-audio", settings.dscp_audio, "--dscp-video", settings.dscp_video]
    if settings.media_address:
        node_argv += ["--media-address", settings.media_address]
    host = _own_host(settings)
    is_https = settings.certificate_file is not None
    file = str(settings_file)
    return [
        ChildSpec(
            "node",
            node_argv,
            lambda: wire_answers(node_socket(settings)),
        ),
        ChildSpec(
            "gateway",
            [*ours, "gateway", "--settings", file],
            lambda: wire_answers(gateway_socket(settings)),
            death_signal=signal.SIGTERM,
        ),
        ChildSpec(
            "web",
            [*ours, "web", "--settings", file],
            lambda: http_answers(host, settings.listen_port, "/api/v1/config", is_https=is_https),
        ),
        ChildSpec(
            "worker",
            [*ours, "worker", "--settings", file],
            lambda: _exists(worker_mark(settings)),
            nice=WORKER_NICE,
        ),
    ]


async def _exists(path: Path) -> bool:
    return await asyncio.to_thread(path.exists)


async def _healthy(settings: Settings, stopping: asyncio.Event) -> bool:
    host = _own_host(settings)
    is_https = settings.certificate_file is not None
    deadline = time.monotonic() + HEALTHY_WITHIN_S
    while time.monotonic() < deadline and not stopping.is_set():
        found = await http_json(host, settings.listen_port, "/api/v1/health", is_https=is_https)
        if found is not None and found.get("status") == "ok":
            return True
        await asyncio.sleep(0.2)
    return False


def _reporter(say: Speaker) -> Callable[[str, ChildState, str], None]:
    def report(name: str, state: ChildState, detail: str) -> None:
        if state is ChildState.READY:
            say.line("child_ready", name=name)
        elif state is ChildState.BACKING_OFF:
            say.line("child_crashed", name=name, detail=detail)

    return report


async def supervise(
    settings: Settings, database_url: str, say: Speaker, server: EmbeddedPostgres | None = None
) -> None:
    """Run the children until Ctrl-C or SIGTERM. Raises ChildFailedError when one never starts.

    `server`, our own database, is started again when it dies.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stopping.set)
    supervisor = Supervisor(settings.log_dir, _reporter(say))
    keeper = asyncio.create_task(server.keep()) if server is not None else None
    try:
        for spec in child_specs(settings, write_settings(settings, database_url)):
            supervisor.start(spec)
        if await _is_ready_before(supervisor, stopping):
            is_healthy = await _healthy(settings, stopping)
            log_ins = await asyncio.to_thread(demo_log_ins, settings)
            if not stopping.is_set():
                say.banner(
                    settings,
                    public_url(settings),
                    is_healthy=is_healthy,
                    log_ins=log_ins,
                )
            await stopping.wait()
        say.line("stopping")
    finally:
        if keeper is not None:
            keeper.cancel()
        await supervisor.stop()


async def _is_ready_before(supervisor: Supervisor, stopping: asyncio.Event) -> bool:
    """True when all children are ready, False when we are told to stop meanwhile."""
    ready = asyncio.create_task(supervisor.ready())
    told = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({ready, told}, return_when=asyncio.FIRST_COMPLETED)
        if told.done():
            return False
        ready.result()
    finally:
        for task in (ready, told):
            task.cancel()
        await asyncio.gather(ready, told, return_exceptions=True)
    return True


def serve(settings: Settings, say: Speaker) -> None:
    """Run the installation until it is told to stop.

    Raises AlreadyRunningError, PostgresError, ChildFailedError; KeyboardInterrupt while starting.
    """
    settings = settings.with_changes(var_dir=settings.var_dir.absolute())
    with (
        InstanceLock(settings.run_dir / "serve.lock"),
        terminated_as_interrupted(),
        database_server(settings, say) as (database_url, server),
    ):
        settings = with_https(settings, say)
        if not is_newest(database_url):
            say.line("migrating")
            migrate(database_url)
        if settings.demo:
            seed_demo(settings, database_url, say)
        asyncio.run(supervise(settings, database_url, say, server))
