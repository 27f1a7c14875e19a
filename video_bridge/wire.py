"""Length-prefixed JSON over a Unix socket: the control wire's framing, both ends.

A frame is a 4-byte big-endian length and one JSON object {v, id, type, body}. A request carries
an id; its reply has the same id and type `ok` or `error`. Events have no id and a running
`seq`. Peers of another user id are refused (SO_PEERCRED). The gateway's own control wire uses
the same framing with other messages.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import socket
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from .errors import LocalMediaError, NodeUnreachableError, RemoteMediaError, VideoBridgeError

WIRE_VERSION = 1
MAX_FRAME = 4 * 1024 * 1024
_LENGTH = struct.Struct("!I")

Json = dict[str, Any]
Answer = Callable[[str, Json], Awaitable[Json]]


async def _read_frame(reader: asyncio.StreamReader) -> Json:
    (length,) = _LENGTH.unpack(await reader.readexactly(4))
    if length > MAX_FRAME:
        raise RemoteMediaError("wire_frame_too_large", length=length)
    try:
        frame = json.loads(await reader.readexactly(length))
    except ValueError as error:
        raise RemoteMediaError("wire_frame_malformed") from error
    if not isinstance(frame, dict) or frame.get("v") != WIRE_VERSION:
        raise RemoteMediaError("wire_version_unknown")
    return frame


def _frame(**fields: Any) -> bytes:
    payload = json.dumps({"v": WIRE_VERSION, **fields}, ensure_ascii=False).encode()
    return _LENGTH.pack(len(payload)) + payload


class WireServer:
    """Serve requests at `path` (mode 0600) and broadcast events to every connected client.

    `answer(type, body)` returns the reply body or raises a `VideoBridgeError`-like error with
    `code` and `fields`. `hello()` is sent first to every client as the event `hello`.
    """

    def __init__(self, path: Path, answer: Answer, hello: Callable[[], Json]) -> None:
        self._path = path
        self._answer = answer
        self._hello = hello
        self._server: asyncio.Server | None = None
        self._is_stopped = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._seq = itertools.count(1)

    @property
    def client_count(self) -> int:
        return len(self._writers)

    async def start(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.unlink(missing_ok=True)
        self._is_stopped = False
        old = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(self._serve, str(self._path))
        finally:
            os.umask(old)

    async def stop(self) -> None:
        self._is_stopped = True
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._path.unlink(missing_ok=True)

    def broadcast(self, type_: str, body: Json) -> None:
        """Send an event to every client; one that does not read loses its connection."""
        frame = _frame(seq=next(self._seq), type=type_, body=body)
        for writer in list(self._writers):
            if writer.transport.get_write_buffer_size() > MAX_FRAME:
                writer.transport.abort()
                continue
            writer.write(frame)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sock = writer.get_extra_info("socket")
        creds = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        _pid, uid, _gid = struct.unpack("3i", creds)
        if uid not in (os.getuid(), 0) or self._is_stopped:  # accepted before, come to after
            writer.close()
            return
        writer.write(_frame(seq=0, type="hello", body=self._hello()))
        self._writers.add(writer)
        try:
            while True:
                frame = await _read_frame(reader)
                task = asyncio.create_task(self._handle(frame, writer))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        except (asyncio.IncompleteReadError, ConnectionError, VideoBridgeError):
            pass
        except asyncio.CancelledError:
            pass  # the loop ends; asyncio's own callback would log a cancelled handler
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _handle(self, frame: Json, writer: asyncio.StreamWriter) -> None:
        request_id, type_ = frame.get("id"), str(frame.get("type"))
        body = frame.get("body")
        try:
            reply = await self._answer(type_, body if isinstance(body, dict) else {})
            out = _frame(id=request_id, type="ok", body=reply)
        except Exception as error:  # noqa: BLE001 - outermost loop of the request's task
            code = getattr(error, "code", None)
            fields = getattr(error, "fields", {})
            if code is None:
                code, fields = "internal_error", {"error": type(error).__name__, "text": str(error)}
            out = _frame(id=request_id, type="error", body={"code": code, "fields": fields})
        if not writer.is_closing():
            writer.write(out)


class WireClient:
    """Speak to a `WireServer`. Reconnects by itself; requests fail while it is away.

    `on_event(type, body)` is called in order on the event loop. After each (re)connection
    `on_event("hello", body)` comes first: ask for a snapshot there and reconcile.
    """

    def __init__(
        self, path: Path, on_event: Callable[[str, Json], None], *, retry_s: float = 0.5
    ) -> None:
        self._path = path
        self._on_event = on_event
        self._retry_s = retry_s
        self._pending: dict[int, asyncio.Future[Json]] = {}
        self._ids = itertools.count(1)
        self._writer: asyncio.StreamWriter | None = None
        self._task: asyncio.Task[None] | None = None
        self._connected = asyncio.Event()

    @property
    def is_connected(self) -> bool:
        return self._connected.is_set()

    async def start(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def wait_connected(self, timeout_s: float) -> None:
        """Raises NodeUnreachableError when nobody answers in time."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._connected.wait()
        except TimeoutError as error:
            raise NodeUnreachableError(path=str(self._path)) from error

    async def request(self, type_: str, body: Json, *, timeout_s: float = 10.0) -> Json:
        """Send a request and return the reply's body.

        Raises NodeUnreachableError when not connected or no reply comes; LocalMediaError with the
        far side's code and fields when it refuses.
        """
        if self._writer is None:
            raise NodeUnreachableError(path=str(self._path))
        request_id = next(self._ids)
        future: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._pending[request_id] = future
        self._writer.write(_frame(id=request_id, type=type_, body=body))
        try:
            async with asyncio.timeout(timeout_s):
                return await future
        except TimeoutError as error:
            raise NodeUnreachableError("media_node_timeout", request=type_) from error
        finally:
            self._pending.pop(request_id, None)

    async def _run(self) -> None:
        while True:
            try:
                reader, writer = await asyncio.open_unix_connection(str(self._path))
            except OSError:
                await asyncio.sleep(self._retry_s)
                continue
            self._writer = writer
            self._connected.set()
            try:
                while True:
                    self._take(await _read_frame(reader))
            except (asyncio.IncompleteReadError, ConnectionError, VideoBridgeError):
                pass
            finally:
                self._connected.clear()
                self._writer = None
                writer.close()
                for future in self._pending.values():
                    if not future.done():
                        future.set_exception(NodeUnreachableError(path=str(self._path)))
                self._pending.clear()
            self._on_event("disconnected", {})
            await asyncio.sleep(self._retry_s)

    def _take(self, frame: Json) -> None:
        if "seq" in frame:
            self._on_event(str(frame.get("type")), frame.get("body") or {})
            return
        future = self._pending.get(frame.get("id", -1))
        if future is None or future.done():
            return
        body = frame.get("body") or {}
        if frame.get("type") == "ok":
            future.set_result(body)
        else:
            future.set_exception(LocalMediaError(body.get("code"), **(body.get("fields") or {})))
