"""How the supervisor sees that a child is ready: asked from outside, as its users do."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from pathlib import Path
from typing import Any

PROBE_TIMEOUT_S = 3.0


async def wire_answers(path: Path) -> bool:
    """Whether a control wire greets on its Unix socket."""
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            reader, writer = await asyncio.open_unix_connection(str(path))
            try:
                return len(await reader.readexactly(4)) == 4
            finally:
                writer.close()
    except (OSError, EOFError, TimeoutError):
        return False


async def http_answers(host: str, port: int, path: str, *, is_https: bool) -> bool:
    """Whether a GET of `path` answers 200."""
    return await http_json(host, port, path, is_https=is_https) is not None


async def http_json(host: str, port: int, path: str, *, is_https: bool) -> dict[str, Any] | None:
    """The JSON object a GET of `path` answers with status 200, None otherwise.

    The certificate is our own and may be self-made: it is not verified on this machine.
    """
    context: ssl.SSLContext | None = None
    if is_https:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(host, port, ssl=context)
            try:
                request = f"GET {path} HTTP/1.0\r\nHost: {host}:{port}\r\n\r\n"
                writer.write(request.encode())
                await writer.drain()
                answer = await reader.read(1024 * 1024)
            finally:
                writer.close()
    except (OSError, EOFError, TimeoutError):
        return None
    head, _, body = answer.partition(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n", 1)[0]:
        return None
    with contextlib.suppress(ValueError):
        found = json.loads(body)
        return found if isinstance(found, dict) else None
    return None
