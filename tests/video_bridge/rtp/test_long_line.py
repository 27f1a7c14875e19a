"""Pictures over a line with delay, jitter and loss, in simulated time."""

from __future__ import annotations

import heapq
import itertools
import random
from dataclasses import dataclass, field

import pytest

from video_bridge.rtp.packet import RtpPacket
from video_bridge.rtp.reorder import ReceivedFrame, VideoReorder

FPS, PER_FRAME, SECONDS = 25, 6, 16
DELAY_S, JITTER_S = 0.08, 0.03


@dataclass
class _Line:
    """One sender and one receiver; media and NACKs are lost alike, resent packets too."""

    loss: float
    rng: random.Random = field(default_factory=lambda: random.Random(1))
    resent: int = 0

    def __post_init__(self) -> None:
        self._events: list[tuple[float, int, str, object]] = []
        self._order = itertools.count()
        self._sent: dict[int, RtpPacket] = {}

    def _at(self, when: float, what: str, subject: object) -> None:
        heapq.heappush(self._events, (when, next(self._order), what, subject))

    def _carry(self, now: float, what: str, subject: object) -> None:
        if self.rng.random() >= self.loss:
            self._at(now + DELAY_S + self.rng.random() * JITTER_S, what, subject)

    def run(self) -> list[tuple[float, ReceivedFrame]]:
        for number in range(SECONDS * FPS * PER_FRAME):
            frame, part = divmod(number, PER_FRAME)
            payload = b"s" if part == 0 else b"-"
            packet = RtpPacket(
                96, number & 0xFFFF, frame * 3600, 1, payload, marker=part == PER_FRAME - 1
            )
            self._sent[packet.sequence_number] = packet
            self._at(frame / FPS, "send", packet)
        reorder = VideoReorder(starts_frame=lambda payload: payload == b"s")
        reorder.round_trip_s = 2 * DELAY_S + JITTER_S
        out: list[tuple[float, ReceivedFrame]] = []
        polled = 0.0
        while self._events:
            now, _, what, subject = heapq.heappop(self._events)
            while polled <= now:
                out += [(polled, frame) for frame in reorder.frames(polled)]
                if lost := reorder.nacks(polled):
                    self._carry(polled, "nack", lost)
                polled += 0.01
            if what == "send":
                self._carry(now, "packet", subject)
            elif what == "nack":
                for sequence in subject:  # type: ignore[attr-defined]
                    self.resent += 1
                    self._carry(now, "packet", self._sent[sequence])
            else:
                assert isinstance(subject, RtpPacket)
                reorder.insert(subject, now)
                out += [(now, frame) for frame in reorder.frames(now)]
        return out


@pytest.mark.parametrize(
    ("loss", "frames_pct", "resent_pct"),
    [(0.0, 100, 1), (0.05, 97, 15), (0.10, 95, 28), (0.20, 80, 55)],
)
def test_frames_come_whole_over_a_long_lossy_line(
    loss: float, frames_pct: float, resent_pct: float
) -> None:
    """80 ms each way, 30 ms jitter: most frames come, none waits long, little is asked twice."""
    line = _Line(loss)
    out = line.run()
    assert all(len(frame.packets) == PER_FRAME for _, frame in out)
    assert 100 * len(out) / (SECONDS * FPS) >= frames_pct
    assert 100 * line.resent / (SECONDS * FPS * PER_FRAME) <= resent_pct
    times = [now for now, _ in out]
    assert max(b - a for a, b in itertools.pairwise(times)) <= 0.6


def test_packets_that_overtake_each_other_are_not_asked_for() -> None:
    """Jitter without loss: after a moment of learning nothing is asked for in vain."""
    line = _Line(0.0)
    line.run()
    assert line.resent <= 20
