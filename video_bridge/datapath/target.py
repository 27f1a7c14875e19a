"""One receiver of a rung: where its packets go and as what."""

from __future__ import annotations

import os
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from ..errors import LocalMediaError
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


class FanoutTarget:
    """A stream to one peer: one SSRC, one address, one key.

    `sock_fd` is duplicated, so that the caller may close his own at any time; `close()` gives it
    back. A target may be moved from one rung's `Fanout` to another: its sequence numbers go on.
    `extension` is a whole header extension (4-byte head and words) put on every packet.
    `sender` replaces the socket where packets leave by another way (TURN).
    """

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
        sender: Callable[[bytes], None] | None = None,
    ) -> None:
        """Raises LocalMediaError for an address that is no numeric one."""
        if extension and (len(extension) < 4 or len(extension) % 4):
            raise LocalMediaError("rtp_extension_misbuilt", size=len(extension))
        self.ssrc = ssrc
        self.payload_type = payload_type
        self.ts_offset = ts_offset
        self.srtp = srtp
        self._srtp_sender: SrtpSender | None = None
        self.native: object = None  # the C datapath's side of this target
        self.extension = extension
        self.sender = sender
        self.next_extended = seq_start & 0xFFFF
        self.packets_sent = 0
        self.octets_sent = 0  # payload octets, as sender reports count them
        self.packets_failed = 0
        self.last_timestamp: int | None = None  # as on the wire
        self.is_closed = False
        self.runs: deque[SentRun] = deque(maxlen=MAX_RUNS)
        self.socket = None if sender else socket.socket(fileno=os.dup(sock_fd))
        self.address = address
        self.move_to(address)

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

    def close(self) -> None:
        """Give the socket back. Sending to a closed target does nothing."""
        self.is_closed = True
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def note_run(self, run: SentRun, payload_octets: int) -> None:
        self.runs.append(run)
        self.next_extended += run.count
        self.packets_sent += run.count
        self.octets_sent += payload_octets
        self.last_timestamp = run.timestamp
