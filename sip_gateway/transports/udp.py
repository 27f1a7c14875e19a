"""SIP over UDP: one socket for everything, read in bursts."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable

from ..sip.transaction import Flow

BURST = 64
RECEIVE_BUFFER = 4 * 1024 * 1024
OnDatagram = Callable[[bytes, Flow], None]


class UdpTransport:
    """`on_datagram(data, flow)` is called for each datagram, `on_burst()` after each burst."""

    def __init__(self, on_datagram: OnDatagram, on_burst: Callable[[], None]) -> None:
        self._on_datagram = on_datagram
        self._on_burst = on_burst
        self._socket: socket.socket | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self, host: str, port: int) -> int:
        """Bind and listen; returns the port. Raises OSError."""
        loop = asyncio.get_running_loop()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            sock.bind((host, port))
        except OSError:
            sock.close()
            raise
        self._socket, self._loop = sock, loop
        loop.add_reader(sock.fileno(), self._read)
        return int(sock.getsockname()[1])

    def stop(self) -> None:
        if self._socket is not None and self._loop is not None:
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None

    def send(self, data: bytes, flow: Flow) -> bool:
        """Send one datagram; False when the system says at once that it cannot go."""
        if self._socket is None:
            return False
        try:
            self._socket.sendto(data, (flow.host, flow.port))
        except BlockingIOError:
            return True  # a full buffer is loss, and loss is repeated
        except OSError:
            return False
        return True

    def _read(self) -> None:
        sock = self._socket
        if sock is None:
            return
        for _ in range(BURST):
            try:
                data, address = sock.recvfrom(65_535)
            except BlockingIOError:
                break
            except OSError:
                continue  # an ICMP error of an earlier datagram
            self._on_datagram(data, Flow("udp", plain_host(address[0]), address[1]))
        self._on_burst()


def plain_host(host: str) -> str:
    """An address as we keep it: without zone, IPv4 out of its IPv6 mapping."""
    host = host.partition("%")[0]
    return host.removeprefix("::ffff:") if "." in host else host


def route_source(remote_host: str) -> str | None:
    """The local address the system would use towards a host, None when there is no route."""
    family = socket.AF_INET6 if ":" in remote_host else socket.AF_INET
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((remote_host, 9))
        return str(probe.getsockname()[0])
    return None
