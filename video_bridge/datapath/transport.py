"""A datagram transport for asyncio protocols that reads by batches.

asyncio's own takes one datagram per turn of the loop, through a fresh 256 KB buffer: 15 to 20 us a
packet. This one gives a protocol the same calls (`connection_made`, `datagram_received`,
`error_received`, `connection_lost`), so that aioice runs on it unchanged. What cannot be sent at
once is dropped, as a full queue of media should be.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from . import create_intake
from .intake import DatagramKind, Intake

MAX_BATCHES_A_TURN = 4  # then others have their turn


class BatchedDatagrams(asyncio.DatagramTransport):
    """Owns `sock` and closes it. `intake` may be given keys: RTP then arrives opened."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sock: socket.socket,
        protocol: asyncio.DatagramProtocol,
    ) -> None:
        super().__init__({"socket": sock, "sockname": sock.getsockname()})
        sock.setblocking(False)
        self._loop = loop
        self._socket = sock
        self._protocol = protocol
        self._is_closing = False
        self.intake: Intake = create_intake(sock.fileno())
        loop.call_soon(self._start)

    def _start(self) -> None:
        if self._is_closing:
            return
        self._protocol.connection_made(self)
        self._loop.add_reader(self._socket.fileno(), self._read)

    def _read(self) -> None:
        for _ in range(MAX_BATCHES_A_TURN):
            batch = self.intake.read()
            for datagram in batch:
                if self._is_closing:
                    return
                if datagram.kind is not DatagramKind.REFUSED:
                    self._protocol.datagram_received(datagram.data, datagram.address)
            if not batch:
                return

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
        self._loop.remove_reader(self._socket.fileno())
        self._loop.call_soon(self._end)

    def abort(self) -> None:
        self.close()

    def _end(self) -> None:
        self._protocol.connection_lost(None)
        self.intake.close()
        self._socket.close()


async def open_datagrams(
    protocol: asyncio.DatagramProtocol, sock: socket.socket
) -> BatchedDatagrams:
    """As `create_datagram_endpoint(lambda: protocol, sock=sock)`: `connection_made` has been called
    when this returns.
    """
    loop = asyncio.get_running_loop()
    transport = BatchedDatagrams(loop, sock, protocol)
    made = loop.create_future()
    loop.call_soon(made.set_result, None)  # behind the transport's own start
    await made
    return transport
