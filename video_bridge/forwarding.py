"""One site's pictures sent on unchanged to those who watch it: no decoder, no encoder between.

Packets keep their payload; each receiver's own payload type, SSRC, sequence numbers, timestamps and
SRTP are put on by the datapath. Receivers join at a key frame, and after a hole nothing is sent
until the next: what was sent before can be continued by nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from .allocation.rungs import RungKey
from .datapath import Departure, Fanout, create_fanout
from .errors import RemoteMediaError
from .payload.h264 import NAL_PPS, NAL_SPS, ProfileLevelId, split_annexb
from .rtp.packet import timestamp_distance
from .rtp.reorder import ReceivedFrame
from .streams.inbound_video import InboundVideo
from .streams.outbound import Outbound
from .streams.plan import MediaPlan
from .streams.video_formats import video_format
from .video.ladder import VIDEO_CLOCK, timestamp_of

FORWARDED = ("H264", "VP8")
MAX_PAYLOAD = 1300  # larger ones might not fit a packet with the receiver's SRTP tag
ASK_EVERY_S = 0.6
KEYFRAME_WITHIN_S = 3.0  # else the site is shown decoded and encoded again
TRIED_AGAIN_AFTER_S = 20.0
SILENT_S = 2.0
PACE_S = 0.005
MAX_DRIFT = VIDEO_CLOCK // 4

# H.264 A.2: who decodes the profile on the left decodes those on the right.
_DECODES = {
    "constrained-baseline": {"constrained-baseline"},
    "baseline": {"constrained-baseline", "baseline"},
    "main": {"constrained-baseline", "main"},
    "high": {"constrained-baseline", "main", "high"},
}


def decodes(plan: MediaPlan, source: ProfileLevelId) -> bool:
    """Whether a receiver of this plan may be sent H.264 of that profile and level."""
    if plan.profile_level_id is None:
        return False
    own = ProfileLevelId.parse(plan.profile_level_id)
    if source.profile not in _DECODES.get(own.profile, ()):
        return False
    return plan.allows_asymmetric_level or source.level_idc <= own.level_idc


class _SourceWish:
    """Key frame wishes of all receivers as one question to the sender, not oftener than this."""

    def __init__(self, ask: Callable[[], None]) -> None:
        self._ask = ask
        self._asked_at: float | None = None
        self._is_wanted = False

    def want(self) -> None:
        self._is_wanted = True

    def poll(self, now: float) -> None:
        if self._is_wanted and (self._asked_at is None or now - self._asked_at >= ASK_EVERY_S):
            self._asked_at = now
            self._ask()

    def came(self) -> None:
        self._is_wanted = False


class _Timeline:
    """The sender's timestamps on the clock that programmes use, so that a change is no jump."""

    def __init__(self) -> None:
        self._offset: int | None = None

    def map(self, timestamp: int, now: float) -> int:
        ours = timestamp_of(now)
        if self._offset is not None:
            mapped = (timestamp + self._offset) & 0xFFFFFFFF
            if abs(timestamp_distance(mapped, ours)) <= MAX_DRIFT:
                return mapped
        self._offset = ours - timestamp
        return ours


class Forward:
    """A `Feed`. `admit` who shall get it, `keep` who still shall, `poll` often, `close` at last."""

    def __init__(self, video: InboundVideo, ask_keyframe: Callable[[], None]) -> None:
        self.fanout: Fanout = create_fanout()
        self.wish = _SourceWish(ask_keyframe)
        self.members: list[Outbound] = []
        self._waiting: list[Outbound] = []
        self._waiting_since = 0.0
        self._refused_until = 0.0
        self._video = video
        self._depacketiser = video_format(video.plan.codec).depacketiser()
        self._is_keyframe = video_format(video.plan.codec).is_keyframe
        self._is_broken = True
        self._profile: ProfileLevelId | None = None
        self._parameter_sets: list[bytes] = []
        self._timeline = _Timeline()
        self._departure: Departure | None = None
        self._loop = asyncio.get_running_loop()
        video.forward_to(self.take)

    def close(self) -> None:
        self._video.forward_to(None)
        self.members.clear()
        self._waiting.clear()

    @property
    def source(self) -> InboundVideo:
        return self._video

    @property
    def key(self) -> RungKey:
        """As statistics name it; the size is known where the site is decoded, too."""
        shown = self._video.newest
        size = (0, 0) if shown is None else (shown.picture.width, shown.picture.height)
        return RungKey(self._video.plan.codec, *size, round(self._bitrate_bps(self._loop.time())))

    @property
    def fps(self) -> int:
        return round(self._video.frame_rate.per_second(self._loop.time()))

    def _bitrate_bps(self, now: float) -> float:
        return self._video.rate.per_second(now) * 8

    # --- who gets it --------------------------------------------------------------------------

    def suits(self, outbound: Outbound, now: float) -> bool:
        """Whether this receiver may be sent the site's stream as it is."""
        plan, source = outbound.plan, self._video.plan
        heard_at = self._video.last_packet_at
        if plan.codec != source.codec or now < self._refused_until:
            return False
        if heard_at is None or now - heard_at > SILENT_S:
            return False
        if plan.codec == "H264" and (
            plan.packetization_mode != 1
            or (self._profile is not None and not decodes(plan, self._profile))
        ):
            return False
        return outbound.carries(self._bitrate_bps(now), is_sent=outbound in self.members)

    def admit(self, outbound: Outbound, now: float) -> bool:
        """True once it gets this feed; until the next key frame it keeps what it has."""
        if outbound in self.members:
            return True
        if outbound not in self._waiting:
            if not self._waiting:
                self._waiting_since = now
            self._waiting.append(outbound)
            self.wish.want()
        return False

    def dismiss(self, outbound: Outbound) -> None:
        self.members = [member for member in self.members if member is not outbound]
        self._waiting = [member for member in self._waiting if member is not outbound]

    def keep(self, outbounds: list[Outbound]) -> None:
        """Dismiss all others."""
        self.members = [member for member in self.members if member in outbounds]
        self._waiting = [member for member in self._waiting if member in outbounds]

    def poll(self, now: float) -> None:
        """Ask for what is needed, and give up a sender who gives no key frame."""
        self.wish.poll(now)
        if self._waiting and now - self._waiting_since > KEYFRAME_WITHIN_S:
            self._refuse(now)

    def _refuse(self, now: float) -> None:
        self._refused_until = now + TRIED_AGAIN_AFTER_S
        self._waiting.clear()

    # --- frames -------------------------------------------------------------------------------

    def take(self, frame: ReceivedFrame, now: float) -> None:
        """The next frame of the site, in order."""
        payloads = frame.payloads
        try:
            picture = self._depacketiser.depacketise(payloads)
        except RemoteMediaError:
            picture = b""
        if max(map(len, payloads), default=0) > MAX_PAYLOAD:
            self._refuse(now)
            self._is_broken = True
        is_key = bool(picture) and self._is_keyframe(picture)
        if is_key and self._video.plan.codec == "H264":
            is_key = self._learn(picture, payloads)
        if is_key:
            self._is_broken = False
            self.wish.came()
            self._welcome()
        elif frame.is_after_gap or not picture:
            self._is_broken = True
        if self._is_broken:
            if self.members:
                self.wish.want()
            return
        self._send(payloads, self._timeline.map(frame.timestamp, now), now, is_key=is_key)

    def _learn(self, picture: bytes, payloads: list[bytes]) -> bool:
        """Profile and parameter sets of a key frame; False where they are not known.

        Some rooms send them once only: who joins later gets them before his first key frame.
        """
        sets = [u for u in split_annexb(picture) if u[0] & 0x1F in (NAL_SPS, NAL_PPS)]
        sps = next((unit for unit in sets if unit[0] & 0x1F == NAL_SPS), None)
        if sps is not None and len(sps) > 3:
            self._profile = ProfileLevelId(*sps[1:4])
            self._parameter_sets = sets
        elif self._parameter_sets:
            payloads[:0] = self._parameter_sets
        return self._profile is not None

    def _welcome(self) -> None:
        """At a key frame: all who wait and can decode it."""
        for outbound in self._waiting:
            if self._profile is None or decodes(outbound.plan, self._profile):
                self.members.append(outbound)
                outbound.move_to(self)  # and sent this very key frame
        self._waiting.clear()
        self.wish.came()

    def _send(self, payloads: list[bytes], timestamp: int, now: float, *, is_key: bool) -> None:
        taking = [o for o in self.members if o.follows(self, is_key=is_key, timestamp=timestamp)]
        targets = [o.target for o in taking if o.target is not None]
        if not targets:
            return
        if self._departure is not None:
            self._departure.send(self._departure.remaining)
        self._departure = self.fanout.prepare(targets, payloads, timestamp)
        self._depart(self._departure)
        for outbound in taking:
            outbound.count_sent(now)

    def _depart(self, departure: Departure) -> None:
        departure.send()
        if departure.remaining:
            self._loop.call_later(PACE_S, self._depart, departure)
