"""A watched site's stream is sent on packet by packet, and never begun in its middle."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import socket
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tests.video_bridge.node.room import _socket
from video_bridge.codecs.picture import Picture
from video_bridge.codecs.video import EncodedFrame, VideoDecoder, VideoEncoder
from video_bridge.datapath import SrtpKeys, SrtpProfile, SrtpReceiver, create_fanout
from video_bridge.forwarding import KEYFRAME_WITHIN_S, MAX_PAYLOAD, Forward, decodes
from video_bridge.payload import h264
from video_bridge.payload.h264 import ProfileLevelId
from video_bridge.rtp.packet import RtpPacket, sequence_distance, timestamp_distance
from video_bridge.rtp.reorder import ReceivedFrame
from video_bridge.streams.inbound_video import InboundVideo
from video_bridge.streams.outbound import Outbound
from video_bridge.streams.plan import MediaPlan
from video_bridge.video.ladder import timestamp_of

KEYS = SrtpKeys(SrtpProfile.AES_CM_128_HMAC_SHA1_80, bytes(range(16)), bytes(range(14)))
OWN_TYPE, OWN_SSRC = 111, 0x5151


def plan_of(**fields: object) -> MediaPlan:
    plan: dict[str, object] = {
        "media": "video", "codec": "H264", "payload_type": 97, "clock_rate": 90_000,
        "send": True, "receive": True, "profile_level_id": "42e01f",
    }  # fmt: skip
    return MediaPlan(**(plan | fields))  # type: ignore[arg-type]


class Site:
    """Encodes grey pictures and hands them to a forward as received frames."""

    def __init__(self) -> None:
        self.video = InboundVideo(plan_of(), ThreadPoolExecutor(1), lambda _: None, lambda _: None)
        self.asked = 0
        self.forward = Forward(self.video, self._ask)
        self.now = 1000.0
        self.sent: list[bytes] = []
        self._encoder = VideoEncoder("H264", 320, 180, 25, 300_000)
        self._frames = 0
        self._sequence = 7
        self.encode()  # the first of all is a key frame

    def _ask(self) -> None:
        self.asked += 1

    def encode(self, *, key: bool = False) -> EncodedFrame:
        noise = np.random.default_rng(self._frames).integers(60, 180, (180, 320), dtype=np.uint8)
        flat = np.full((90, 160), 128, np.uint8)
        frame = self._encoder.encode(Picture(noise, flat, flat), self._frames, force_keyframe=key)
        self._frames += 1
        return frame

    def give(
        self, frame: EncodedFrame | None = None, *, key: bool = False, gap: bool = False
    ) -> None:
        """One more frame 40 ms later."""
        self.now += 0.04
        self.video.last_packet_at = self.now
        data = (frame or self.encode(key=key)).data
        payloads = h264.packetise(data)
        packets = []
        for index, payload in enumerate(payloads):
            marker = index == len(payloads) - 1
            stamp = (4_294_960_000 + self._frames * 3600) & 0xFFFFFFFF  # rolls over
            packets.append(RtpPacket(97, self._sequence & 0xFFFF, stamp, 9, payload, marker))
            self._sequence += 1
        self.sent = payloads
        self.forward.take(ReceivedFrame(packets[0].timestamp, tuple(packets), gap), self.now)
        self.forward.poll(self.now)


class Watcher:
    """A receiver with a key, payload type and SSRC of its own."""

    def __init__(self, **plan: object) -> None:
        self.socket = _socket()
        self._ours = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.outbound = Outbound(plan_of(payload_type=OWN_TYPE, **plan), OWN_SSRC)
        self.outbound.route(self._ours, self.socket.getsockname(), KEYS)
        self._srtp = SrtpReceiver(KEYS)

    def packets(self) -> list[RtpPacket]:
        found = []
        while True:
            try:
                found.append(RtpPacket.parse(self._srtp.unprotect(self.socket.recv(2048))))
            except BlockingIOError:
                return found

    def close(self) -> None:
        self.outbound.close()
        self._ours.close()
        self.socket.close()


async def settled(watcher: Watcher) -> list[RtpPacket]:
    """What came once large frames have left in their groups."""
    for _ in range(20):  # one group may leave in each, however late this machine is
        await asyncio.sleep(0.005)
    return watcher.packets()


async def test_packets_keep_their_payload_and_get_the_receivers_own_header() -> None:
    """Unchanged means the sender's very bytes; the rest is between us and the receiver."""
    site, watcher = Site(), Watcher()
    assert site.forward.admit(watcher.outbound, site.now) is False, "not in the middle"
    site.give()
    assert not await settled(watcher)
    payloads: list[bytes] = []
    for key in (True, False, False):
        site.give(key=key)
        payloads += site.sent
        await asyncio.sleep(0.03)
    packets = await settled(watcher)
    assert [p.payload for p in packets] == payloads
    assert {(p.payload_type, p.ssrc) for p in packets} == {(OWN_TYPE, OWN_SSRC)}
    numbers = [p.sequence_number for p in packets]
    assert all(sequence_distance(b, a) == 1 for a, b in itertools.pairwise(numbers))
    stamps = sorted({p.timestamp for p in packets}, key=[p.timestamp for p in packets].index)
    assert [timestamp_distance(b, a) for a, b in itertools.pairwise(stamps)] == [3600] * 2
    assert sum(p.marker for p in packets) == 3
    decoder, depacketiser = VideoDecoder("H264"), h264.Depacketiser()
    pictures = []
    for stamp in stamps:
        unit = depacketiser.depacketise([p.payload for p in packets if p.timestamp == stamp])
        pictures += decoder.decode(unit)
    assert len(pictures) == 3
    assert site.forward.admit(watcher.outbound, site.now) is True
    watcher.close()


async def test_hole_silences_the_stream_until_the_next_key_frame() -> None:
    """What follows a lost frame would be decoded onto the wrong picture."""
    site, watcher = Site(), Watcher()
    site.forward.admit(watcher.outbound, site.now)
    site.give(key=True)
    site.give()
    assert await settled(watcher)
    asked = site.asked
    site.give(gap=True)
    site.give()
    assert not await settled(watcher)
    assert site.asked > asked, "a key frame is asked for at once"
    site.give(key=True)
    assert await settled(watcher)
    watcher.close()


async def test_parameter_sets_sent_once_are_given_to_who_joins_later() -> None:
    """Some rooms send SPS and PPS with their first key frame only."""
    site, watcher = Site(), Watcher()
    site.give(key=True)
    full = site.encode(key=True)
    bare = [unit for unit in h264.split_annexb(full.data) if unit[0] & 0x1F not in (7, 8)]
    site.forward.admit(watcher.outbound, site.now)
    site.give(dataclasses.replace(full, data=h264.join_annexb(bare)))
    kinds = [p.payload[0] & 0x1F for p in await settled(watcher)]
    assert kinds[:2] == [7, 8]
    watcher.close()


@pytest.mark.parametrize(
    ("receiver", "source", "taken"),
    [
        ("42e01f", "42c01e", True),
        ("42801f", "42c01f", True),  # baseline decodes its constrained form
        ("42e01f", "42001f", False),  # and not the other way round
        ("64001f", "4d001f", True),
        ("4d001f", "64001f", False),
        ("42e00a", "42e01f", False),  # a level too high for it
    ],
)
def test_profile_and_level_decide_who_may_be_sent_what(
    receiver: str, source: str, taken: bool
) -> None:
    """A receiver that cannot decode a stream gets the site composed alone instead."""
    plan = plan_of(profile_level_id=receiver)
    assert decodes(plan, ProfileLevelId.parse(source)) is taken


async def test_stream_that_does_not_fit_is_not_sent_on() -> None:
    """Another codec, a narrow line, a silent or a giant-packet sender: composed alone instead."""
    site, watcher = Site(), Watcher()
    site.give(key=True)
    assert site.forward.suits(watcher.outbound, site.now)
    assert not site.forward.suits(Outbound(plan_of(codec="VP8"), 1), site.now)
    assert not site.forward.suits(Outbound(plan_of(packetization_mode=0), 1), site.now)
    assert not site.forward.suits(Outbound(plan_of(profile_level_id="42e00a"), 1), site.now)
    site.video.rate.add(4_000_000, site.now)
    assert not site.forward.suits(watcher.outbound, site.now), "more than its line carries"
    site.now += 3.0
    assert not site.forward.suits(watcher.outbound, site.now), "silent for three seconds"
    site.give(key=True)
    assert site.forward.suits(watcher.outbound, site.now)
    giant = RtpPacket(97, 1, 1, 9, b"\x65" * (MAX_PAYLOAD + 1), True)
    site.forward.take(ReceivedFrame(1, (giant,), False), site.now)
    assert not site.forward.suits(watcher.outbound, site.now)
    watcher.close()


async def test_sender_without_key_frames_is_given_up() -> None:
    """Whoever watches must not wait for ever for a sender who obeys nobody."""
    site, watcher = Site(), Watcher()
    site.give(key=True)
    site.forward.admit(watcher.outbound, site.now)
    for _ in range(round(KEYFRAME_WITHIN_S / 0.04) + 2):
        site.give()
    assert not site.forward.suits(watcher.outbound, site.now)
    assert 3 <= site.asked <= 7, "asked again, and not with every frame"
    watcher.close()


async def test_time_goes_on_over_a_change_of_feed() -> None:
    """A picture that seems older than the last is thrown away by browsers."""
    site, watcher = Site(), Watcher()
    target = watcher.outbound.target
    assert target is not None
    ahead = (timestamp_of(site.now) + 9000) & 0xFFFFFFFF
    create_fanout().send([target], [b"\x41last of the feed before"], ahead)
    before = (await settled(watcher))[0]
    site.forward.admit(watcher.outbound, site.now)
    site.give(key=True)
    first = (await settled(watcher))[0]
    assert 0 < timestamp_distance(first.timestamp, before.timestamp) <= 9000
    assert sequence_distance(first.sequence_number, before.sequence_number) == 1
    watcher.close()
