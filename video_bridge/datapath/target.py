"""One receiver of a rung: where its packets go and as what."""

from __future__ import annotations

import ctypes
import os
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ..errors import LocalMediaError
from .departures import Departures
from .keys import SrtpKeys
from .srtp import SrtpSender

MAX_RUNS = 512  # frames whose packets can be sent again


@dataclass(frozen=True, slots=True)
class SentRun:
    """One batch as this target got it: `first_extended` is the 48-bit sequence number."""

    first_extended: int
    count: int
    batch: int  # the fan-out's number of the batch
    timestamp: int
    marker_last: bool
    payload_type: int
    first_number: int = 0  # transport-wide


class State(ctypes.Structure):
    """What the datapath counts of a target: `struct state` of c/fanout.c."""

    next_extended: int
    packets_sent: int
    octets_sent: int
    sent_at: float
    last_timestamp: int
    has_sent: int
    ssrc: int
    ts_offset: int
    fd: int
    payload_type: int

    _fields_ = (
        ("next_extended", ctypes.c_uint64),
        ("packets_sent", ctypes.c_uint64),
        ("octets_sent", ctypes.c_uint64),
        ("sent_at", ctypes.c_double),
        ("last_timestamp", ctypes.c_uint32),
        ("has_sent", ctypes.c_uint32),
        ("ssrc", ctypes.c_uint32),
        ("ts_offset", ctypes.c_uint32),
        ("fd", ctypes.c_int32),
        ("payload_type", ctypes.c_uint32),
    )


class NativeSide(Protocol):
    """The C datapath's side of a target."""

    def follow(self, address: tuple[str, int]) -> None:
        """Send to this address from now on."""


class FanoutTarget:
    """A stream to one peer: one SSRC, one address, one key.

    `sock_fd` is duplicated, so that the caller may close his own at any time; `close()` gives it
    back. A target may be moved from one rung's `Fanout` to another: its sequence numbers go on.
    `extension` is a whole header extension (4-byte head and words) put on every packet; with
    `departures` instead, packets carry transport-wide numbers. `rtx` is the stream on which NACKed
    packets go out again (RFC 4588); without it they do as they were.
    `sender` replaces the socket where packets leave by another way (TURN).
    """

    closings = 0  # of all targets: what holds lists of them looks again when it changed

    def __init__(  # noqa: PLR0917 - the order of the call in the contract with the legs
        self,
        sock_fd: int,
        address: tuple[str, int],
        ssrc: int,
        payload_type: int,
        seq_start: int = 0,
        ts_offset: int = 0,
        srtp: SrtpKeys | None = None,
        *,
        extension: bytes = b"",
        departures: Departures | None = None,
        rtx: FanoutTarget | None = None,
        sender: Callable[[bytes], None] | None = None,
    ) -> None:
        """Raises LocalMediaError for an address that is no numeric one."""
        if extension and (len(extension) < 4 or len(extension) % 4):
            raise LocalMediaError("rtp_extension_misbuilt", size=len(extension))
        self.state = State(
            ssrc=ssrc & 0xFFFFFFFF,
            ts_offset=ts_offset & 0xFFFFFFFF,
            payload_type=payload_type,
            next_extended=seq_start & 0xFFFF,
            fd=-1,
        )
        self.srtp = srtp
        self._srtp_sender: SrtpSender | None = None
        self.native: NativeSide | None = None
        self.extension = extension if departures is None else departures.extension
        self.departures = departures
        self.rtx = rtx
        self.sender = sender
        self.packets_failed = 0
        self.is_closed = False
        self.runs: deque[SentRun] = deque(maxlen=MAX_RUNS)
        self._socket: socket.socket | None = None
        self.socket = None if sender else socket.socket(fileno=os.dup(sock_fd))
        self.address = address
        self.move_to(address)

    @property
    def socket(self) -> socket.socket | None:
        """Ours alone; None where packets leave by `sender`, and once closed."""
        return self._socket

    @socket.setter
    def socket(self, sock: socket.socket | None) -> None:
        self._socket = sock
        self.state.fd = -1 if sock is None else sock.fileno()

    @property
    def ssrc(self) -> int:
        return self.state.ssrc

    @property
    def ts_offset(self) -> int:
        return self.state.ts_offset

    @ts_offset.setter
    def ts_offset(self, ts_offset: int) -> None:
        self.state.ts_offset = ts_offset & 0xFFFFFFFF

    @property
    def payload_type(self) -> int:
        return self.state.payload_type

    @payload_type.setter
    def payload_type(self, payload_type: int) -> None:
        self.state.payload_type = payload_type

    @property
    def next_extended(self) -> int:
        """The next packet's 48-bit index."""
        return self.state.next_extended

    @next_extended.setter
    def next_extended(self, index: int) -> None:
        self.state.next_extended = index

    @property
    def packets_sent(self) -> int:
        return self.state.packets_sent

    @property
    def octets_sent(self) -> int:
        """Of payload, as sender reports count them."""
        return self.state.octets_sent

    @property
    def last_timestamp(self) -> int | None:
        """As on the wire."""
        return self.state.last_timestamp if self.state.has_sent else None

    @property
    def sent_at(self) -> float:
        """When that was sent, by the monotonic clock."""
        return self.state.sent_at

    @property
    def next_sequence_number(self) -> int:
        return self.next_extended & 0xFFFF

    @property
    def srtp_sender(self) -> SrtpSender | None:
        """The Python twin's SRTP session, made when it is first needed."""
        if self._srtp_sender is None and self.srtp is not None:
            self._srtp_sender = SrtpSender(self.srtp)
        return self._srtp_sender

    def move_to(self, address: tuple[str, int]) -> None:
        """Send to another address from now on (symmetric RTP, ICE)."""
        try:
            family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
            socket.inet_pton(family, address[0].split("%")[0])
        except OSError as error:
            raise LocalMediaError("address_not_numeric", host=address[0]) from error
        self.address = address
        if self.native is not None:
            self.native.follow(address)
        if self.rtx is not None:
            self.rtx.move_to(address)

    def close(self) -> None:
        """Give the socket back. Sending to a closed target does nothing."""
        FanoutTarget.closings += not self.is_closed
        self.is_closed = True
        if self.rtx is not None:
            self.rtx.close()
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def note_run(self, run: SentRun, payload_octets: int) -> None:
        """The twin's own memory of what was sent; C keeps one in the target."""
        self.runs.append(run)
        state = self.state
        state.next_extended += run.count
        state.packets_sent += run.count
        state.octets_sent += payload_octets
        state.last_timestamp = run.timestamp
        state.has_sent = 1
        state.sent_at = time.monotonic()
