"""All sockets of a node taken in together: packets are opened, counted, and most stay here.

A `Peer` is one end of an SRTP association (or of plain RTP) with any number of sockets. Its flows,
told by payload type, are counted as RFC 3550 A.1 and A.8 say; a flow in mode COUNT (a picture that
nobody sees) is handed up no more, one in mode GATE (a microphone) not while it is silent.

`PythonHub` is the twin of the C one (c/hub.c); `create_hub()` gives the better.
"""

from __future__ import annotations

import select
import socket
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from ..errors import LocalMediaError, RemoteMediaError
from ..rtp.packet import RtpPacket, is_rtcp, sequence_distance
from ..rtp.source import MAX_DROPOUT, MAX_MISORDER
from .intake import MAX_DATAGRAM, DatagramKind, is_rtp, level_of
from .keys import SrtpKeys
from .srtp import SrtpReceiver

MAX_FLOWS = 4
MAX_READ = 16
MAX_ENTRIES = 128
GATE_DBOV = -65
HANGOVER_S = 0.5  # longer than AudioReceiver's own, which fades the last word out

Address = tuple[str, int]


class Mode(IntEnum):
    """What is done with a flow's packets besides counting them."""

    PASS = 0
    COUNT = 1
    GATE = 2


@dataclass(frozen=True, slots=True)
class Flow:
    """One payload type. Payloads no longer than `dtx_size`, or made of `quiet_codes` alone, are
    silence; where a packet tells its level (RFC 6464) that counts instead.
    """

    payload_type: int
    clock_rate: int
    dtx_size: int = -1
    quiet_codes: bytes | None = None


class Arrival(NamedTuple):
    """`kind` is OTHER (as it came), RTP or RTCP (both opened); `tag` names the socket."""

    data: bytes
    address: Address
    kind: DatagramKind
    level_dbov: int | None
    tag: int


class Counters:
    """What came of a flow's newest source. `received` counts since its (re)start, `starts` those;
    `bytes`, `frames` and `kept_back` count all there ever was. `jitter` is in clock units.
    """

    def __init__(self) -> None:
        self.ssrc = self.starts = self.base = self.highest = self.cycles = 0
        self.received = self.octets = self.bytes = self.frames = self.kept_back = 0
        self.jitter = self.last_at = 0.0


class Peer(ABC):
    """One association. RTP is taken as it comes until `set_keys`."""

    @abstractmethod
    def set_keys(self, keys: SrtpKeys | None, level_id: int = 0) -> None:
        """Open with these from now on, with a fresh memory. `level_id` is the audio level
        extension's, 0 for none. Raises LocalMediaError.
        """

    @abstractmethod
    def set_flow(self, index: int, flow: Flow | None) -> None:
        """Describe flow 0 to 3; one that stays what it was goes on counting."""

    @abstractmethod
    def set_mode(self, index: int, mode: Mode) -> None:
        """Begins at PASS; kept over `set_flow` of the same payload type."""

    @abstractmethod
    def counters(self, index: int) -> Counters:
        """A view: it changes as packets come."""


class Line(ABC):
    """One socket."""

    @abstractmethod
    def expect(self, address: Address | None, *, anywhere: bool = False) -> None:
        """Packets are kept back only when they come from there; None: none are."""


class Hub(ABC):
    """Use from one thread. `fd` is readable while something waits."""

    datapath: str
    fd: int

    @property
    @abstractmethod
    def packets_refused(self) -> int:
        """Forged, replayed, malformed or too large."""

    @abstractmethod
    def peer(self) -> Peer:
        """A new one, without sockets."""

    @abstractmethod
    def watch(self, peer: Peer, sock: socket.socket, tag: int) -> Line:
        """Take this socket in as well; `tag` comes with its packets."""

    @abstractmethod
    def unwatch(self, line: Line) -> None:
        """Before the socket is closed."""

    @abstractmethod
    def read(self) -> tuple[list[Arrival], bool]:
        """What has to be handed up, and whether anything at all had come. Never blocks."""

    @abstractmethod
    def close(self) -> None:
        """Give the descriptor back."""


# --- the twin -----------------------------------------------------------------------------------


class _Source:
    """The private part of a flow (RFC 3550 A.1, A.8, and how long it has been quiet)."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.counters = Counters()
        self.mode = Mode.PASS
        self.quiet_since: float | None = None
        self._bad_sequence: int | None = None
        self._transit: float | None = None
        self._timestamp: int | None = None

    def count(self, packet: RtpPacket, size: int, now: float) -> None:
        c = self.counters
        c.last_at = now
        c.bytes += size
        c.frames += packet.marker
        if c.starts == 0 or packet.ssrc != c.ssrc:
            self._restart(packet.ssrc, packet.sequence_number)
        elif not self._advance(packet.sequence_number):
            return
        c.received += 1
        c.octets += len(packet.payload)
        self._measure_jitter(packet.timestamp, now)

    def _restart(self, ssrc: int, sequence: int) -> None:
        c = self.counters
        c.ssrc, c.base, c.highest = ssrc, sequence, sequence
        c.starts += 1
        c.cycles = c.received = 0
        c.jitter = 0.0
        self._transit = self._timestamp = self._bad_sequence = None

    def _advance(self, sequence: int) -> bool:
        c = self.counters
        distance = sequence_distance(sequence, c.highest)
        if 0 < distance < MAX_DROPOUT:
            if sequence < c.highest:
                c.cycles += 1 << 16
            c.highest = sequence
        elif not -MAX_MISORDER <= distance <= 0:
            if sequence != self._bad_sequence:
                self._bad_sequence = (sequence + 1) & 0xFFFF
                return False
            self._restart(c.ssrc, sequence)
        return True

    def _measure_jitter(self, timestamp: int, now: float) -> None:
        if timestamp == self._timestamp:
            return
        self._timestamp = timestamp
        rate = self.flow.clock_rate
        transit = now * rate - timestamp
        if self._transit is not None:
            difference = transit - self._transit
            difference -= round(difference / 2**32) * 2**32
            if abs(difference) < 10 * rate:
                self.counters.jitter += (abs(difference) - self.counters.jitter) / 16
        self._transit = transit

    def is_gated(self, payload: bytes, level_dbov: int | None, now: float) -> bool:
        if not self._is_quiet(payload, level_dbov):
            self.quiet_since = None
            return False
        if self.quiet_since is None:
            self.quiet_since = now
        return now - self.quiet_since > HANGOVER_S

    def _is_quiet(self, payload: bytes, level_dbov: int | None) -> bool:
        if level_dbov is not None:
            return level_dbov <= GATE_DBOV
        if len(payload) <= self.flow.dtx_size:
            return True
        codes = self.flow.quiet_codes
        return codes is not None and not payload.translate(None, codes)


class PythonPeer(Peer):
    def __init__(self) -> None:
        self.level_id = 0
        self.sources: list[_Source | None] = [None] * MAX_FLOWS
        self.receiver: SrtpReceiver | None = None
        self._none = Counters()

    def set_keys(self, keys: SrtpKeys | None, level_id: int = 0) -> None:
        self.level_id = level_id
        self.receiver = SrtpReceiver(keys) if keys else None

    def set_flow(self, index: int, flow: Flow | None) -> None:
        old = self.sources[index]
        if flow is None:
            self.sources[index] = None
        elif old is None or _identity(old.flow) != _identity(flow):
            self.sources[index] = _Source(flow)
        else:
            old.flow = flow

    def set_mode(self, index: int, mode: Mode) -> None:
        source = self.sources[index]
        if source is not None:
            source.mode = mode

    def counters(self, index: int) -> Counters:
        source = self.sources[index]
        return self._none if source is None else source.counters


def _identity(flow: Flow) -> tuple[int, int]:
    return flow.payload_type, flow.clock_rate


class PythonLine(Line):
    def __init__(self, peer: PythonPeer, sock: socket.socket, tag: int) -> None:
        self.peer, self.sock, self.tag = peer, sock, tag
        self.address: Address | None = None
        self.is_expecting = self.is_anywhere = False

    def expect(self, address: Address | None, *, anywhere: bool = False) -> None:
        self.address, self.is_anywhere = address, anywhere
        self.is_expecting = anywhere or address is not None

    def keeps(self, address: Address) -> bool:
        return self.is_expecting and (self.is_anywhere or self.address == address)


class PythonHub(Hub):
    """The twin in Python."""

    datapath = "python"

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._lines: dict[int, PythonLine] = {}
        self.fd = self._epoll.fileno()
        self._refused = 0

    @property
    def packets_refused(self) -> int:
        return self._refused

    def peer(self) -> PythonPeer:
        return PythonPeer()

    def watch(self, peer: Peer, sock: socket.socket, tag: int) -> PythonLine:
        if not isinstance(peer, PythonPeer):
            raise LocalMediaError("datapath_mixed")
        line = PythonLine(peer, sock, tag)
        self._lines[sock.fileno()] = line
        self._epoll.register(sock.fileno(), select.EPOLLIN)
        return line

    def unwatch(self, line: Line) -> None:
        if isinstance(line, PythonLine):
            self._epoll.unregister(line.sock.fileno())
            del self._lines[line.sock.fileno()]

    def read(self) -> tuple[list[Arrival], bool]:
        found: list[Arrival] = []
        ready = self._epoll.poll(0, 64)
        now = time.monotonic()
        for fd, _ in ready:
            line = self._lines[fd]
            for _ in range(MAX_READ):
                if len(found) >= MAX_ENTRIES:
                    return found, True
                try:
                    data, address = line.sock.recvfrom(MAX_DATAGRAM + 1, socket.MSG_DONTWAIT)
                except OSError:
                    break
                arrival = self._judge(line, data, (address[0], address[1]), now)
                if arrival is not None:
                    found.append(arrival)
        return found, bool(ready)

    def _judge(self, line: PythonLine, data: bytes, address: Address, now: float) -> Arrival | None:
        peer = line.peer
        try:
            if len(data) > MAX_DATAGRAM:
                raise RemoteMediaError("datagram_too_large", size=len(data))
            if is_rtp(data):
                if peer.receiver is not None:
                    data = peer.receiver.unprotect(data)
                level = level_of(data, peer.level_id)
                if self._stays(line, data, address, level, now):
                    return None
                return Arrival(data, address, DatagramKind.RTP, level, line.tag)
            if is_rtcp(data) and 128 <= data[0] <= 191:
                if peer.receiver is not None:
                    data = peer.receiver.unprotect_rtcp(data)
                return Arrival(data, address, DatagramKind.RTCP, None, line.tag)
        except RemoteMediaError:
            self._refused += 1
            return None
        return Arrival(data, address, DatagramKind.OTHER, None, line.tag)

    def _stays(
        self, line: PythonLine, data: bytes, address: Address, level: int | None, now: float
    ) -> bool:
        kind = data[1] & 0x7F
        source = next((s for s in line.peer.sources if s and s.flow.payload_type == kind), None)
        if source is None:
            return False
        try:
            packet = RtpPacket.parse(data)
        except RemoteMediaError:
            return False  # the stream refuses it
        source.count(packet, len(data), now)
        stays = line.keeps(address) and (
            source.mode is Mode.COUNT
            or (source.mode is Mode.GATE and source.is_gated(packet.payload, level, now))
        )
        source.counters.kept_back += stays
        return stays

    def close(self) -> None:
        if self.fd >= 0:
            self._epoll.close()
            self.fd = -1
