"""TPKT over TCP: H.225.0 and H.245 connections, in and out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..errors import SignallingError
from ..h323.tpkt import TpktReader, frame
from .udp import plain_host

CONNECT_TIMEOUT_S = 5.0
WRITE_LIMIT = 1024 * 1024


class TpktConnection(asyncio.Protocol):
    """One connection. `on_pdu` may raise SignallingError: the connection is then closed.

    `on_closed` is called exactly once, whoever closed it.
    """

    def __init__(self) -> None:
        self.on_pdu: Callable[[bytes], None] = lambda _pdu: None
        self.on_closed: Callable[[], None] = lambda: None
        self.host, self.port = "", 0
        self.local: tuple[str, int] = ("", 0)
        self._reader = TpktReader()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError(transport)
        self._transport = transport
        peer = transport.get_extra_info("peername") or ("", 0)
        self.host, self.port = plain_host(peer[0]), int(peer[1])
        local = transport.get_extra_info("sockname") or ("", 0)
        self.local = (plain_host(local[0]), int(local[1]))

    def data_received(self, data: bytes) -> None:
        try:
            for pdu in self._reader.feed(data):
                self.on_pdu(pdu)
        except SignallingError:
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        closed, self.on_closed = self.on_closed, lambda: None
        closed()

    def send(self, pdus: list[bytes]) -> None:
        """Queue PDUs; a peer that reads nothing loses its connection."""
        if self._transport is None or not pdus:
            return
        if self._transport.get_write_buffer_size() > WRITE_LIMIT:
            self._transport.abort()
            return
        self._transport.write(b"".join(frame(pdu) for pdu in pdus))

    def close(self) -> None:
        """Send what is queued, then close."""
        if self._transport is not None:
            self._transport.close()


async def connect(host: str, port: int) -> TpktConnection:
    """Raises OSError or TimeoutError when nobody answers within 5 s."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(CONNECT_TIMEOUT_S):
        _transport, connection = await loop.create_connection(TpktConnection, host, port)
    return connection


async def listen(
    host: str | None, port: int, on_connection: Callable[[TpktConnection], None]
) -> asyncio.Server:
    """Listen on TCP. `on_connection` gets each new connection and sets its callbacks."""

    class _Accepted(TpktConnection):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            on_connection(self)

    loop = asyncio.get_running_loop()
    return await loop.create_server(_Accepted, host, port)
