"""H.261 and H.263-1998 over SIP with ffmpeg's RTP muxer and depacketiser as the far ends."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import cv2
import pytest

from sip_gateway.sip.events import CallAnswered
from sip_gateway.sip.sdp import parse_sdp
from tests.harness import markers
from tests.harness.namespace import ADDRESS
from tests.harness.processes import Peer
from tests.sip_gateway.desk import Desk, Room, eventually

from .test_sip_with_node import centre

pytestmark = pytest.mark.peer("ffmpeg")
ENCODERS = {"H261": ("h261", 31), "H263-1998": ("h263p", 102)}


def described(codec: str, port: int, direction: str) -> str:
    """The description of a room that has one old codec, one way."""
    payload_type = ENCODERS[codec][1]
    return (
        f"v=0\r\no=- 1 1 IN IP4 {ADDRESS}\r\ns=-\r\nc=IN IP4 {ADDRESS}\r\nt=0 0\r\n"
        f"m=video {port} RTP/AVP {payload_type}\r\na=rtpmap:{payload_type} {codec}/90000\r\n"
        f"a=fmtp:{payload_type} CIF=1;QCIF=1\r\na={direction}\r\n"
    )


async def answered_port(room: Room, body: str) -> int:
    """Dial in and return the port of the media node."""
    room.call(body=body.encode())
    taken = await eventually(lambda: room.of(CallAnswered), 15)
    return parse_sdp(taken[0].body).media[0].port


def sender(folder: Path, clip: Path, codec: str, port: int, own_port: int) -> Peer:
    encoder, payload_type = ENCODERS[codec]
    command = ["ffmpeg", "-v", "error", "-re", "-stream_loop", "-1", "-i", str(clip), "-an"]
    command += ["-vf", "scale=352:288,fps=25", "-c:v", encoder, "-b:v", "400k", "-g", "50"]
    command += ["-payload_type", str(payload_type), "-strict", "experimental", "-f", "rtp"]
    command += [f"rtp://{ADDRESS}:{port}?localrtpport={own_port}&pkt_size=1200"]
    return Peer(command, folder / f"sender-{codec}.log")


def receiver(folder: Path, codec: str, body: str) -> tuple[Peer, Path]:
    description, picture = folder / f"{codec}.sdp", folder / f"{codec}.png"
    description.write_text(body.replace("\r\n", "\n"))
    command = ["ffmpeg", "-v", "error", "-y", "-protocol_whitelist", "file,udp,rtp"]
    command += ["-i", str(description), "-r", "2", "-update", "1", str(picture)]
    return Peer(command, folder / f"receiver-{codec}.log"), picture


def seen(picture: Path) -> dict[int, tuple[float, float]]:
    found = cv2.imread(str(picture)) if picture.exists() else None
    return {} if found is None else markers.find_markers(found)


@pytest.mark.parametrize(("sent", "received"), [("H261", "H263-1998"), ("H263-1998", "H261")])
async def test_ffmpeg_sends_and_reads_what_old_rooms_use(
    tmp_path: Path, sent: str, received: str
) -> None:
    """One hall sends with the one codec, the other sees it in the other codec."""
    clip = await asyncio.to_thread(markers.write_mp4, tmp_path / "clip.mp4", 7)
    peers: list[Peer] = []
    async with centre(tmp_path, tcp_port=None, tls_port=None, h323_port=None) as made:
        gateway: Any = made[0]
        desk = Desk(gateway, None, None, None, [])  # type: ignore[arg-type]
        rooms = [Room(desk, "440229"), Room(desk, "440118")]
        for room in rooms:
            await room.start()
        try:
            port = await answered_port(rooms[0], described(sent, 41000, "sendonly"))
            peers.append(sender(tmp_path, clip, sent, port, 41000))
            body = described(received, 41010, "recvonly")
            reading, picture = receiver(tmp_path, received, body)
            peers.append(reading)
            await answered_port(rooms[1], body)
            await eventually(lambda: 7 in seen(picture), 25)
            codecs = {call.account: call.codecs for call in gateway.calls.live()}
            assert codecs == {"440229": [sent], "440118": [received]}
        finally:
            for peer in peers:
                peer.kill()
            for room in rooms:
                await room.stop()
