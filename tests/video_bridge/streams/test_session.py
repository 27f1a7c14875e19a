"""RTP of one leg without a socket: routing, feedback, reports, goodbyes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from video_bridge.allocation.links import LINKS, terms_of
from video_bridge.allocation.rungs import H264_360P, H264_720P, Screen
from video_bridge.datapath.departures import KEPT
from video_bridge.errors import LocalMediaError
from video_bridge.payload import dtmf
from video_bridge.rtp import rtcp
from video_bridge.rtp.header_ext import build_extensions
from video_bridge.rtp.packet import RtpPacket
from video_bridge.rtp.transport_cc import TransportFeedback
from video_bridge.streams.outbound import Outbound
from video_bridge.streams.plan import MediaPlan
from video_bridge.streams.session import REPORT_EVERY_S, SIGNAL_EVERY, RtpSession, SessionEvents
from video_bridge.streams.sources import Sources
from video_bridge.video.ladder import Rung

AUDIO = MediaPlan("audio", "PCMA", 96, 8000, True, True, telephone_event_type=101)
VIDEO = MediaPlan(
    "video",
    "H264",
    96,
    90_000,
    True,
    True,
    feedback=frozenset({"nack", "nack pli", "goog-remb"}),
    profile_level_id="42e01f",
)
POOL = ThreadPoolExecutor(1)


class Peer:
    """A session and what it told its leg."""

    def __init__(self, *plans: MediaPlan) -> None:
        self.sent: list[tuple[str, list[rtcp.RtcpPacket]]] = []
        self.digits: list[str] = []
        self.byes = 0
        self.wishes = 0
        self.session = RtpSession(
            "cname",
            POOL,
            SessionEvents(
                lambda media, packets: self.sent.append((media, packets)),
                self.digits.append,
                lambda: setattr(self, "byes", self.byes + 1),
                lambda _media: setattr(self, "wishes", self.wishes + 1),
            ),
        )
        self.session.plan(plans)

    def asked(self, kind: type) -> list[rtcp.RtcpPacket]:
        return [p for _, packets in self.sent for p in packets if isinstance(p, kind)]


def packet(payload_type: int, sequence: int, ssrc: int = 7, payload: bytes = b"x") -> bytes:
    return bytes(RtpPacket(payload_type, sequence, sequence * 160, ssrc, payload))


def test_same_payload_type_on_two_ports_is_told_apart_by_the_port() -> None:
    """Rooms number their dynamic types from 96 on each media line anew."""
    peer = Peer(AUDIO, VIDEO)
    assert peer.session.take_rtp(packet(96, 1), 0.0, "video")
    assert peer.session.take_rtp(packet(96, 1, ssrc=8), 0.0, "audio")
    assert peer.session.video_in.statistics.ssrc == 7
    assert peer.session.audio_in.statistics.ssrc == 8
    assert not peer.session.take_rtp(packet(55, 1), 0.0, "audio"), "never negotiated"
    assert not peer.session.take_rtp(b"\x80", 0.0)
    assert not peer.session.take_rtcp(b"\x80\xc8junk", 0.0, 0.0)


def test_key_press_is_told_once() -> None:
    """RFC 4733 sends each press many times."""
    peer = Peer(AUDIO)
    for number, payload in enumerate(dtmf.packetise("7")):
        data = bytes(RtpPacket(101, number, 4000, 7, payload))
        peer.session.take_rtp(data, 0.0)
    assert peer.digits == ["7"]


def test_every_kind_of_key_frame_request_is_obeyed() -> None:
    """PLI, FIR, and the request of RFC 2032 rooms, whatever SSRC they name."""
    peer = Peer(VIDEO)
    outbound = peer.session.out["video"]
    for request in (
        rtcp.PictureLoss(1, 0),
        rtcp.FullIntraRequest(1, ((outbound.ssrc, 1),)),
        rtcp.OtherRtcp(192, 0, b"\0\0\0\1"),
    ):
        outbound.rung = Rung(H264_720P)
        peer.session.take_rtcp(rtcp.build(request), 0.0, 0.0)
        assert outbound.rung.wish.take(0.0), request


def test_hidden_leg_is_not_asked_for_key_frames_and_a_shown_one_is() -> None:
    """Asking sites that nobody sees wastes their line."""
    peer = Peer(VIDEO)
    peer.session.take_rtp(packet(96, 1), 0.0)
    peer.session.poll(0.1, 0.1)
    assert not peer.asked(rtcp.PictureLoss)
    peer.session.set_shown(True)
    peer.session.poll(1.0, 1.0)
    assert [p.media_ssrc for p in peer.asked(rtcp.PictureLoss)] == [7]


def test_room_without_feedback_is_asked_by_signalling_too() -> None:
    """No RTCP feedback: SIP INFO is the only way, and not a flood of it."""
    peer = Peer(replace(VIDEO, feedback=frozenset()))
    peer.session.take_rtp(packet(96, 1), 0.0)
    for count in range(SIGNAL_EVERY * 2):
        peer.session.ask_keyframe(count)
    assert peer.wishes == 2
    obedient = Peer(VIDEO)
    obedient.session.take_rtp(packet(96, 1), 0.0)
    for count in range(SIGNAL_EVERY - 1):
        obedient.session.ask_keyframe(count)
    assert obedient.wishes == 0


def test_lost_packet_is_asked_again() -> None:
    """NACK saves what a key frame would cost much more."""
    peer = Peer(VIDEO)
    for sequence in (1, 2, 4):
        peer.session.take_rtp(packet(96, sequence), 0.0)
    peer.session.poll(0.05, 0.05)
    assert [p.lost for p in peer.asked(rtcp.Nack)] == [(3,)]


def test_reports_go_out_each_second_with_name_and_estimate() -> None:
    """Browsers ramp up by REMB and measure their way by reports."""
    peer = Peer(AUDIO, VIDEO)
    peer.session.take_rtp(packet(96, 1), 0.0, "video")
    for tick in range(101):
        peer.session.poll(tick * 0.02, tick * 0.02)
    media = [media for media, packets in peer.sent if isinstance(packets[0], rtcp.ReceiverReport)]
    assert media.count("audio") == media.count("video") == 2 / REPORT_EVERY_S + 1
    assert peer.asked(rtcp.SourceDescription)
    assert peer.asked(rtcp.Remb)[0].media_ssrcs == (7,)


def test_goodbye_counts_when_all_streams_said_it() -> None:
    """A stream replaced is not a peer that left."""
    peer = Peer(AUDIO, VIDEO)
    peer.session.take_rtp(packet(96, 1, ssrc=7), 0.0, "video")
    peer.session.take_rtp(packet(96, 1, ssrc=8), 0.0, "audio")
    peer.session.take_rtcp(rtcp.build(rtcp.Bye((7,))), 0.0, 0.0)
    assert peer.byes == 0
    peer.session.take_rtcp(rtcp.build(rtcp.Bye((7, 8))), 0.0, 0.0)
    assert peer.byes == 1


def test_renegotiation_stops_what_is_not_named() -> None:
    """A hall that puts its video on hold is sent none."""
    peer = Peer(AUDIO, VIDEO)
    sound = peer.session.audio_in
    peer.session.plan([AUDIO])
    assert peer.session.video_in is None and "video" not in peer.session.out
    assert peer.session.audio_in is sound, "what did not change goes on"
    with pytest.raises(LocalMediaError):
        peer.session.plan([replace(VIDEO, codec="H265")])


def test_reports_and_estimates_of_the_peer_reach_its_line() -> None:
    """Loss by RR and the browser's own estimate by REMB move the leg down its ladder."""
    peer = Peer(AUDIO, VIDEO)
    outbound = peer.session.out["video"]
    assert outbound.steps[0] == H264_720P
    for second in range(2):
        bad = rtcp.ReportBlock(outbound.ssrc, 60, 0, 100 + 150 * second, 0, 0, 0)
        peer.session.take_rtcp(rtcp.build(rtcp.ReceiverReport(1, (bad,))), float(second), 0.0)
    assert outbound.steps[0] == H264_360P
    other = Peer(AUDIO, VIDEO).session
    for second in range(10):
        other.out["video"].rate.add(190_000, float(second))
        other.take_rtcp(rtcp.build(rtcp.Remb(1, 600_000, ())), float(second), 0.0)
    assert other.out["video"].steps[0] != H264_720P


def test_request_for_less_is_obeyed_and_confirmed() -> None:
    """TMMBR (RFC 5104): rooms on thin lines say once what they can take."""
    peer = Peer(AUDIO, VIDEO)
    outbound = peer.session.out["video"]
    limit = rtcp.RateLimit(99, ((outbound.ssrc, 700_000, 40),))
    peer.session.take_rtcp(rtcp.build(limit), 0.0, 0.0)
    assert outbound.steps[0] == H264_360P
    (notice,) = peer.asked(rtcp.RateLimit)
    assert notice.is_notification and notice.entries[0][0] == 99


def offer_too_much(peer: Peer, *, queue_s: float) -> None:
    """Four seconds of pictures that come ever later up to `queue_s`."""
    for frame in range(100):
        sent = frame / 25
        late = min(queue_s, max(0.0, sent - 1.0) * queue_s)
        for n in range(4):
            data = bytes(RtpPacket(96, frame * 4 + n, frame * 3600, 7, bytes(1150), n == 3))
            peer.session.take_rtp(data, sent + late, "video")
        peer.session.poll(sent + late, sent + late)


def test_site_whose_line_queues_is_told_to_offer_less() -> None:
    """Its cap holds from the first report; what its line really carries, once it queues."""
    good, bad = Peer(AUDIO, VIDEO), Peer(AUDIO, VIDEO)
    offer_too_much(good, queue_s=0.03)
    assert {p.bitrate_bps >> 17 for p in good.asked(rtcp.Remb)} == {3_000_000 >> 17}
    offer_too_much(bad, queue_s=0.5)
    assert bad.asked(rtcp.Remb)[-1].bitrate_bps < 900_000


def test_room_without_remb_is_asked_by_tmmbr() -> None:
    """Each peer in the words it understands, and those who understand none in no words."""
    room = Peer(AUDIO, replace(VIDEO, feedback=frozenset({"nack pli", "ccm tmmbr"})))
    offer_too_much(room, queue_s=0.0)
    assert room.asked(rtcp.RateLimit)[-1].entries[0][0] == 7 and not room.asked(rtcp.Remb)
    plain = Peer(AUDIO, replace(VIDEO, feedback=frozenset()))
    offer_too_much(plain, queue_s=0.5)
    assert not plain.asked(rtcp.RateLimit) and not plain.asked(rtcp.Remb)


def test_low_estimate_of_an_idle_line_means_nothing() -> None:
    """A receiver that is sent 200 kbit/s estimates little more, on the best of lines."""
    outbound = Outbound(VIDEO, 5)
    for second in range(10):
        outbound.rate.add(25_000, float(second))
        outbound.estimated(300_000, float(second))
    assert outbound.steps[0] == H264_720P


def test_profile_of_the_line_holds_for_what_is_negotiated_later() -> None:
    """The roof knows the site's line before the room has answered."""
    peer = Peer(AUDIO)
    peer.session.set_line(terms_of("satellite"), None)
    peer.session.plan([AUDIO, VIDEO])
    assert peer.session.out["video"].steps[0].line_bps < 512_000 - 85_600
    peer.session.set_line(terms_of("private_line"), 700_000)
    assert peer.session.out["video"].steps[0] == H264_360P


@pytest.mark.parametrize(
    ("profile", "asymmetric", "height"),
    [
        ("42e01f", False, 720),
        ("42e00d", False, 360),
        ("42e00d", True, 720),
        ("42e028", False, 1080),
        ("64002a", True, 1080),
        ("42e020", True, 720),
        (None, False, 360),
    ],
)
def test_level_decides_the_size(profile: str | None, asymmetric: bool, height: int) -> None:
    """A level 1.3 room cannot decode 720p; a browser that allows asymmetry can."""
    plan = replace(VIDEO, profile_level_id=profile, allows_asymmetric_level=asymmetric)
    assert plan.screen == Screen(height * 16 // 9, height)
    assert replace(plan, media="content").page_screen.height <= 720


def test_1080p_is_for_lines_that_have_room_for_it() -> None:
    """A private line begins with it, the internet climbs to it, 4G and satellites never do."""
    peer = Peer(replace(VIDEO, profile_level_id="42e028"))
    outbound, tops = peer.session.out["video"], {}
    for link in LINKS:
        peer.session.set_line(terms_of(link), None)
        for second in range(40):
            outbound.line.reported(0.0, float(second))
        tops[link] = outbound.wanted_rung().height
    assert tops == {"private_line": 1080, "internet": 1080, "mobile": 720, "satellite": 360}
    peer.session.set_line(terms_of("private_line"), 2_600_000)
    assert outbound.wanted_rung() == H264_720P


CONTENT = replace(VIDEO, media="content")


def test_camera_and_content_of_one_bundle_are_told_apart_by_source_and_mid() -> None:
    """RFC 8843 9.2: a browser numbers the payload types of both sections alike."""
    peer = Peer(VIDEO, CONTENT)
    peer.session.sources = Sources({"1": "video", "2": "content"}, {7: "video"}, 4)
    named = RtpPacket(96, 1, 160, 8, b"x", False, (), *build_extensions({4: b"2"}))
    for data in (packet(96, 1), bytes(named), packet(96, 2, ssrc=8)):
        assert peer.session.take_rtp(data, 0.0)
    streams = peer.session.pictures
    assert (streams["video"].statistics.ssrc, streams["content"].statistics.ssrc) == (7, 8)
    assert streams["content"].statistics.packets_received == 2, "learnt from the first packet"
    assert peer.session.take_rtp(packet(96, 1, ssrc=9), 0.0), "an unknown source is the camera"
    assert streams["content"].statistics.packets_received == 2


def test_key_frame_is_made_of_the_picture_that_was_named() -> None:
    """Who lost a slide must not cost all others a key frame of the programme."""
    peer = Peer(VIDEO, CONTENT)
    out = peer.session.out
    for outbound in out.values():
        outbound.rung = Rung(H264_720P)
    peer.session.take_rtcp(rtcp.build(rtcp.PictureLoss(1, out["content"].ssrc)), 0.0, 0.0)
    assert out["content"].rung.wish.take(0.0)
    assert not out["video"].rung.wish.take(0.0)
    peer.session.set_shown(True, "content")
    peer.session.take_rtp(packet(96, 1, ssrc=8), 0.0, "content")
    peer.session.poll(1.0, 1.0)
    asked = [media for media, packets in peer.sent if isinstance(packets[0], rtcp.PictureLoss)]
    assert asked == ["content"]


def test_time_of_leaving_counts_where_the_browser_says_it() -> None:
    """A browser holds packets back to pace them: that is no queue of its line."""
    peer = Peer(AUDIO, replace(VIDEO, send_time_id=3))
    for frame in range(200):
        left = 60.0 + frame / 25 + min(0.5, frame / 200)  # paced ever later; the clock wraps at 64
        profile, extensions = build_extensions(
            {3: (round(left * (1 << 18)) % (1 << 24)).to_bytes(3)}
        )
        data = RtpPacket(
            96, frame, frame * 3600, 7, bytes(1150), True,
            extension_profile=profile, extensions=extensions,
        )  # fmt: skip
        peer.session.take_rtp(bytes(data), left - 60.0, "video")
        peer.session.poll(left - 60.0, left)
    assert peer.asked(rtcp.Remb)[-1].bitrate_bps >> 17 == 3_000_000 >> 17


NUMBERED = replace(VIDEO, numbers_id=3, rtx_type=97, feedback=VIDEO.feedback | {"transport-cc"})


def test_feedback_of_a_queue_takes_the_line_down() -> None:
    """720p into a line that carries less: the delay tells, no packet is lost yet."""
    peer = Peer(NUMBERED)
    outbound, numbered = peer.session.out["video"], peer.session.numbered
    assert outbound.wanted_rung() == H264_720P
    for turn in range(30):
        if outbound.wanted_rung() != H264_720P:
            break
        came: list[int | None] = []
        base = numbered.departures.log.next
        for index in range(15):
            number = numbered.departures.take(1)
            numbered.departures.left(number, 1200)
            place = numbered.departures.log.departed[number % KEPT]
            place.at_us = turn * 100_000 + index * 6667
            came.append(36 if index or turn else 0)  # 9 ms each: 1.07 Mbit/s
        told = TransportFeedback(1, 2, base & 0xFFFF, turn * 15 * 36 // 256, turn, tuple(came))
        told = replace(told, deltas=(turn * 15 * 36 % 256, *came[1:]))
        peer.session.take_rtcp(rtcp.build(told), 50.0 + turn / 10, 0.0)
    assert outbound.wanted_rung() == H264_360P


def test_packets_sent_again_on_the_rtx_stream_close_the_hole() -> None:
    """RFC 4588: they are no packets of the picture's own stream, and padding is nothing."""
    peer = Peer(NUMBERED)
    video = peer.session.video_in
    units = {1: b"\x67sps", 2: b"\x68pps", 3: b"\x65idr"}
    whole = [bytes(RtpPacket(96, n, 900, 7, unit, n == 3)) for n, unit in units.items()]
    seen: list[int] = []
    video.forward_to(lambda frame, now: seen.append(len(frame.packets)))
    for data in (whole[0], whole[2]):
        assert peer.session.take_rtp(data, 0.0)
    again = RtpPacket(97, 500, 900, 8, (2).to_bytes(2) + units[2])
    assert peer.session.take_rtp(bytes(again._replace(payload=b"")), 0.0)
    assert seen == []
    assert peer.session.take_rtp(bytes(again), 0.01)
    assert seen == [3]
    assert peer.session.take_rtp(bytes(again), 0.02), "a probe repeats what came"
    assert (video.statistics.ssrc, video.statistics.packets_received) == (7, 2)
    assert video.statistics.packets_lost == 0
