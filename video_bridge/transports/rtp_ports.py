"""The node's UDP port range: pairs for rooms, one port on every address for WebRTC."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Sequence

from ..errors import LocalMediaError
from .dscp import DEFAULT_MARKING, Marking

_RECEIVE_BUFFER = 1 << 20


class RtpPorts:
    """Hands out sockets whose port lies in `first`..`last`; ports are taken in even steps of two.

    Round robin, so that late packets of a closed leg do not reach the next one.
    """

    def __init__(self, first: int, last: int, marking: Marking = DEFAULT_MARKING) -> None:
        if not 1024 <= first < last <= 65535:
            raise LocalMediaError("rtp_port_range_invalid", first=first, last=last)
        self._first = first + first % 2
        self._count = (last + 1 - self._first) // 2
        self._cursor = 0
        self._taken: set[int] = set()
        self._marking = marking

    @property
    def free_pairs(self) -> int:
        return self._count - len(self._taken)

    def take_everywhere(self, addresses: Sequence[str]) -> tuple[int, list[socket.socket]]:
        """One port, bound on each of `addresses` that can be bound (at least one).

        Raises LocalMediaError `rtp_ports_exhausted`.
        """
        for port in self._candidates():
            sockets = []
            for address in addresses:
                with contextlib.suppress(OSError):
                    sockets.append(_bound(address, port))
            if sockets:
                self._taken.add(port)
                for sock in sockets:
                    self._marking.apply(sock)
                return port, sockets
        raise LocalMediaError("rtp_ports_exhausted", pairs=self._count)

    def take_pair(
        self, address: str, *, is_audio: bool = False
    ) -> tuple[int, socket.socket, socket.socket]:
        """An even port for RTP and the next for RTCP. Raises LocalMediaError."""
        for port in self._candidates():
            try:
                rtp = _bound(address, port)
            except OSError:
                continue
            try:
                rtcp = _bound(address, port + 1)
            except OSError:
                rtp.close()
                continue
            self._taken.add(port)
            for sock in (rtp, rtcp):
                self._marking.apply(sock, is_audio=is_audio)
            return port, rtp, rtcp
        raise LocalMediaError("rtp_ports_exhausted", pairs=self._count)

    def give_back(self, port: int) -> None:
        """The sockets of `port` are closed."""
        self._taken.discard(port)

    def _candidates(self) -> list[int]:
        start = self._cursor
        ports = [self._first + 2 * ((start + step) % self._count) for step in range(self._count)]
        self._cursor = (start + 1) % self._count
        return [port for port in ports if port not in self._taken]


def _bound(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        sock.bind((address, port))
    except OSError:
        sock.close()
        raise
    return sock


def source_address(towards: str | None) -> str:
    """Our address on the route to `towards` (no packet is sent); loopback when there is none."""
    if not towards:
        towards = "192.0.2.1"
    family = socket.AF_INET6 if ":" in towards else socket.AF_INET
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((towards, 9))
        return str(probe.getsockname()[0])
    return "127.0.0.1"
