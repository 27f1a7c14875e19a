"""A browser sends its first key frame as soon as it is connected: before we have the keys out."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import pytest_asyncio

from tests.harness.processes import PATIENCE_S
from video_bridge import messages as m
from video_bridge.codecs.video import VideoEncoder
from video_bridge.datapath import Arrival, DatagramKind, SrtpKeys, SrtpProfile, SrtpSender
from video_bridge.ingest.session_media import Surroundings
from video_bridge.ingest.webrtc import EARLY_PACKETS, WebRtcMedia
from video_bridge.leg import Leg
from video_bridge.payload import h264
from video_bridge.rtp.packet import RtpPacket
from video_bridge.streams.plan import MediaPlan
from video_bridge.transports.dtls import DtlsKeys
from video_bridge.transports.rtp_ports import RtpPorts
from video_bridge.video.picture import blank

PROFILE = SrtpProfile.AEAD_AES_128_GCM
PLAN = MediaPlan(
    "video", "H264", 96, 90_000, False, True,
    feedback=frozenset({"nack", "nack pli"}), profile_level_id="42e01f",
)  # fmt: skip
SSRC = 77


class _Owner:
    def leg_changed(self, leg: Leg, event: m.Event) -> None:
        """Nobody is told."""


@pytest_asyncio.fixture
async def media() -> AsyncIterator[WebRtcMedia]:
    request = m.LegAdd(
        conference_id="c", leg_id="l", kind=m.LegKind.WEBRTC, name="手机", offer_sdp="v=0"
    )
    with ThreadPoolExecutor(1) as pool:
        around = Surroundings(RtpPorts(45_000, 45_099), pool, lambda event: None)
        made = WebRtcMedia(Leg(request, _Owner(), 0.0), around, lambda reason, detail: None)
        made.session.plan([PLAN])
        yield made
        await made.close()


def keys() -> SrtpKeys:
    return SrtpKeys(PROFILE, os.urandom(PROFILE.key_size), os.urandom(PROFILE.salt_size))


def arrival(data: bytes, kind: DatagramKind = DatagramKind.RTP) -> Arrival:
    return Arrival(data, ("192.0.2.1", 5000), kind, None, 0)


async def test_a_key_frame_that_outran_the_keys_is_shown(media: WebRtcMedia) -> None:
    """Else it has to be asked for again: a joiner is seen a tenth of a second later."""
    theirs = keys()
    sender, stranger = SrtpSender(theirs), SrtpSender(keys())
    frame = VideoEncoder("H264", 320, 180, 25, 300_000).encode(blank(320, 180, (90, 128, 128)), 0)
    payloads = h264.packetise(frame.data)
    media.set_shown(True)
    for number, payload in enumerate(payloads):
        is_last = number == len(payloads) - 1
        packet = bytes(RtpPacket(96, 500 + number, 9000, SSRC, payload, is_last))
        media._on_packet(arrival(stranger.protect(packet)))
        media._on_packet(arrival(sender.protect(packet)))
    media._on_packet(arrival(b"\x80\xc8", DatagramKind.RTCP))
    now = asyncio.get_running_loop().time()
    media._take_early(DtlsKeys(keys(), theirs), now)
    video = media.session.video_in
    assert video is not None
    assert (video.statistics.ssrc, video.statistics.packets_received) == (SSRC, len(payloads))
    async with asyncio.timeout(PATIENCE_S):
        while media.newest(now) is None:
            await asyncio.sleep(0.01)


async def test_what_is_kept_for_later_has_an_end(media: WebRtcMedia) -> None:
    """Anybody may send to an open port."""
    for number in range(EARLY_PACKETS + 50):
        media._on_packet(arrival(bytes([0x80, 96]) + number.to_bytes(10, "big")))
    assert len(media._early) == EARLY_PACKETS
    media._take_early(DtlsKeys(keys(), keys()), 0.0)
    assert not media._early
    video = media.session.video_in
    assert video is not None and video.statistics.ssrc is None, "none was proved to be the peer's"
