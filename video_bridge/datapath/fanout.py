"""One rung's packets to many receivers: the header is rewritten, SRTP applied, the packets sent.

`PythonFanout` does it with struct, pylibsrtp and sendto. `create_fanout()` gives the C datapath
where it can be built and this twin elsewhere; tests hold the two byte for byte against each other.
"""

from __future__ import annotations

import itertools
import socket
import struct
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..errors import LocalMediaError
from .departures import NUMBER_AT
from .target import FanoutTarget, SentRun

_batch_numbers = itertools.count(1)  # one count for all rungs: targets move between them
_HEADER = struct.Struct("!BBHII")
GROUP = 16  # packets that leave in one segmented send
HISTORY_BATCHES = 256  # about 6 s of pictures at 40 ms


@dataclass(frozen=True, slots=True)
class FanoutResult:
    """Packets that the kernel took and those it refused (full buffer, no route)."""

    sent: int
    failed: int


@dataclass(slots=True)
class Batch:
    """A frame's payloads, kept for those who ask again. `native` is the C side's view of them."""

    payloads: tuple[bytes, ...]
    octets: int
    native: object = None


Run = tuple[FanoutTarget, SentRun]


class Departure(ABC):
    """A frame on its way: call `send` until `remaining` is 0."""

    def __init__(self, fanout: Fanout, count: int) -> None:
        self._fanout = fanout
        self._count = count
        self._next = 0

    @property
    def remaining(self) -> int:
        """Packets that each target still has to get."""
        return self._count - self._next

    def send(self, packets: int = GROUP) -> FanoutResult:
        """The next `packets` to every target that is still open."""
        part = range(self._next, min(self._next + packets, self._count))
        self._next = part.stop
        result = self._send_part(part) if part else FanoutResult(0, 0)
        self._fanout.packets_sent += result.sent
        self._fanout.packets_failed += result.failed
        return result

    @abstractmethod
    def _send_part(self, part: range) -> FanoutResult:
        """These packets to every target that is still open."""


class Fanout(ABC):
    """One rung. `datapath` says which way packets go: "c" or "python"."""

    datapath: str

    def __init__(self, history_batches: int = HISTORY_BATCHES) -> None:
        self._history: OrderedDict[int, Batch] = OrderedDict()
        self._history_batches = history_batches
        self.newest_batch = 0
        self.packets_sent = 0
        self.packets_failed = 0
        self.packets_resent = 0

    def send(
        self,
        targets: Iterable[FanoutTarget],
        payloads: Sequence[bytes],
        timestamp: int,
        *,
        marker_last: bool = True,
    ) -> FanoutResult:
        """One frame to all targets. `timestamp` is the rung's; each target adds its own offset.

        Targets are served in the order given: stagger them by calling with parts of the list.
        """
        return self.prepare(targets, payloads, timestamp, marker_last=marker_last).send(
            len(payloads)
        )

    def prepare(
        self,
        targets: Iterable[FanoutTarget],
        payloads: Sequence[bytes],
        timestamp: int,
        *,
        marker_last: bool = True,
    ) -> Departure:
        """A frame that leaves in parts: a key frame of sixty packets at once overruns a line.

        Its sequence numbers are given now, so what is sent in between follows them.
        """
        self.newest_batch, batch = self._remember(payloads)
        numbered = self.newest_batch, batch
        return self._begin(targets if payloads else (), numbered, timestamp, marker_last)

    def repeat(self, target: FanoutTarget, number: int, timestamp: int) -> Departure | None:
        """The frame of `newest_batch` as it was then, for one who came later; None: forgotten."""
        batch = self._history.get(number)
        return None if batch is None else self._begin([target], (number, batch), timestamp, True)

    @abstractmethod
    def _begin(
        self,
        targets: Iterable[FanoutTarget],
        numbered: tuple[int, Batch],
        timestamp: int,
        marker_last: bool,
    ) -> Departure:
        """Give a batch its sequence numbers with each target that is open."""

    @abstractmethod
    def resend(self, target: FanoutTarget, seqs: Iterable[int]) -> int:
        """Send again what a NACK asks for: byte for byte, or on the target's `rtx` stream.

        Returns how many were still known.
        """

    def _remember(self, payloads: Sequence[bytes]) -> tuple[int, Batch]:
        batch = Batch(tuple(payloads), sum(map(len, payloads)))
        number = next(_batch_numbers)
        self._history[number] = batch
        if len(self._history) > self._history_batches:
            self._history.popitem(last=False)
        return number, batch


def rtp_header(target: FanoutTarget, run: SentRun, index: int) -> bytes:
    """The header of the run's packet `index` as this target gets it."""
    is_marked = run.marker_last and index == run.count - 1
    extension = target.extension
    if target.departures is not None:
        number = (run.first_number + index & 0xFFFF).to_bytes(2)
        extension = extension[:NUMBER_AT] + number + extension[NUMBER_AT + 2 :]
    return (
        _HEADER.pack(
            0x90 if target.extension else 0x80,
            run.payload_type | (0x80 if is_marked else 0),
            (run.first_extended + index) & 0xFFFF,
            run.timestamp,
            target.ssrc,
        )
        + extension
    )


class _PythonDeparture(Departure):
    def __init__(self, fanout: PythonFanout, runs: list[Run], payloads: tuple[bytes, ...]) -> None:
        super().__init__(fanout, len(payloads))
        self._runs = runs
        self._payloads = payloads

    def _send_part(self, part: range) -> FanoutResult:
        live = [run for run in self._runs if not run[0].is_closed]
        failed = 0
        for target, run in live:
            for index in part:
                failed += not send_one(target, run, self._payloads[index], index)
        return FanoutResult(len(part) * len(live) - failed, failed)


class PythonFanout(Fanout):
    """The twin in Python: about 6 us a packet."""

    datapath = "python"

    def _begin(
        self,
        targets: Iterable[FanoutTarget],
        numbered: tuple[int, Batch],
        timestamp: int,
        marker_last: bool,
    ) -> Departure:
        number, batch = numbered
        live: list[Run] = []
        for target in targets:
            if target.is_closed:
                continue
            count = len(batch.payloads)
            run = SentRun(
                first_extended=target.next_extended,
                count=count,
                batch=number,
                timestamp=(timestamp + target.ts_offset) & 0xFFFFFFFF,
                marker_last=marker_last,
                payload_type=target.payload_type,
                first_number=target.departures.take(count) if target.departures else 0,
            )
            target.note_run(run, batch.octets)
            live.append((target, run))
        return _PythonDeparture(self, live, batch.payloads)

    def resend(self, target: FanoutTarget, seqs: Iterable[int]) -> int:
        wanted = set(seqs)
        resent = 0
        if target.is_closed:
            return 0
        for run in reversed(tuple(target.runs)):  # a copy: another thread may be sending
            if not wanted:
                break
            batch = self._history.get(run.batch)
            if batch is None or len(batch.payloads) != run.count:
                continue
            first = run.first_extended
            for sequence in [s for s in wanted if (s - first) & 0xFFFF < run.count]:
                wanted.discard(sequence)
                index = (sequence - first) & 0xFFFF
                payload = batch.payloads[index]
                if target.rtx is not None:
                    resent += retransmit(target.rtx, run, payload, index)
                else:
                    resent += send_one(target, run, payload, index)
        self.packets_resent += resent
        return resent


def retransmit(rtx: FanoutTarget, run: SentRun, payload: bytes, index: int) -> bool:
    """One packet again under a number of its own, its old one before the payload (RFC 4588 4)."""
    if rtx.is_closed:
        return False
    is_last = index == run.count - 1
    again = SentRun(
        first_extended=rtx.next_extended,
        count=1,
        batch=0,
        timestamp=run.timestamp,
        marker_last=run.marker_last and is_last,
        payload_type=rtx.payload_type,
        first_number=rtx.departures.take(1) if rtx.departures else 0,
    )
    body = ((run.first_extended + index) & 0xFFFF).to_bytes(2) + payload
    rtx.note_run(again, len(body))
    return send_one(rtx, again, body, 0)


def send_one(target: FanoutTarget, run: SentRun, payload: bytes, index: int) -> bool:
    """True when the packet was handed to the kernel, or to the target's own sender."""
    packet = rtp_header(target, run, index) + payload
    if target.departures is not None:
        target.departures.left((run.first_number + index) & 0xFFFFFFFF, len(packet))
    try:
        if (srtp := target.srtp_sender) is not None:
            packet = srtp.protect(packet)
        if target.sender is not None:
            target.sender(packet)
        elif target.socket is not None:
            target.socket.sendto(packet, socket.MSG_DONTWAIT, target.address)
    except (OSError, LocalMediaError):
        target.packets_failed += 1
        return False
    return True
