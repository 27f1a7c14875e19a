"""A datagram transport for asyncio protocols whose socket is read by the loop's hub.

asyncio's own takes one datagram per turn of the loop, through a fresh 256 KB buffer: 15 to 20 us a
packet. This one gives a protocol the same calls (`connection_made`, `datagram_received`,
`error_received`, `connection_lost`), so that aioice runs on it unchanged. What cannot be sent at
once is dropped, as a full queue of media should be.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from .hub import Arrival, Line, Peer
from .intake import DatagramKind
from .reception import reception


class BatchedDatagrams(asyncio.DatagramTransport):
    """Owns `sock` and closes it. `peer` opens and counts what comes (one may have many sockets).

    RTP and RTCP go to `on_media` where it is given, everything else to the protocol.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sock: socket.socket,
        protocol: asyncio.DatagramProtocol,
        peer: Peer | None = None,
        on_media: Callable[[Arrival], None] | None = None,
    ) -> None:
        super().__init__({"socket": sock, "sockname": sock.getsockname()})
        sock.setblocking(False)
        self._loop = loop
        self._socket = sock
        self._protocol = protocol
        self._on_media = on_media
        self._is_closing = False
        self._reception = reception()
        self.peer = peer or self._reception.hub.peer()
        self.line: Line | None = None
        loop.call_soon(self._start)

    def _start(self) -> None:
        if self._is_closing:
            return
        self._protocol.connection_made(self)
        self.line = self._reception.watch(self.peer, self._socket, self._arrived)

    def _arrived(self, arrival: Arrival) -> None:
        if self._is_closing:
            return
        if self._on_media is not None and arrival.kind is not DatagramKind.OTHER:
            self._on_media(arrival)
        else:
            self._protocol.datagram_received(arrival.data, arrival.address)

    def sendto(self, data: Any, addr: Any = None) -> None:
        """Errors are told to the protocol, a full buffer is not."""
        if self._is_closing:
            return
        try:
            if addr is None:
                self._socket.send(data)
            else:
                self._socket.sendto(data, addr)
        except BlockingIOError:
            return
        except OSError as error:
            self._protocol.error_received(error)

    def is_closing(self) -> bool:
        return self._is_closing

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    def close(self) -> None:
        if self._is_closing:
            return
        self._is_closing = True
        if self.line is not None and self._socket.fileno() >= 0:
            self._reception.unwatch(self.line)
        self._loop.call_soon(self._end)

    def abort(self) -> None:
        self.close()

    def _end(self) -> None:
        self._protocol.connection_lost(None)
        self._socket.close()


async def open_datagrams(
    protocol: asyncio.DatagramProtocol,
    sock: socket.socket,
    peer: Peer | None = None,
    on_media: Callable[[Arrival], None] | None = None,
) -> BatchedDatagrams:
    """As `create_datagram_endpoint(lambda: protocol, sock=sock)`: `connection_made` has been called
    when this returns.
    """
    loop = asyncio.get_running_loop()
    transport = BatchedDatagrams(loop, sock, protocol, peer, on_media)
    made = loop.create_future()
    loop.call_soon(made.set_result, None)  # behind the transport's own start
    await made
    return transport
