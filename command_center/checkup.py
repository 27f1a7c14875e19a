"""`command-center check`: looks at the installation from outside and says what is amiss."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from cryptography import x509

from .bootstrap import gateway_socket, node_socket
from .database import sync_url
from .processes import AlreadyRunningError, InstanceLock, http_json, wire_answers
from .schema_state import newest_revision, stored_revision
from .settings import Settings

LEAST_DISK_BYTES = 2 * 1024**3
CJK_FONTS = ("NotoSansCJK", "NotoSerifCJK", "NotoSansSC", "SourceHanSans", "wqy")
FONT_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".fonts")


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the check. `is_fatal` findings make the command fail."""

    key: str
    is_good: bool
    detail: str
    is_fatal: bool = True


def settings_in_force(settings: Settings) -> Settings:
    """What the running installation wrote for its children, else what we were given."""
    file = settings.run_dir / "settings.json"
    if not file.exists():
        return settings
    return Settings.model_validate_json(file.read_text("utf-8"))


def is_running(settings: Settings) -> bool:
    if not (settings.run_dir / "serve.lock").exists():
        return False
    try:
        with InstanceLock(settings.run_dir / "serve.lock"):
            return False
    except AlreadyRunningError:
        return True


def look(settings: Settings) -> list[Finding]:
    """Every finding, in the order to read them."""
    findings = [_python(), _font(), _console(), _disk(settings)]
    if not is_running(settings):
        if settings.database_url is not None:
            findings += _database(settings.database_url)
        return [*findings, Finding("check_not_running", True, str(settings.var_dir), False)]
    settings = settings_in_force(settings)
    if settings.certificate_file is not None:
        findings.append(_certificate(settings.certificate_file))
    if settings.database_url is not None:
        findings += _database(settings.database_url)
    return findings + asyncio.run(_processes(settings))


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("check_python", sys.version_info >= (3, 11), version)


def _font() -> Finding:
    """Captions need a CJK font; without one site names are boxes."""
    for folder in FONT_FOLDERS:
        for name in CJK_FONTS:
            found = next(folder.rglob(f"{name}*.tt[cf]"), None) if folder.is_dir() else None
            if found is not None:
                return Finding("check_font", True, str(found))
    return Finding("check_font", False, "apt-get install fonts-noto-cjk", is_fatal=False)


def _console() -> Finding:
    index = Path(__file__).parent / "web" / "dist" / "index.html"
    detail = str(index.parent) if index.exists() else "make setup"
    return Finding("check_console", index.exists(), detail, is_fatal=False)


def _disk(settings: Settings) -> Finding:
    folder = settings.var_dir if settings.var_dir.exists() else Path()
    free = shutil.disk_usage(folder).free
    return Finding("check_disk", free > LEAST_DISK_BYTES, f"{free / 1024**3:.1f} GiB")


def _certificate(file: Path) -> Finding:
    try:
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
    except (OSError, ValueError) as error:
        return Finding("check_certificate", False, f"{file}: {type(error).__name__}")
    left = certificate.not_valid_after_utc - datetime.now(UTC)
    return Finding("check_certificate", left.days > 7, f"{left.days} d")


def _database(url: str) -> list[Finding]:
    try:
        with psycopg.connect(sync_url(url), connect_timeout=3) as connection:
            server = connection.info.server_version // 10000
        stored = stored_revision(url)
    except psycopg.Error as error:
        return [Finding("check_database", False, type(error).__name__)]
    newest = newest_revision(url)
    return [
        Finding("check_database", True, f"PostgreSQL {server}"),
        Finding("check_schema", stored == newest, f"{stored or '-'} / {newest}"),
    ]


async def _processes(settings: Settings) -> list[Finding]:
    is_any = settings.listen_host in ("0.0.0.0", "::")  # noqa: S104 - compared, not bound
    host = "127.0.0.1" if is_any else settings.listen_host
    health = await http_json(
        host,
        settings.listen_port,
        "/api/v1/health",
        is_https=settings.certificate_file is not None,
    )
    wires: list[tuple[str, Callable[[Settings], Path]]] = [
        ("check_node", node_socket),
        ("check_gateway", gateway_socket),
    ]
    findings = [
        Finding(key, await wire_answers(path(settings)), str(path(settings))) for key, path in wires
    ]
    status = str((health or {}).get("status", "-"))
    return [*findings, Finding("check_web", status == "ok", f"{host}:{settings.listen_port}")]
