"""A SIP room with a second stream: our own SIP end, a BFCP participant in C on libre, ffmpeg's RTP.

It dials in with sound, a main picture line and a content line. ffmpeg sends the sound and, while
the room presents, a marker as content; another ffmpeg decodes the content that comes.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import cv2

from sip_gateway import GatewaySettings
from sip_gateway.sip.caller import Invitation
from sip_gateway.sip.events import CallAnswered, CallEnded, Event
from sip_gateway.sip.header import Address
from sip_gateway.sip.sdp import SessionDescription, parse_sdp
from sip_gateway.sip.transaction import Flow
from sip_gateway.sip.uri import parse_sip_uri
from sip_gateway.sip_edge import SipEdge
from tests.harness import markers
from tests.harness.namespace import ADDRESS
from tests.harness.processes import Peer, wait_until
from tests.peers.test_sip_bfcp import Participant

T = TypeVar("T")
GATEWAY = Flow("udp", ADDRESS, 5060)
H264 = (
    "H264/90000\r\na=fmtp:{0} profile-level-id=42e01f;packetization-mode=1\r\na=rtcp-fb:* nack pli"
)


class PresentingRoom:
    """`base_port`: its even UDP ports begin there - sound, picture, content, floor."""

    def __init__(
        self, folder: Path, account: str, password: str, *, base_port: int, marker: int
    ) -> None:
        folder.mkdir(parents=True)
        self.folder, self.account, self.password = folder, account, password
        self.base_port = base_port
        self._peers: list[Peer] = []
        self._presenting: Peer | None = None
        self._events: list[Event] = []
        self._clip = markers.write_mp4(folder / "slides.mp4", marker)
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._edge = self._do(self._start())

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    async def _start(self) -> SipEdge:
        edge = SipEdge(
            GatewaySettings(
                listen_host=ADDRESS, udp_port=0, tcp_port=None, tls_port=None, h323_port=None
            ),
            on_event=self._events.append,
            on_closed=lambda flow: None,
            on_banned=lambda host, offence: None,
        )
        await edge.start()
        return edge

    # --- the call -----------------------------------------------------------------------------

    def dial(self, number: str, program: Path) -> None:
        """Enter a consultation by its number, with sound, and connect to its floor."""
        self._do(self._invite(number))
        wait_until(self._is_answered, why=lambda: f"not answered: {self._events}")
        taken = next(one for one in self._events if isinstance(one, CallAnswered))
        self.answer = parse_sdp(taken.body)
        assert [line.port > 0 for line in self.answer.media] == [True] * 4, taken.body
        sound = ["-f", "lavfi", "-i", "sine=frequency=700", "-ar", "8000", "-c:a", "pcm_alaw"]
        self._send(self.answer, 0, [*sound, "-payload_type", "8"])
        floor = self.answer.media[3]
        self.floor = Participant(program, self.folder / "bfcp.log", self.base_port + 6, floor)
        self.floor.say("hello")
        self.hears("HelloAck")

    def _is_answered(self) -> bool:
        assert not any(isinstance(one, CallEnded) for one in self._events), self._events
        return any(isinstance(one, CallAnswered) for one in self._events)

    async def _invite(self, number: str) -> None:
        target = parse_sip_uri(f"sip:{number}@{ADDRESS}")
        own = Address(parse_sip_uri(f"sip:{self.account}@{ADDRESS}"))
        invitation = Invitation(
            target,
            GATEWAY,
            own,
            Address(target),
            self._offer(),
            username=self.account,
            password=self.password,
        )
        self._edge.agent.invite("call", invitation, self._edge.now())
        self._edge.pump()

    def _offer(self) -> bytes:
        port = self.base_port
        return (
            f"v=0\r\no=- 1 1 IN IP4 {ADDRESS}\r\ns=-\r\nc=IN IP4 {ADDRESS}\r\nt=0 0\r\n"
            f"m=audio {port} RTP/AVP 8\r\n"
            f"m=video {port + 2} RTP/AVP 97\r\na=rtpmap:97 {H264.format(97)}\r\n"
            "a=recvonly\r\na=content:main\r\n"
            f"m=video {port + 4} RTP/AVP 98\r\na=rtpmap:98 {H264.format(98)}\r\n"
            "a=content:slides\r\na=label:12\r\n"
            f"m=application {port + 6} UDP/BFCP *\r\na=floorctrl:c-only\r\na=bfcpver:2\r\n"
        ).encode()

    def hears(self, words: str) -> None:
        """What its BFCP participant prints."""
        wait_until(lambda: words in self.told(), why=lambda: f"no '{words}' in\n{self.told()}")

    def told(self) -> str:
        return self.floor.log.read_text()

    # --- media --------------------------------------------------------------------------------

    def _send(self, answer: SessionDescription, line: int, source: list[str]) -> Peer:
        own, theirs = self.base_port + 2 * line, answer.media[line].port
        url = f"rtp://{ADDRESS}:{theirs}?localrtpport={own}&localrtcpport={own + 1}&pkt_size=1200"
        log = self.folder / f"send-{line}.log"
        peer = Peer(["ffmpeg", "-v", "error", "-re", *source, "-f", "rtp", url], log)
        self._peers.append(peer)
        return peer

    def present(self) -> None:
        """Send the marker as content; the floor is asked for apart."""
        codec = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "25"]
        profile = ["-profile:v", "baseline", "-level", "3.1", "-x264-params", "repeat-headers=1"]
        clip = ["-stream_loop", "-1", "-i", str(self._clip), "-an"]
        payload = ["-payload_type", self.answer.media[2].formats[0]]
        self._presenting = self._send(self.answer, 2, [*clip, *codec, *profile, *payload])

    def stop_presenting(self) -> None:
        if self._presenting is not None:
            self._presenting.kill()
            self._peers.remove(self._presenting)
            self._presenting = None

    def watch(self) -> Callable[[], set[int]]:
        """Decode content from now on; markers in its newest picture."""
        line = self.answer.media[2]
        session, picture = self.folder / "content.sdp", self.folder / "content.png"
        session.write_text(
            f"v=0\no=- 1 1 IN IP4 {ADDRESS}\ns=-\nc=IN IP4 {ADDRESS}\nt=0 0\n"
            f"m=video {self.base_port + 4} RTP/AVP {line.formats[0]}\n"
            f"a=rtpmap:{line.formats[0]} H264/90000\n"
        )
        command = ["ffmpeg", "-v", "error", "-protocol_whitelist", "file,rtp,udp"]
        command += ["-i", str(session), "-r", "2", "-update", "1", "-y", str(picture)]
        self._peers.append(Peer(command, self.folder / "watch.log"))

        def seen() -> set[int]:
            found = cv2.imread(str(picture)) if picture.exists() else None
            return set() if found is None else set(markers.find_markers(found))

        return seen

    def close(self) -> None:
        for peer in self._peers:
            if peer.process.poll() is None:
                peer.kill()
        if hasattr(self, "floor"):
            self.floor.end()
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)

    async def _end(self) -> None:
        self._edge.agent.hang_up("call", self._edge.now())
        self._edge.pump()
        await self._edge.stop()
