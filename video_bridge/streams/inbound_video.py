"""A leg's pictures: packets are put in order, frames decoded in worker threads, the newest kept."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor

from ..allocation.budget import USUAL_MEGAPIXELS
from ..codecs.picture import Picture
from ..codecs.video import VideoDecoder
from ..datapath import Mode
from ..errors import RemoteMediaError
from ..leg import Shown
from ..rtp.packet import RtpPacket
from ..rtp.reorder import ReceivedFrame, VideoReorder
from ..rtp.source import ReceiveStatistics
from .counted import CountedStatistics, Tally
from .plan import MediaPlan
from .rates import Rate
from .video_formats import video_format

log = logging.getLogger(__name__)

MAX_WAITING = 50  # frames; more and the decoder is behind for good: begin again at a key frame
FREEZE_S = 0.42  # a picture older than this is worse than a damaged one; then a key frame mends it
GAPS_KEPT_S = 10.0
ASK_EVERY_S = 0.45
_serials = itertools.count(1)

# Takes whole frames as received: codec, frame, is key, RTP timestamp, now.
FrameTap = Callable[[str, bytes, bool, int, float], None]
# Takes whole frames packet by packet, to send them on: frame, now.
FrameForward = Callable[[ReceivedFrame, float], None]


class InboundVideo:
    """Feed `receive`, call `poll` often; `newest` is the picture to show.

    `ask_keyframe` (with how often it was asked in vain) and `ask_again` (NACK) are called when the
    sender has to be told something.
    """

    def __init__(
        self,
        plan: MediaPlan,
        pool: Executor,
        ask_keyframe: Callable[[int], None],
        ask_again: Callable[[list[int]], None],
    ) -> None:
        self.plan = plan
        self.statistics: ReceiveStatistics = ReceiveStatistics(plan.clock_rate)
        self.rate = Rate()
        self.frame_rate = Rate()
        self._gaps: deque[tuple[float, float]] = deque(maxlen=500)  # (when it ended, how long)
        self._shows_damage = False
        self.newest: Shown | None = None
        self.tap: FrameTap | None = None  # a recorder; hidden pictures are taken, too
        self._forward: FrameForward | None = None
        self.last_packet_at: float | None = None
        self._pool = pool
        self._ask_keyframe = ask_keyframe
        self._ask_again = ask_again
        format_ = video_format(plan.codec)
        self._starts_frame = format_.starts_frame
        self._reorder = self._new_reorder()
        self._tally: Tally | None = None
        self._depacketiser = format_.depacketiser()
        self._is_keyframe = format_.is_keyframe
        self._decoder = VideoDecoder(plan.codec)
        self._waiting: deque[bytes] = deque()
        self._is_decoding = False
        self._is_shown = False
        self._needs_keyframe_since: float | None = 0.0
        self._has_begun = False
        self._asked_at: float | None = None
        self._asked_in_vain = 0
        self._is_closed = False

    def close(self) -> None:
        self._is_closed = True
        self._waiting.clear()
        self._decoder.reset()  # its pictures are megabytes, and the collector comes seldom
        self._reorder = self._new_reorder()
        self.newest = None

    def _new_reorder(self) -> VideoReorder:
        return VideoReorder(
            starts_frame=self._starts_frame, is_nack_used="nack" in self.plan.feedback
        )

    @property
    def is_counted(self) -> bool:
        """Whether the datapath counts it."""
        return self._tally is not None

    @property
    def counted_at(self) -> float:
        """When the datapath counted the newest packet; 0 when it counted none."""
        return 0.0 if self._tally is None else self._tally.counters.last_at

    def count_by(self, tally: Tally) -> None:
        """The datapath counts from now on, and keeps back what nobody sees."""
        self._tally = tally
        self.statistics = CountedStatistics(self.plan.clock_rate, tally.counters)
        self._keep_back()

    def _keep_back(self) -> None:
        if self._tally is not None:
            self._tally.set_mode(Mode.PASS if self._is_taken else Mode.COUNT)

    @property
    def _is_taken(self) -> bool:
        """Whether anybody wants its frames."""
        return self._is_shown or self.tap is not None or self._forward is not None

    def forward_to(self, forward: FrameForward | None) -> None:
        """Who sends its frames on as they came, seen or hidden; None: nobody."""
        self._begin_anew()
        self._forward = forward
        self._keep_back()

    def _begin_anew(self) -> None:
        """What was kept back until now is not missing."""
        if self._tally is not None and not self._is_taken:
            trip_s = self._reorder.round_trip_s
            self._reorder = self._new_reorder()
            self._reorder.round_trip_s = trip_s

    def set_shown(self, is_shown: bool) -> None:
        """Hidden pictures are not decoded; shown again, they start at a key frame."""
        if is_shown == self._is_shown:
            return
        if is_shown:
            self._has_begun = False
            self._needs_keyframe_since = 0.0
            self._begin_anew()
        self._is_shown = is_shown
        self._keep_back()

    def set_round_trip(self, round_trip_s: float) -> None:
        self._reorder.round_trip_s = round_trip_s

    def receive(self, packet: RtpPacket, size: int, now: float) -> None:
        self.last_packet_at = now
        self.statistics.received(
            packet.ssrc, packet.sequence_number, packet.timestamp, len(packet.payload), now
        )
        if self._tally is None:
            self.rate.add(size, now)
        self._reorder.insert(packet, now)
        self._take_frames(now)

    def receive_again(self, packet: RtpPacket, now: float) -> None:
        """A packet of the RTX stream (RFC 4588 section 4): the lost one as it was."""
        ssrc, sequence = self.statistics.ssrc, int.from_bytes(packet.payload[:2])
        if len(packet.payload) <= 2 or ssrc is None or not self._reorder.lacks(sequence):
            return  # a sender tries his line with padding, and with what came already
        self.statistics.recovered()
        lost = packet._replace(
            payload_type=self.plan.payload_type,
            sequence_number=sequence,
            ssrc=ssrc,
            payload=packet.payload[2:],
        )
        self._reorder.insert(lost, now)
        self._take_frames(now)

    def poll(self, now: float) -> None:
        """Ask for what is missing, give up what is too late, ask for key frames."""
        if self._tally is not None:
            self._catch_up(self._tally, now)
        lost = self._reorder.nacks(now)
        if lost:
            self._ask_again(lost)
        self._take_frames(now)
        self._ask_if_needed(now)

    def _catch_up(self, tally: Tally, now: float) -> None:
        """Take over what was counted since the last time."""
        self._keep_back()
        size, frames = tally.take()
        if size:
            self.rate.add(size, now)
            self.last_packet_at = tally.counters.last_at
            if isinstance(self.statistics, CountedStatistics):
                self.statistics.refresh()
        if frames and not self._is_taken:
            self.frame_rate.add(frames, now)

    def _take_frames(self, now: float) -> None:
        for frame in self._reorder.frames(now):
            self.frame_rate.add(1, now)
            self._take_frame(frame, now)
        if self._reorder.take_keyframe_wish():
            self._want_keyframe(now)
            self._ask_if_needed(now)

    def _take_frame(self, frame: ReceivedFrame, now: float) -> None:
        if self._forward is not None:
            self._forward(frame, now)
        if not self._is_shown and self.tap is None:
            return
        try:
            data = self._depacketiser.depacketise(frame.payloads)
        except RemoteMediaError:
            self._want_keyframe(now)
            return
        if not data:
            return
        if self.tap is not None:
            is_key = self._is_keyframe(data)
            self.tap(self.plan.codec, data, is_key, frame.timestamp, now)
            if not self._is_shown:
                return
        if self._needs_keyframe_since is not None:
            if self._is_keyframe(data):
                self._needs_keyframe_since = None
                self._asked_in_vain = 0
                self._has_begun, self._shows_damage = True, False
            else:
                self._ask_if_needed(now)
                if not self._has_begun or self._is_frozen(now):
                    return
        if len(self._waiting) >= MAX_WAITING:
            self._waiting.clear()
            self._want_keyframe(now)
            return
        self._waiting.append(data)
        self._decode_next()

    def _is_frozen(self, now: float) -> bool:
        """Whether a damaged picture is held back still: not for long, and not every other one."""
        if self.newest is not None and now - self.newest.at < FREEZE_S and not self._shows_damage:
            return True
        self._shows_damage = True
        return False

    @property
    def pictures(self) -> int:
        """Decoded, since it is seen."""
        return self._decoder.frames_decoded

    @property
    def megapixels(self) -> float:
        """Of the newest picture, or what is usual."""
        if self.newest is None:
            return USUAL_MEGAPIXELS
        return self.newest.picture.width * self.newest.picture.height / 1e6

    def longest_gap_s(self, now: float) -> float:
        """Between two pictures shown, of the last seconds; the one that lasts counts too."""
        while self._gaps and self._gaps[0][0] < now - GAPS_KEPT_S:
            self._gaps.popleft()
        lasting = now - self.newest.at if self.newest is not None else 0.0
        return max([lasting, *(gap for _, gap in self._gaps)])

    def _want_keyframe(self, now: float) -> None:
        if self._needs_keyframe_since is None:
            self._needs_keyframe_since = now

    def _ask_if_needed(self, now: float) -> None:
        if self._needs_keyframe_since is None or not self._is_shown or self.last_packet_at is None:
            return
        if self._asked_at is None or now - self._asked_at >= ASK_EVERY_S:
            self._asked_at = now
            self._ask_keyframe(self._asked_in_vain)
            self._asked_in_vain += 1

    def _decode_next(self) -> None:
        if self._is_decoding or not self._waiting or self._is_closed:
            return
        self._is_decoding = True
        batch = list(self._waiting)
        self._waiting.clear()
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._pool, self._decode, batch)
        future.add_done_callback(self._decoded)

    def _decode(self, batch: list[bytes]) -> tuple[Picture | None, bool]:
        """The last picture of a batch, and whether anything could not be decoded."""
        newest: Picture | None = None
        failed = False
        for data in batch:
            try:
                pictures = self._decoder.decode(data)
            except RemoteMediaError:
                failed = True
                continue
            newest = pictures[-1] if pictures else newest
        return newest, failed

    def _decoded(self, future: asyncio.Future[tuple[Picture | None, bool]]) -> None:
        self._is_decoding = False
        if self._is_closed or future.cancelled():
            return
        error = future.exception()
        if error is not None:
            log.error("decoding failed: %r", error)
            return
        picture, failed = future.result()
        now = asyncio.get_running_loop().time()
        if picture is not None:
            if self.newest is not None:
                self._gaps.append((now, now - self.newest.at))
            self.newest = Shown(picture, next(_serials), now)
        if failed:
            self._want_keyframe(now)
        self._decode_next()
