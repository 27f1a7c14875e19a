"""Those who join in the join benchmark; each `join` gives the seconds that it took."""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import aiohttp
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from sip_gateway.h323.call import Connected
from tests.harness.product import Api, Product
from tests.harness.whip import MarkerTrack, ToneTrack
from tests.scenarios import story
from tests.sip_gateway.h323.endpoint import Endpoint
from tests.video_bridge.node.room import Room
from video_bridge.client import NodeClient

LOOK_EVERY_S = 0.005


class SipCaller:
    """Calls 9000 over UDP and hangs up again: no more of SIP than that takes."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._host = host
        self._count = itertools.count(1)

    async def join(self) -> float:
        loop = asyncio.get_running_loop()
        replies: asyncio.Queue[str] = asyncio.Queue()

        class Replies(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, addr: object) -> None:
                replies.put_nowait(data.decode(errors="replace"))

        transport, _ = await loop.create_datagram_endpoint(Replies, local_addr=(self._host, 0))
        port = transport.get_extra_info("sockname")[1]
        call = f"bench-{next(self._count)}-{secrets.token_hex(4)}"
        try:
            began = time.monotonic()
            transport.sendto(self._request("INVITE", 1, call, port, "", self._sdp()), self._target)
            answer = await self._final(replies)
            took = time.monotonic() - began
            if " 200 " not in answer.split("\r\n", 1)[0]:
                raise ConnectionError(answer.split("\r\n", 1)[0])
            tag = next(
                line.partition("tag=")[2] for line in answer.split("\r\n") if line.startswith("To:")
            )
            transport.sendto(self._request("ACK", 1, call, port, tag), self._target)
            await asyncio.sleep(0.2)
            transport.sendto(self._request("BYE", 2, call, port, tag), self._target)
            await self._final(replies)
        finally:
            transport.close()
        return took

    @staticmethod
    async def _final(replies: asyncio.Queue[str]) -> str:
        while True:
            reply = await replies.get()
            if reply.startswith("SIP/2.0 ") and reply[8] != "1":
                return reply

    def _request(  # noqa: PLR0917 - in the order of the message
        self, method: str, number: int, call: str, port: int, tag: str, body: str = ""
    ) -> bytes:
        here = f"{self._host}:{port}"
        lines = [
            f"{method} sip:9000@{self._host} SIP/2.0",
            f"Via: SIP/2.0/UDP {here};branch=z9hG4bK{call}{method}",
            f"From: <sip:bench@{self._host}>;tag={call}",
            f"To: <sip:9000@{self._host}>" + (f";tag={tag}" if tag else ""),
            f"Call-ID: {call}",
            f"CSeq: {number} {method}",
            f"Contact: <sip:bench@{here}>",
            "Max-Forwards: 70",
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()

    def _sdp(self) -> str:
        lines = [
            "v=0", f"o=- 1 1 IN IP4 {self._host}", "s=-", f"c=IN IP4 {self._host}", "t=0 0",
            "m=audio 40000 RTP/AVP 8", "a=rtpmap:8 PCMA/8000",
            "m=video 40002 RTP/AVP 96", "a=rtpmap:96 H264/90000",
            "a=fmtp:96 profile-level-id=42e01f;packetization-mode=1",
        ]  # fmt: skip
        return "\r\n".join(lines) + "\r\n"


class H323Caller:
    """Calls 9000 with the tests' own endpoint, H.245 tunnelled."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def join(self) -> float:
        media = Room(colour=(60, 200, 90), tone_hz=700.0)
        caller = Endpoint("benchmark", media)
        try:
            began = time.monotonic()
            await caller.call("9000", self._port)
            while not caller.of(Connected):  # noqa: ASYNC110 - the endpoint tells nobody
                await asyncio.sleep(0.001)
            took = time.monotonic() - began
            await asyncio.sleep(0.1)
            caller.hang_up()
            await asyncio.sleep(0.1)
        finally:
            caller.close()
            await media.stop()
            media.close()
        return took


class WebJoins:
    """The product with one consultation, in which somebody is seen and somebody looks."""

    def __init__(self, folder: Path) -> None:
        self._product = Product(folder / "product")
        self._api: Api = self._product.api()
        incident = story.file_report(self._api)
        self._consultation: dict[str, Any] = self._api.post(
            f"/incidents/{incident['id']}/consultations", {"title": "会商", "members": []}
        )
        self._node = NodeClient(folder / "product/var/run/node-1.sock", lambda event: None)
        self._present: list[_Client] = []

    async def start(self) -> None:
        await self._node.start()
        await self._node.wait_connected(20)
        for kind, name in (("whip", "在场"), ("whep", "观看")):
            self._present.append(await self._join(kind, name))
        await self._present[1].first_frame

    async def stop(self) -> None:
        for client in self._present:
            await client.leave()
        await self._node.stop()

    def close(self) -> None:
        self._product.close()

    async def _join(self, kind: str, name: str) -> _Client:
        def ask() -> str:
            return str(
                self._api.post(
                    f"/consultations/{self._consultation['id']}/join-tokens",
                    {
                        "participant_id": None,
                        "name": name,
                        "publish": kind == "whip",
                        "play": kind == "whep",
                        "expires_minutes": 5,
                    },
                )["token"]
            )

        token = await asyncio.to_thread(ask)
        endpoint = f"{self._product.base}/api/v1/consultations/{self._consultation['id']}/{kind}"
        client = _Client(endpoint, token)
        await client.join(publishes=kind == "whip")
        return client

    async def whip(self) -> float:
        """From the POST to the node's first decoded frame, looked for every few milliseconds."""
        client = await self._join("whip", "测试")
        try:
            while not await self._is_decoded(client.leg_id):  # noqa: ASYNC110 - statistics
                await asyncio.sleep(LOOK_EVERY_S)
            return time.monotonic() - client.posted_at
        finally:
            await client.leave()

    async def _is_decoded(self, leg_id: str) -> bool:
        for conference in (await self._node.stats()).conferences:
            for leg in conference.legs:
                if leg.leg_id == leg_id:
                    return any(s.direction == "in" and s.width for s in leg.streams)
        return False

    async def whep(self) -> float:
        """From the POST to the client's first decoded frame."""
        client = await self._join("whep", "上墙")
        try:
            return await client.first_frame - client.posted_at
        finally:
            await client.leave()


class _Client:
    """One session over aiortc: an offer in a POST, a DELETE to leave."""

    def __init__(self, endpoint: str, token: str) -> None:
        self._endpoint = endpoint
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._location = ""
        self._tasks: list[asyncio.Task[None]] = []
        self.first_frame: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self.posted_at = 0.0

    @property
    def leg_id(self) -> str:
        return self._location.rsplit("/", 1)[-1]

    async def join(self, *, publishes: bool) -> None:
        tracks: list[MediaStreamTrack] = [ToneTrack(600.0), MarkerTrack(21)] if publishes else []
        for track in tracks:
            self._connection.addTransceiver(track, direction="sendonly")
        if not publishes:
            self._connection.addTransceiver("audio", direction="recvonly")
            self._connection.addTransceiver("video", direction="recvonly")
            self._connection.on("track", self._watch)
        await self._connection.setLocalDescription(await self._connection.createOffer())
        offer = self._connection.localDescription.sdp
        async with aiohttp.ClientSession() as http:
            self.posted_at = time.monotonic()
            async with http.post(self._endpoint, data=offer, headers=self._headers) as reply:
                answer = await reply.text()
                if reply.status != 201:
                    raise ConnectionError(f"{reply.status} {answer}")
                self._location = urljoin(self._endpoint, reply.headers["Location"])
        await self._connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    def _watch(self, track: MediaStreamTrack) -> None:
        async def look() -> None:
            await track.recv()
            if track.kind == "video" and not self.first_frame.done():
                self.first_frame.set_result(time.monotonic())

        self._tasks.append(asyncio.ensure_future(look()))

    async def leave(self) -> None:
        async with (
            aiohttp.ClientSession() as http,
            http.delete(self._location, headers=self._headers),
        ):
            pass
        for task in self._tasks:
            task.cancel()
        await self._connection.close()
