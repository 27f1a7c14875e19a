"""A second WebRTC implementation (aiortc as client) joins, publishes, watches, misbehaves."""

from __future__ import annotations

import asyncio
import os
import re
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack

from tests.harness.processes import PATIENCE_S
from tests.video_bridge.node.test_node import Node, until
from video_bridge import messages as m

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def node(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Node]:
    started = Node(tmp_path_factory.mktemp("node"))
    await started.start()
    yield started
    await started.stop()


def client() -> RTCPeerConnection:
    return RTCPeerConnection(RTCConfiguration(iceServers=[]))


async def join(
    node: Node,
    conference: str,
    peer: RTCPeerConnection,
    *,
    edit_offer: tuple[str, str] = ("", ""),
    edit_answer: tuple[str, str] = ("", ""),
) -> str:
    await peer.setLocalDescription(await peer.createOffer())
    offer = peer.localDescription.sdp
    if edit_offer[0]:
        offer = re.sub(*edit_offer, offer)
    leg = await node.add(conference, m.LegKind.WEBRTC, "手机", offer_sdp=offer)
    answer = node.added.answer_sdp or ""
    if edit_answer[0]:
        answer = re.sub(*edit_answer, answer)
    await peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    return leg


async def test_publisher_alone_is_received(node: Node) -> None:
    """WHIP: a client that only sends; it is decoded, shown, and leaves by goodbye."""
    conference = await node.open()
    peer = client()
    peer.addTransceiver(VideoStreamTrack(), direction="sendonly")
    peer.addTransceiver(AudioStreamTrack(), direction="sendonly")
    leg = await join(node, conference, peer)
    assert "a=recvonly" in (node.added.answer_sdp or "")
    await until(lambda: bool(node.told(m.LegUp, leg)), 20)

    async def frames() -> float:
        await node.client.picture(conference)
        stats = (await node.client.stats(conference)).conferences[0].legs[0]
        video = next(s for s in stats.streams if s.media == "video" and s.direction == "in")
        assert not any(s.direction == "out" for s in stats.streams)
        return video.width or 0

    end = asyncio.get_running_loop().time() + PATIENCE_S
    while await frames() != 640:
        assert asyncio.get_running_loop().time() < end, "never decoded"
        await asyncio.sleep(0.3)
    await peer.close()
    await until(lambda: bool(node.told(m.LegClosed, leg)), 10)
    assert node.told(m.LegClosed, leg)[0].reason is m.CloseReason.HUNG_UP


async def test_watcher_alone_gets_the_programme(node: Node) -> None:
    """WHEP: a client that only receives; pictures of 1280 x 720 come, and sound."""
    conference = await node.open()
    await node.add(conference, m.LegKind.SYNTHETIC, "东门", url="synthetic:东门")
    peer = client()
    got: dict[str, object] = {}

    @peer.on("track")
    def take(track: object) -> None:
        got[track.kind] = track

    peer.addTransceiver("video", direction="recvonly")
    peer.addTransceiver("audio", direction="recvonly")
    leg = await join(node, conference, peer)
    await until(lambda: bool(node.told(m.LegUp, leg)), 20)
    frame = await asyncio.wait_for(got["video"].recv(), PATIENCE_S)
    assert (frame.width, frame.height) == (1280, 720)
    sound = await asyncio.wait_for(got["audio"].recv(), PATIENCE_S)
    assert sound.sample_rate == 48_000
    assert (await node.client.stats(conference)).conferences[0].panes == 1
    await node.client.send(m.LegRemove(leg_id=leg))
    await until(lambda: peer.connectionState in ("closed", "failed"), 10)
    await peer.close()


async def test_candidates_may_trickle_in(node: Node) -> None:
    """A client that sends its addresses later connects all the same."""
    conference = await node.open()
    peer = client()
    peer.addTransceiver("video", direction="recvonly")
    leg = await join(node, conference, peer, edit_offer=(r"a=candidate:.*\r\n", ""))
    for line in re.findall(r"a=candidate:.*", peer.localDescription.sdp):
        await node.client.send(m.LegUpdate(leg_id=leg, candidate=line.strip()))
    await node.client.send(m.LegUpdate(leg_id=leg, candidate="a=end-of-candidates"))
    await until(lambda: bool(node.told(m.LegUp, leg)), 20)
    await peer.close()


async def test_wrong_fingerprint_closes_both_sides(node: Node) -> None:
    """Who is not the one that offered must not listen; and must not wait for ever either."""
    conference = await node.open()
    peer = client()
    peer.addTransceiver("video", direction="recvonly")
    wrong = r"\g<1>" + ":".join(["00"] * 32)
    leg = await join(
        node,
        conference,
        peer,
        edit_offer=(r"(a=fingerprint:sha-256 )\S+", wrong),
    )
    await until(lambda: bool(node.told(m.LegClosed, leg)), 20)
    closed = node.told(m.LegClosed, leg)[0]
    assert (closed.reason, closed.detail) == (m.CloseReason.REJECTED, "dtls_failed")
    assert not node.told(m.LegUp, leg)
    await until(lambda: peer.connectionState in ("closed", "failed"), 10)
    await peer.close()


async def test_junk_on_a_legs_port_is_ignored(node: Node) -> None:
    """Anybody can send datagrams to an open port: floods and forgeries change nothing."""
    conference = await node.open()
    peer = client()
    peer.addTransceiver("video", direction="recvonly")
    leg = await join(node, conference, peer)
    await until(lambda: bool(node.told(m.LegUp, leg)), 20)
    port = int(re.findall(r" 127\.0\.0\.1 (\d+) typ", node.added.answer_sdp or "")[0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as attacker:
        for first in (0x00, 0x01, 0x16, 0x17, 0x80, 0x81, 0xFF):
            for size in (0, 1, 3, 12, 20, 200, 1400):
                junk = bytes([first]) * min(1, size) + os.urandom(size)
                attacker.sendto(junk, ("127.0.0.1", port))
    await asyncio.sleep(1.0)
    assert not node.told(m.LegClosed, leg) and not node.told(m.LegLost, leg)
    await peer.close()
    await until(lambda: bool(node.told(m.LegClosed, leg)), 10)
