"""What a leg is sent of one media: its fan-out target, its sender's state, its rung."""

from __future__ import annotations

import secrets
import socket
from typing import Protocol

from ..allocation import LineState, LinkTerms, RungKey, audio_line_bps, steps_for, terms_of
from ..allocation.rungs import FULL_FPS, LINE_OVERHEAD
from ..datapath import Departures, Fanout, FanoutTarget, SrtpKeys
from ..errors import LocalMediaError
from ..rtp.packet import timestamp_distance
from ..rtp.rtcp import ReportBlock, SenderReport
from ..rtp.source import SenderState
from ..video.catch_up import CatchUp, History
from .plan import MediaPlan
from .rates import Rate

FRAME_UNITS = 90_000 // FULL_FPS
FULL_AGAIN = 0.9  # of what the line carries: who was sent too much is sent it again below this


class Wish(Protocol):
    def want(self) -> None:
        """Somebody needs a key frame."""


class Feed(Protocol):
    """What a receiver may be sent: a rung of a programme, or a site's own stream unchanged."""

    @property
    def key(self) -> RungKey: ...

    @property
    def fps(self) -> int: ...

    @property
    def fanout(self) -> Fanout: ...

    @property
    def wish(self) -> Wish: ...


class Outbound:
    """One SSRC to one peer. Without a route yet (`route`), nothing is sent."""

    def __init__(
        self,
        plan: MediaPlan,
        ssrc: int,
        rtx_ssrc: int | None = None,
        departures: Departures | None = None,
    ) -> None:
        self.plan = plan
        self.ssrc = ssrc
        self._rtx_ssrc = rtx_ssrc
        self._departures = departures if plan.numbers_id is not None else None
        self.state = SenderState(ssrc, plan.clock_rate)
        self.rate = Rate()
        self.target: FanoutTarget | None = None
        self._keys: SrtpKeys | None = None
        self.rung: Feed | None = None
        self.awaits_keyframe = False
        self.catch_up: CatchUp | None = None
        self.line = LineState(terms_of("internet"))
        self._steps: tuple[RungKey, ...] = ()
        self._sound_bps = 0
        self._reported_sequence = 0
        self._counted_packets = 0
        self._counted_octets = 0
        self._seq_start = secrets.randbits(15)
        if plan.media != "audio":
            self.fit(self.line.terms, None, None)

    def route(
        self, sock: socket.socket, address: tuple[str, int], srtp: SrtpKeys | None = None
    ) -> None:
        """Send here from now on; sequence numbers go on over a change of route, not of keys."""
        if self.target is not None and srtp != self._keys:
            self.target.close()
            self.target = None
        if self.target is None:
            self._keys = srtp
            self.target = FanoutTarget(
                sock.fileno(),
                address,
                self.ssrc,
                self.plan.payload_type,
                self._seq_start,
                secrets.randbits(31),
                srtp,
                departures=self._departures,
                rtx=self._rtx(sock, address, srtp),
            )
            return
        old = self.target.socket
        if old is not None and old.getsockname() != sock.getsockname():
            self.target.socket = sock.dup()
            old.close()
            if self.target.rtx is not None:
                old = self.target.rtx.socket
                self.target.rtx.socket = sock.dup()
                if old is not None:
                    old.close()
        self.target.move_to(address)

    def _rtx(
        self, sock: socket.socket, address: tuple[str, int], srtp: SrtpKeys | None
    ) -> FanoutTarget | None:
        """The stream of what is sent again, where that was negotiated."""
        if self.plan.rtx_type is None or self._rtx_ssrc is None:
            return None
        return FanoutTarget(
            sock.fileno(),
            address,
            self._rtx_ssrc,
            self.plan.rtx_type,
            secrets.randbits(15),
            srtp=srtp,
            departures=self._departures,
        )

    def replan(self, plan: MediaPlan) -> None:
        """A re-negotiation of the same media."""
        self.plan = plan
        self.state.clock_rate = plan.clock_rate
        if self.target is not None:
            self.target.payload_type = plan.payload_type

    def close(self) -> None:
        if self.target is not None:
            self.target.close()
            self.target = None
        self.rung = None

    def fit(self, terms: LinkTerms, cap_bps: int | None, audio_codec: str | None) -> None:
        """What the leg's line is (video). Raises LocalMediaError `video_codec_unknown`."""
        plan = self.plan
        screen = plan.screen if plan.media == "video" else plan.page_screen
        self._steps = steps_for(plan.codec, plan.packetization_mode, screen)
        if not self._steps:
            raise LocalMediaError("video_codec_unknown", codec=plan.codec)
        self._sound_bps = sound_bps = audio_line_bps(audio_codec, terms.audio)
        self.line.set_terms(terms, cap_bps)
        self.line.set_needs(
            [key.line_bps + sound_bps for key in self._steps],
            plan.max_bitrate_bps,
            sum(key.fps == FULL_FPS for key in self._steps),
        )

    @property
    def steps(self) -> tuple[RungKey, ...]:
        """The rungs that its line allows now, best first; none when only sound fits."""
        return self._steps[self.line.level :]

    def wanted_rung(self) -> RungKey | None:
        """The best of its steps, whatever others need; None when only sound fits."""
        return self.steps[0] if self.steps else None

    def move_to(self, feed: Feed) -> None:
        """Be sent this encoding from a key frame on: the one before it is not continued."""
        if self.rung is not feed:
            self.rung = feed
            self.awaits_keyframe = True
            self.catch_up = None

    def follows(self, feed: Feed, *, is_key: bool, timestamp: int) -> bool:
        """Whether the feed's picture of now is sent: not to one who moved away meanwhile, nor,

        before the first key frame, to one who came: it would be decoded onto another's picture.
        `timestamp` is the picture's before the target's own offset.
        """
        if self.rung is not feed:
            return False
        if self.awaits_keyframe and is_key:
            self.awaits_keyframe, self.catch_up = False, None
            self.go_on_from(timestamp)
        return not self.awaits_keyframe

    @property
    def picture_bps(self) -> int:
        """What its line is believed to take besides the sound."""
        return max(0, self.line.rate_bps - self._sound_bps)

    def needs_keyframe(self, history: History, now: float) -> bool:
        """Whether only a new key frame brings it in."""
        is_led = self.catch_up is not None and not self.catch_up.is_lost
        return self.awaits_keyframe and not is_led and not history.leads(self.picture_bps, now)

    def go_on_from(self, timestamp: int) -> None:
        """Feeds count time each by itself: the next picture is later than the last all the same."""
        target = self.target
        if target is None or target.last_timestamp is None:
            return
        step = timestamp_distance(timestamp + target.ts_offset, target.last_timestamp)
        if step < FRAME_UNITS:
            target.ts_offset += FRAME_UNITS - step

    def carries(self, bitrate_bps: float, *, is_sent: bool) -> bool:
        """Whether the line takes a stream of this rate, which it `is_sent` already or not."""
        line = self.line
        if line.level >= len(line.needs_bps):
            return False
        room = line.limit_bps if line.level == 0 else line.needs_bps[line.level]
        return bitrate_bps * LINE_OVERHEAD <= room * (1.0 if is_sent else FULL_AGAIN)

    def count_sent(self, now: float) -> None:
        """Take over what was sent meanwhile, for sender reports and rates; often enough."""
        target = self.target
        if target is None or target.last_timestamp is None:
            return
        packets = target.packets_sent - self._counted_packets
        octets = target.octets_sent - self._counted_octets
        if packets <= 0:
            return
        self._counted_packets, self._counted_octets = target.packets_sent, target.octets_sent
        self.state.sent(packets, octets, target.last_timestamp, target.sent_at)
        self.rate.add(octets + 12 * packets, now)

    def sender_report(
        self, now: float, unix_s: float, reports: tuple[ReportBlock, ...]
    ) -> SenderReport | None:
        return self.state.sender_report(now, unix_s, reports)

    def reported(self, block: ReportBlock, now: float, unix_s: float) -> None:
        """A receiver's report about us."""
        self.state.reported(block, unix_s)
        packets = block.highest_sequence - self._reported_sequence
        self._reported_sequence = block.highest_sequence
        if packets > 0:
            self.line.reported(block.fraction_lost / 256, now, min(packets, 1000))

    def estimated(self, bitrate_bps: int, now: float) -> None:
        """The receiver's own estimate (REMB)."""
        self.line.estimated(bitrate_bps, self.rate.per_second(now) * 8, now)
