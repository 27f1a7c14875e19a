"""SIP over TCP and TLS: connections in and out, kept and reused (RFC 3261 18.1, RFC 5923)."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import ssl
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from ..sip.message import Request, Response
from ..sip.parser import Broken, KeepAlive, MalformedMessageError, Refused, StreamParser
from ..sip.transaction import Flow
from .udp import plain_host

CONNECT_TIMEOUT_S = 5.0
FIRST_MESSAGE_S = 20.0  # a connection that says nothing is closed
PARTIAL_MESSAGE_S = 20.0  # so is one that stops in the middle of a message
WRITE_LIMIT = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class StreamCallbacks:
    """What the connections tell: messages, malformed ones, failures to connect, ends."""

    on_message: Callable[[Request | Response, Flow], None]
    on_malformed: Callable[[MalformedMessageError, Flow], None]
    on_failed: Callable[[Flow], None]
    on_closed: Callable[[Flow], None]
    admits: Callable[[str], bool]
    on_burst: Callable[[], None]


class _Connection(asyncio.Protocol):
    def __init__(self, owner: StreamTransport, number: int, opened_for: Flow | None) -> None:
        self._owner = owner
        self.number = number
        self.opened_for = opened_for
        self.transport: asyncio.Transport | None = None
        self.flow = opened_for or Flow(owner.name, "", 0, number)
        self._parser = StreamParser()
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError(transport)
        self.transport = transport
        peer = transport.get_extra_info("peername") or ("", 0)
        self.flow = Flow(self._owner.name, plain_host(peer[0]), peer[1], self.number)
        if not self._owner.accepts(self):
            transport.abort()
            return
        if self.opened_for is None:
            self._expect_within(FIRST_MESSAGE_S)

    def data_received(self, data: bytes) -> None:
        calls = self._owner.callbacks
        items = self._parser.feed(data)
        for item in items:
            if not calls.admits(self.flow.host):
                self.abort()
                return
            match item:
                case KeepAlive():
                    self.write(b"\r\n")
                case Refused(error=malformed):
                    calls.on_malformed(malformed, self.flow)
                case Broken(error=lost):
                    calls.on_malformed(lost, self.flow)
                    calls.on_burst()  # answers to what came before leave first
                    self.close()
                    return
                case Request() | Response():
                    calls.on_message(item, self.flow)
        if self._parser.is_mid_message:
            self._expect_within(PARTIAL_MESSAGE_S)
        elif items and self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        calls.on_burst()

    def _expect_within(self, seconds: float) -> None:
        if self._deadline is None:
            self._deadline = asyncio.get_running_loop().call_later(seconds, self.abort)

    def write(self, data: bytes) -> bool:
        transport = self.transport
        if transport is None or transport.is_closing():
            return False
        if transport.get_write_buffer_size() > WRITE_LIMIT:
            self.abort()
            return False
        transport.write(data)
        return True

    def close(self) -> None:
        """Close once what is queued has left."""
        if self.transport is not None:
            self.transport.close()

    def abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._owner.forget(self)
        self._owner.callbacks.on_closed(self.flow)


class StreamTransport:
    """One listener and all connections of one kind; `name` is tcp or tls."""

    def __init__(
        self,
        name: str,
        callbacks: StreamCallbacks,
        *,
        connections: int,
        connections_per_source: int,
        server_ssl: ssl.SSLContext | None = None,
        client_ssl: ssl.SSLContext | None = None,
    ) -> None:
        self.name = name
        self.callbacks = callbacks
        self._limits = connections, connections_per_source
        self._server_ssl, self._client_ssl = server_ssl, client_ssl
        self._numbers = itertools.count(1)
        self._connections: dict[int, _Connection] = {}
        self._by_peer: dict[tuple[str, int], _Connection] = {}
        self._per_source: Counter[str] = Counter()
        self._opening: dict[tuple[str, int], asyncio.Task[None]] = {}
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port. Raises OSError."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Connection(self, next(self._numbers), None),
            host,
            port,
            ssl=self._server_ssl,
            backlog=512,
        )
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._opening.values()):
            task.cancel()
        await asyncio.gather(*self._opening.values(), return_exceptions=True)
        for connection in list(self._connections.values()):
            if connection.transport is not None:
                connection.transport.close()

    def accepts(self, connection: _Connection) -> bool:
        """Take a connection into the tables unless there are too many."""
        total, per_source = self._limits
        host = connection.flow.host
        if len(self._connections) >= total or self._per_source[host] >= per_source:
            return False
        self._connections[connection.number] = connection
        self._by_peer[host, connection.flow.port] = connection
        self._per_source[host] += 1
        return True

    def forget(self, connection: _Connection) -> None:
        if self._connections.pop(connection.number, None) is None:
            return
        peer = connection.flow.host, connection.flow.port
        if self._by_peer.get(peer) is connection:
            del self._by_peer[peer]
        self._per_source[peer[0]] -= 1
        if self._per_source[peer[0]] <= 0:
            del self._per_source[peer[0]]

    def local_address(self, flow: Flow) -> str | None:
        """Our end of a connection, None when there is none yet."""
        connection = self._find(flow)
        if connection is None or connection.transport is None:
            return None
        name = connection.transport.get_extra_info("sockname")
        return plain_host(name[0]) if name else None

    def send(self, data: bytes, flow: Flow) -> bool:
        """Send over the flow's connection, or one to the same peer, or a new one.

        False when that failed at once; a connection that cannot be opened is told later by
        `on_failed(flow)`.
        """
        connection = self._find(flow)
        if connection is not None:
            return connection.write(data)
        peer = flow.host, flow.port
        opening = self._opening.get(peer)
        task = asyncio.get_running_loop().create_task(self._open_and_send(flow, data, opening))
        self._opening[peer] = task
        task.add_done_callback(
            lambda done: self._opening.pop(peer, None) if self._opening.get(peer) is done else None
        )
        return True

    def _find(self, flow: Flow) -> _Connection | None:
        if flow.connection:
            found = self._connections.get(flow.connection)
            if found is not None:
                return found
        return self._by_peer.get((flow.host, flow.port))

    async def _open_and_send(
        self, flow: Flow, data: bytes, after: asyncio.Task[None] | None
    ) -> None:
        if after is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([after])
        connection = self._find(flow)
        if connection is None:
            connection = await self._open(flow)
        if connection is None or not connection.write(data):
            self.callbacks.on_failed(flow)
            self.callbacks.on_burst()

    async def _open(self, flow: Flow) -> _Connection | None:
        loop = asyncio.get_running_loop()
        number = next(self._numbers)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                _, protocol = await loop.create_connection(
                    lambda: _Connection(self, number, flow),
                    flow.host,
                    flow.port,
                    ssl=self._client_ssl,
                    server_hostname=flow.host if self._client_ssl else None,
                )
        except (OSError, TimeoutError):
            return None
        return protocol if protocol.number in self._connections else None
