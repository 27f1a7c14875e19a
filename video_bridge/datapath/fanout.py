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
from .target import FanoutTarget, SentRun

_batch_numbers = itertools.count(1)  # one count for all rungs: targets move between them
_HEADER = struct.Struct("!BBHII")
HISTORY_BATCHES = 256  # about 6 s of pictures at 40 ms


@dataclass(frozen=True, slots=True)
class FanoutResult:
    """Packets that the kernel took and those it refused (full buffer, no route)."""

    sent: int
    failed: int


@dataclass(frozen=True, slots=True)
class _Batch:
    payloads: tuple[bytes, ...]
    octets: int


class Fanout(ABC):
    """One rung. `datapath` says which way packets go: "c" or "python"."""

    datapath: str

    def __init__(self, history_batches: int = HISTORY_BATCHES) -> None:
        self._history: OrderedDict[int, _Batch] = OrderedDict()
        self._history_batches = history_batches
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
        if not payloads:
            return FanoutResult(0, 0)
        batch = _Batch(tuple(payloads), sum(map(len, payloads)))
        number = next(_batch_numbers)
        self._history[number] = batch
        if len(self._history) > self._history_batches:
            self._history.popitem(last=False)
        count = len(payloads)
        live: list[tuple[FanoutTarget, SentRun]] = []
        for target in targets:
            if target.is_closed:
                continue
            run = SentRun(
                first_extended=target.next_extended,
                count=count,
                batch=number,
                timestamp=(timestamp + target.ts_offset) & 0xFFFFFFFF,
                marker_last=marker_last,
                payload_type=target.payload_type,
            )
            target.note_run(run, batch.octets)
            live.append((target, run))
        failed = self._send_runs(live, batch.payloads)
        sent = count * len(live) - failed
        self.packets_sent += sent
        self.packets_failed += failed
        return FanoutResult(sent, failed)

    def resend(self, target: FanoutTarget, seqs: Iterable[int]) -> int:
        """Send again what a NACK asks for, byte for byte. Returns how many were still known."""
        wanted = set(seqs)
        resent = 0
        if target.is_closed:
            return 0
        for run in reversed(target.runs):
            if not wanted:
                break
            batch = self._history.get(run.batch)
            if batch is None or len(batch.payloads) != run.count:
                continue
            first = run.first_extended
            for sequence in [s for s in wanted if (s - first) & 0xFFFF < run.count]:
                wanted.discard(sequence)
                index = (sequence - first) & 0xFFFF
                resent += self._send_again(target, run, batch.payloads, index)
        self.packets_resent += resent
        return resent

    @abstractmethod
    def _send_runs(
        self, runs: Sequence[tuple[FanoutTarget, SentRun]], payloads: Sequence[bytes]
    ) -> int:
        """Send the batch to each; returns how many packets failed."""

    @abstractmethod
    def _send_again(
        self, target: FanoutTarget, run: SentRun, payloads: Sequence[bytes], index: int
    ) -> int:
        """1 when the packet was handed to the kernel."""


def rtp_header(target: FanoutTarget, run: SentRun, index: int) -> bytes:
    """The header of the run's packet `index` as this target gets it."""
    is_marked = run.marker_last and index == run.count - 1
    return (
        _HEADER.pack(
            0x90 if target.extension else 0x80,
            run.payload_type | (0x80 if is_marked else 0),
            (run.first_extended + index) & 0xFFFF,
            run.timestamp,
            target.ssrc,
        )
        + target.extension
    )


class PythonFanout(Fanout):
    """The twin in Python: about 6 us a packet."""

    datapath = "python"

    def _send_runs(
        self, runs: Sequence[tuple[FanoutTarget, SentRun]], payloads: Sequence[bytes]
    ) -> int:
        failed = 0
        for target, run in runs:
            for index, payload in enumerate(payloads):
                if not self._send_one(target, run, payload, index):
                    failed += 1
        return failed

    def _send_again(
        self, target: FanoutTarget, run: SentRun, payloads: Sequence[bytes], index: int
    ) -> int:
        return int(self._send_one(target, run, payloads[index], index))

    def _send_one(self, target: FanoutTarget, run: SentRun, payload: bytes, index: int) -> bool:
        packet = rtp_header(target, run, index) + payload
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
