"""Taking packets in: a batch of datagrams of one socket, SRTP opened, the audio level read.

`PythonIntake` is the twin of the C one (`create_intake()` gives the better). Both never block: call
`read` when the event loop says that the socket is readable, until it gives nothing.
"""

from __future__ import annotations

import os
import socket
from abc import ABC, abstractmethod
from enum import IntEnum
from typing import NamedTuple

from ..errors import RemoteMediaError
from ..rtp.header_ext import ONE_BYTE_PROFILE, parse_extensions
from ..rtp.packet import RtpPacket, is_rtcp
from .keys import SrtpKeys
from .srtp import SrtpReceiver

BATCH = 32
MAX_DATAGRAM = 2048


class DatagramKind(IntEnum):
    """REFUSED is RTP that is forged, replayed or malformed: count it, drop it."""

    OTHER = 0  # STUN, DTLS, RTCP: as it came
    RTP = 1  # opened where keys are set
    REFUSED = 2
    RTCP = 3  # opened: a hub's alone


class Datagram(NamedTuple):
    """`level_dbov` is the sender's own word (RFC 6464), None where it gave none."""

    data: bytes
    address: tuple[str, int]
    kind: DatagramKind
    level_dbov: int | None = None


class Intake(ABC):
    """One socket's packets. The descriptor is duplicated; `close()` gives it back.

    `srtp` may be None: RTP is taken as it comes then (or keys are not there yet: `set_keys`).
    `level_id` is the negotiated id of the audio level extension, 0 for none.
    """

    datapath: str

    def __init__(self, sock_fd: int, srtp: SrtpKeys | None = None, *, level_id: int = 0) -> None:
        self._fd = os.dup(sock_fd)
        self.level_id = level_id
        self.packets_refused = 0
        self.set_keys(srtp)

    @abstractmethod
    def set_keys(self, srtp: SrtpKeys | None) -> None:
        """Open RTP with these from now on, with a fresh memory of what was seen."""

    @abstractmethod
    def read(self) -> list[Datagram]:
        """Up to `BATCH` datagrams that wait; empty when none does."""

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class PythonIntake(Intake):
    """The twin in Python: recvfrom, pylibsrtp."""

    datapath = "python"

    def __init__(self, sock_fd: int, srtp: SrtpKeys | None = None, *, level_id: int = 0) -> None:
        super().__init__(sock_fd, srtp, level_id=level_id)
        self._socket = socket.socket(fileno=self._fd)

    def set_keys(self, srtp: SrtpKeys | None) -> None:
        self._srtp = SrtpReceiver(srtp) if srtp else None

    def read(self) -> list[Datagram]:
        found: list[Datagram] = []
        if self._fd < 0:
            return found
        while len(found) < BATCH:
            try:
                data, address = self._socket.recvfrom(MAX_DATAGRAM + 1, socket.MSG_DONTWAIT)
            except OSError:
                break  # nothing waits, or an old ICMP error: the next call sees what follows
            found.append(self._judge(data, (address[0], address[1])))
        return found

    def _judge(self, data: bytes, address: tuple[str, int]) -> Datagram:
        if len(data) <= MAX_DATAGRAM and not is_rtp(data):
            return Datagram(data, address, DatagramKind.OTHER)
        try:
            if len(data) > MAX_DATAGRAM:
                raise RemoteMediaError("datagram_too_large", size=len(data))
            if self._srtp is not None:
                data = self._srtp.unprotect(data)
            return Datagram(data, address, DatagramKind.RTP, level_of(data, self.level_id))
        except RemoteMediaError:
            self.packets_refused += 1
            return Datagram(data[:MAX_DATAGRAM], address, DatagramKind.REFUSED)

    def close(self) -> None:
        if self._fd >= 0:
            self._socket.close()
            self._fd = -1


def level_of(data: bytes, level_id: int) -> int | None:
    """What a packet says of its loudness. Raises RemoteMediaError when its header is malformed."""
    head = RtpPacket.parse(_unpadded(data) if data[0] & 0x20 else data)
    if level_id == 0 or head.extension_profile != ONE_BYTE_PROFILE:
        return None
    try:
        value = parse_extensions(head.extension_profile, head.extensions).get(level_id)
    except RemoteMediaError:
        return None
    return -(value[0] & 0x7F) if value else None


def _unpadded(data: bytes) -> bytes:
    """The same packet without its padding flag: the intake judges headers only."""
    return bytes((data[0] & ~0x20,)) + data[1:]


def is_rtp(data: bytes) -> bool:
    """RFC 7983 and RFC 5761: what shares a socket with STUN, DTLS and RTCP."""
    return len(data) >= 2 and 128 <= data[0] <= 191 and not is_rtcp(data)
