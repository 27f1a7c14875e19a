"""All RTP of one leg: routes what comes to its streams, answers feedback, reports.

Bytes come in decrypted; what has to go out goes through `send_rtcp`. The transports (ICE and DTLS,
or a pair of sockets) are the leg's. `now` is the event loop's clock, `unix_s` the wall clock.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .. import messages as m
from ..allocation import LinkTerms, terms_of
from ..codecs.audio import OPUS_DTX_SIZE, QUIET_PEAK
from ..codecs.g711 import quiet_codes
from ..datapath import Flow, Peer
from ..errors import RemoteMediaError
from ..leg import Shown
from ..messages import MediaKind
from ..rtp import rtcp
from ..rtp.packet import RtpPacket
from ..rtp.transport_cc import TransportFeedback
from .counted import Tally
from .inbound_audio import InboundAudio
from .inbound_video import InboundVideo
from .numbered import Numbered
from .offered import Offered
from .outbound import Outbound
from .plan import MediaPlan
from .sources import Sources

log = logging.getLogger(__name__)

REPORT_EVERY_S = 1.0
SIGNAL_EVERY = 4  # asks by RTCP, for one by signalling
RFC2032_FIR = 192  # the key frame request of older rooms, a packet type of its own
RTX_FLOW = 2  # of a peer whose flows 0 and 1 are picture and sound
PICTURES: tuple[MediaKind, ...] = ("video", "content")


@dataclass(frozen=True, slots=True)
class SessionEvents:
    """What a session tells its leg, on the event loop."""

    send_rtcp: Callable[[MediaKind, list[rtcp.RtcpPacket]], None]
    on_digit: Callable[[str], None]
    on_bye: Callable[[], None]
    on_keyframe_wanted: Callable[[MediaKind], None]  # no RTCP feedback: ask by signalling


class RtpSession:
    """Streams of one leg by media."""

    def __init__(self, cname: str, decode_pool: Executor, events: SessionEvents) -> None:
        self.cname = cname
        self.ssrcs: dict[MediaKind, int] = {
            "audio": secrets.randbits(31) + 1,
            "video": secrets.randbits(31) + 1,
            "content": secrets.randbits(31) + 1,
        }
        self.rtx_ssrcs: dict[MediaKind, int] = {
            media: secrets.randbits(31) + 1 for media in PICTURES
        }
        self.numbered: Numbered | None = None
        self.audio_in: InboundAudio | None = None
        self.pictures: dict[MediaKind, InboundVideo] = {}
        self.sources: Sources | None = None  # where one transport carries camera and content
        self.out: dict[MediaKind, Outbound] = {}
        self.plans: dict[MediaKind, MediaPlan] = {}
        self._shown: set[MediaKind] = set()
        self._peers: dict[MediaKind, tuple[Peer, int]] = {}
        self.terms = terms_of("internet")
        self.cap_bps: int | None = None  # each way; None: as the terms have it
        self.offered = Offered(self.terms, None)
        self._pool = decode_pool
        self._events = events
        self._reported_at: float | None = None
        self._fir_sequence = 0

    # --- negotiation --------------------------------------------------------------------------

    def plan(self, plans: Iterable[MediaPlan]) -> None:
        """Take what was negotiated, anew each time; media not named are stopped.

        Raises LocalMediaError for a codec the node has not.
        """
        self.plans = {plan.media: plan for plan in plans}
        ids = [p.numbers_id for p in self.plans.values() if p.numbers_id is not None]
        if ids and self.numbered is None:
            self.numbered = Numbered(ids[0], self._most_bps)
        inbound = {media: plan.inbound for media, plan in self.plans.items()}
        self._plan_audio(inbound.get("audio"))
        for media in PICTURES:
            self._plan_video(media, inbound.get(media))
        for media in ("audio", *PICTURES):
            self._plan_out(media, self.plans.get(media))
        self._fit()
        self._describe_flows()

    def count_by(self, peer: Peer, *media: MediaKind) -> None:
        """`peer` opens and counts these media's packets from now on."""
        for index, kind in enumerate(media):
            self._peers[kind] = (peer, index)
        self._describe_flows()

    def _describe_flows(self) -> None:
        """Tell the datapath what comes, as far as packets can be told apart by payload type."""
        for media, (peer, index) in self._peers.items():
            stream = self.audio_in if media == "audio" else self.pictures.get(media)
            if stream is None:
                peer.set_flow(index, None)
            elif not stream.is_counted:
                peer.set_flow(index, _flow(stream.plan))
                rtx_type = stream.plan.rtx_type
                if rtx_type is not None:
                    peer.set_flow(RTX_FLOW, Flow(rtx_type, stream.plan.clock_rate))
                stream.count_by(Tally(peer, index, None if rtx_type is None else RTX_FLOW))

    def kept_back_at(self, media: MediaKind) -> float:
        """When the newest packet of this media came as the datapath counts it, or 0."""
        stream = self.audio_in if media == "audio" else self.pictures.get(media)
        return 0.0 if stream is None else stream.counted_at

    @property
    def is_shown(self) -> bool:
        """Whether any of its pictures is needed now."""
        if self._shown:
            return True
        for stream in self.pictures.values():  # noqa: SIM110 - a generator costs three times this
            if stream.tap is not None:
                return True
        return False

    @property
    def last_packet_at(self) -> float | None:
        """When the newest packet of any stream came, kept back or not."""
        return max((s.last_packet_at or 0.0 for s in self._streams()), default=None)

    def set_line(self, terms: LinkTerms, cap_bps: int | None) -> None:
        """What the leg's line is: now and for what is negotiated later."""
        if (terms, cap_bps) != (self.terms, self.cap_bps):
            self.terms, self.cap_bps = terms, cap_bps
            self.offered = Offered(terms, cap_bps)
            if self.numbered is not None:
                self.numbered.set_cap(self._most_bps)
        self._fit()

    @property
    def _most_bps(self) -> int:
        return self.terms.cap_bps if self.cap_bps is None else self.cap_bps

    def _fit(self) -> None:
        audio = self.out.get("audio")
        codec = None if audio is None else audio.plan.codec
        for media, outbound in self.out.items():
            if media != "audio":
                outbound.fit(self.terms, self.cap_bps, codec)

    def _plan_audio(self, plan: MediaPlan | None) -> None:
        if plan is None or not plan.receive:
            self.audio_in = None
        elif self.audio_in is None or self.audio_in.plan != plan:
            self.audio_in = InboundAudio(plan, self._events.on_digit)

    @property
    def video_in(self) -> InboundVideo | None:
        """The camera's stream."""
        return self.pictures.get("video")

    def _plan_video(self, media: MediaKind, plan: MediaPlan | None) -> None:
        existing = self.pictures.get(media)
        if existing is not None and (plan is None or not plan.receive or existing.plan != plan):
            existing.close()
            del self.pictures[media]
        if plan is not None and plan.receive and media not in self.pictures:
            stream = InboundVideo(
                plan,
                self._pool,
                lambda in_vain: self.ask_keyframe(in_vain, media),
                lambda lost: self._ask_again(media, lost),
            )
            stream.set_shown(media in self._shown)
            self.pictures[media] = stream

    def _plan_out(self, media: MediaKind, plan: MediaPlan | None) -> None:
        existing = self.out.get(media)
        if plan is None or not plan.send:
            if existing is not None:
                existing.close()
                del self.out[media]
            return
        if existing is None:
            departures = None if self.numbered is None else self.numbered.departures
            rtx_ssrc = self.rtx_ssrcs.get(media)
            self.out[media] = Outbound(plan, self.ssrcs[media], rtx_ssrc, departures)
        else:
            existing.replan(plan)

    def close(self) -> None:
        for outbound in self.out.values():
            outbound.close()
        self.out.clear()
        for stream in self.pictures.values():
            stream.close()

    # --- receiving ----------------------------------------------------------------------------

    def take_rtp(self, data: bytes, now: float, media: MediaKind | None = None) -> bool:
        """One packet; True when it belongs to a stream that was negotiated.

        `media` where a socket carries one media only: both may use the same payload type then.
        """
        try:
            packet = RtpPacket.parse(data)
            return self._route(packet, len(data), now, media)
        except RemoteMediaError as error:
            log.debug("packet refused: %s", error)
            return False

    def _route(self, packet: RtpPacket, size: int, now: float, media: MediaKind | None) -> bool:
        if media is None and self.sources is not None:
            media = self.sources.media_of(packet)
        audio = self.audio_in if media in (None, "audio") else None
        if audio is not None and packet.payload_type in (
            audio.plan.payload_type,
            audio.plan.telephone_event_type,
        ):
            audio.receive(packet, size, now)
            return True
        for kind, video in self.pictures.items():
            if media in (None, kind) and packet.payload_type == video.plan.payload_type:
                self.offered.sample(packet, video.plan, now)
                video.receive(packet, size, now)
                return True
            if media in (None, kind) and packet.payload_type == video.plan.rtx_type:
                video.receive_again(packet, now)
                return True
        return False

    def _streams(self) -> list[InboundAudio | InboundVideo]:
        """All that comes in."""
        return [*filter(None, [self.audio_in]), *self.pictures.values()]

    def take_rtcp(self, data: bytes, now: float, unix_s: float) -> bool:
        """One compound packet; True when it was well-formed."""
        try:
            packets = rtcp.parse_compound(data)
        except RemoteMediaError as error:
            log.debug("rtcp refused: %s", error)
            return False
        for packet in packets:
            self._take_one(packet, now, unix_s)
        return True

    def _take_one(self, packet: rtcp.RtcpPacket, now: float, unix_s: float) -> None:
        match packet:
            case rtcp.SenderReport():
                for stream in self._streams():
                    if stream.statistics.ssrc == packet.ssrc:
                        stream.statistics.sender_report(packet, now)
                self._take_blocks(packet.reports, now, unix_s)
            case rtcp.ReceiverReport():
                self._take_blocks(packet.reports, now, unix_s)
            case rtcp.Nack():
                self._resend(packet)
            case rtcp.PictureLoss():
                self._want_keyframe_of({packet.media_ssrc})
            case rtcp.FullIntraRequest():
                self._want_keyframe_of({ssrc for ssrc, _ in packet.entries})
            case rtcp.OtherRtcp(packet_type=rtcp_type) if rtcp_type == RFC2032_FIR:
                self._want_keyframe_of(set())
            case rtcp.Remb() if "video" in self.out:
                self.out["video"].estimated(packet.bitrate_bps, now)
            case TransportFeedback() if self.numbered is not None:
                outbound = self.out.get("video") or self.out.get("content")
                if outbound is not None:
                    self.numbered.heard(packet, outbound, now)
            case rtcp.RateLimit(is_notification=False):
                self._take_limit(packet)
            case rtcp.Bye():
                self._take_bye(packet)
            case _:
                pass

    def _take_limit(self, limit: rtcp.RateLimit) -> None:
        """TMMBR: obeyed and confirmed (RFC 5104 section 3.5.4.2)."""
        for media, outbound in self.out.items():
            mine = [entry for entry in limit.entries if entry[0] == outbound.ssrc]
            if mine and media != "audio":
                outbound.line.asked(min(bitrate_bps for _, bitrate_bps, _ in mine))
                notice = rtcp.RateLimit(
                    outbound.ssrc, tuple((limit.ssrc, *entry[1:]) for entry in mine), True
                )
                self._events.send_rtcp(media, [notice])

    def _take_blocks(self, blocks: tuple[rtcp.ReportBlock, ...], now: float, unix_s: float) -> None:
        for block in blocks:
            for outbound in self.out.values():
                if block.ssrc == outbound.ssrc:
                    outbound.reported(block, now, unix_s)
                    trip = outbound.state.round_trip_s
                    if trip is not None:
                        for stream in self.pictures.values():
                            stream.set_round_trip(trip)

    def _resend(self, nack: rtcp.Nack) -> None:
        for outbound in self.out.values():
            if outbound.ssrc == nack.media_ssrc and outbound.target and outbound.rung:
                outbound.rung.fanout.resend(outbound.target, nack.lost)

    def _take_bye(self, bye: rtcp.Bye) -> None:
        """The far end left when every stream it sent said goodbye."""
        current = {
            stream.statistics.ssrc
            for stream in self._streams()
            if stream.statistics.ssrc is not None
        }
        if current and current <= set(bye.sources):
            self._events.on_bye()

    def want_keyframe(self, *media: MediaKind) -> None:
        """The peer needs a key frame of what we send; without a name, of every picture."""
        for kind in media or PICTURES:
            outbound = self.out.get(kind)
            if outbound is not None and outbound.rung is not None:
                outbound.rung.wish.want()

    def _want_keyframe_of(self, ssrcs: set[int]) -> None:
        """Rooms name whatever SSRC they like: one that is not ours means every picture."""
        self.want_keyframe(*(kind for kind in PICTURES if self.ssrcs[kind] in ssrcs))

    # --- asking and reporting -----------------------------------------------------------------

    def ask_keyframe(self, in_vain: int = 0, media: MediaKind = "video") -> None:
        """We need a key frame of what the peer sends; `in_vain` asked so often already.

        Where no feedback was negotiated, or it is not obeyed, signalling is asked to ask too.
        """
        video = self.pictures.get(media)
        if video is None or video.statistics.ssrc is None:
            return
        ours, theirs = self.ssrcs[media], video.statistics.ssrc
        if "nack pli" in video.plan.feedback:
            self._events.send_rtcp(media, [rtcp.PictureLoss(ours, theirs)])
        elif "ccm fir" in video.plan.feedback:
            self._fir_sequence = (self._fir_sequence + 1) & 0xFF
            request = rtcp.FullIntraRequest(ours, ((theirs, self._fir_sequence),))
            self._events.send_rtcp(media, [request])
        else:
            # Many rooms that negotiate no feedback obey a PLI all the same.
            self._events.send_rtcp(media, [rtcp.PictureLoss(ours, theirs)])
        is_heard = video.plan.can_ask_keyframe
        if in_vain % SIGNAL_EVERY == (SIGNAL_EVERY - 1 if is_heard else 0):
            self._events.on_keyframe_wanted(media)

    def _ask_again(self, media: MediaKind, lost: list[int]) -> None:
        video = self.pictures.get(media)
        if video is None or video.statistics.ssrc is None:
            return
        nack = rtcp.Nack(self.ssrcs[media], video.statistics.ssrc, tuple(lost[:64]))
        self._events.send_rtcp(media, [nack])

    def poll(self, now: float, unix_s: float) -> None:
        """Deadlines and reports; call it every 20 ms or so."""
        for stream in self._streams():
            stream.poll(now)
        for outbound in self.out.values():
            outbound.count_sent(now)
        is_less = self.offered.update(self._streams(), now)
        if is_less or self._reported_at is None or now - self._reported_at >= REPORT_EVERY_S:
            self._reported_at = now
            for media in self.plans:
                self._events.send_rtcp(media, self.report(media, now, unix_s))

    def report(self, media: MediaKind, now: float, unix_s: float) -> list[rtcp.RtcpPacket]:
        """SR or RR, SDES, and what the peer may offer where it understands that."""
        stream = self.audio_in if media == "audio" else self.pictures.get(media)
        block = stream.statistics.report_block(now) if stream is not None else None
        blocks = (block,) if block is not None else ()
        ssrc = self.ssrcs[media]
        outbound = self.out.get(media)
        sender = outbound.sender_report(now, unix_s, blocks) if outbound is not None else None
        packets: list[rtcp.RtcpPacket] = [sender or rtcp.ReceiverReport(ssrc, blocks)]
        packets.append(rtcp.SourceDescription.cname(ssrc, self.cname))
        if stream is not None and block is not None:
            packets += self.offered.words(ssrc, block.ssrc, stream.plan.feedback)
        return packets

    def goodbye(self, media: MediaKind) -> list[rtcp.RtcpPacket]:
        """What to send when we leave."""
        ssrc = self.ssrcs[media]
        return [
            rtcp.ReceiverReport(ssrc, ()),
            rtcp.SourceDescription.cname(ssrc, self.cname),
            rtcp.Bye((ssrc,)),
        ]

    # --- for the leg --------------------------------------------------------------------------

    def set_shown(self, is_shown: bool, media: MediaKind = "video") -> None:
        """Whether anybody sees it: only then it is decoded."""
        (self._shown.add if is_shown else self._shown.discard)(media)
        stream = self.pictures.get(media)
        if stream is not None:
            stream.set_shown(is_shown)

    def decoded_megapixels(self) -> list[float]:
        """The sizes of the pictures that are decoded now."""
        return [self.pictures[media].megapixels for media in self._shown if media in self.pictures]

    def newest(self) -> Shown | None:
        return self.video_in.newest if self.video_in is not None else None

    def tick_audio(self, now: float) -> NDArray[np.int16] | None:
        audio = self.audio_in
        return audio.tick(now) if audio is not None else None

    def stats(self, now: float) -> list[m.StreamStats]:
        found = [_inbound_stats(stream, now) for stream in self._streams()]
        found += [_outbound_stats(outbound, now) for outbound in self.out.values()]
        return found


def _flow(plan: MediaPlan) -> Flow:
    """How the datapath knows a stream, and its silence."""
    codes = None
    if plan.codec in ("PCMA", "PCMU"):
        codes = quiet_codes(plan.codec, QUIET_PEAK)
    dtx_size = OPUS_DTX_SIZE if plan.codec == "opus" else -1
    return Flow(plan.payload_type, plan.clock_rate, dtx_size, codes)


def _inbound_stats(stream: InboundAudio | InboundVideo, now: float) -> m.StreamStats:
    statistics = stream.statistics
    expected = statistics.packets_expected
    lost = max(0, statistics.packets_lost)
    size: tuple[int | None, int | None] = (None, None)
    frame_rate = None
    played, concealed, empty = (
        stream.slots if isinstance(stream, InboundAudio) else (None, None, None)
    )
    pictures = gap_ms = None
    if isinstance(stream, InboundVideo):
        frame_rate = round(stream.frame_rate.per_second(now), 1)
        pictures, gap_ms = stream.pictures, round(stream.longest_gap_s(now) * 1000)
        if stream.newest is not None:
            size = (stream.newest.picture.width, stream.newest.picture.height)
    return m.StreamStats(
        media=stream.plan.media,
        direction="in",
        codec=stream.plan.codec,
        bitrate_bps=round(stream.rate.per_second(now) * 8),
        packets=statistics.packets_received,
        loss_pct=round(100 * lost / expected, 2) if expected else 0.0,
        jitter_ms=round(statistics.jitter_ms, 1),
        width=size[0],
        height=size[1],
        frame_rate=frame_rate,
        pictures=pictures,
        longest_gap_ms=gap_ms,
        slots_played=played,
        slots_concealed=concealed,
        slots_empty=empty,
    )


def _outbound_stats(outbound: Outbound, now: float) -> m.StreamStats:
    state = outbound.state
    trip = state.round_trip_s
    rung = outbound.rung
    return m.StreamStats(
        media=outbound.plan.media,
        direction="out",
        codec=outbound.plan.codec,
        bitrate_bps=round(outbound.rate.per_second(now) * 8),
        packets=state.packet_count,
        loss_pct=round(100 * state.loss_fraction, 2),
        jitter_ms=round(state.remote_jitter_ms, 1),
        round_trip_ms=None if trip is None else round(trip * 1000, 1),
        width=(rung.key.width or None) if rung is not None else None,
        height=(rung.key.height or None) if rung is not None else None,
        frame_rate=float(rung.fps) if rung is not None else None,
    )
