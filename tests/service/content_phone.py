"""A browser's second WebRTC implementation (aiortc) in a consultation, with a content line."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import ClientResponse, ClientSession
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack

from tests.service.consultation_stage import Stage


def marked(offer: str) -> str:
    """Mark the second video section as content, as the page does (RFC 4796)."""
    head, *sections = offer.split("m=")
    seen = 0
    for index, section in enumerate(sections):
        seen += section.startswith("video")
        if section.startswith("video") and seen == 2:
            sections[index] = section + "a=content:slides\r\n"
    return "m=".join([head, *sections])


class ContentPhone:
    """`join` it; then it asks for the token by `ask` and gives it back by `release`."""

    def __init__(
        self, http: ClientSession, root: str, stage: Stage, opened: dict[str, Any]
    ) -> None:
        self._http, self._stage = http, stage
        self._root = f"{root}/consultations/{opened['id']}"
        self._opened = opened
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))

    async def join(self, name: str) -> None:
        link = await self._stage.link(self._opened, name=name)
        self.participant_id = link["participant_id"]
        self.headers = {"Authorization": f"Bearer {link['token']}"}
        self._peer.addTrack(AudioStreamTrack())
        for _ in range(2):
            self._peer.addTransceiver(VideoStreamTrack(), direction="sendrecv")
        await self._peer.setLocalDescription(await self._peer.createOffer())
        answer = await self._http.post(
            f"{self._root}/session",
            data=marked(self._peer.localDescription.sdp),
            headers={**self.headers, "Content-Type": "application/sdp"},
        )
        assert answer.status == 201, await answer.text()
        self.leg_id = answer.headers["Location"].rsplit("/", 1)[-1]
        sdp = await answer.text()
        assert sdp.count("a=content:slides") == 1
        await self._peer.setRemoteDescription(RTCSessionDescription(sdp, "answer"))

    async def ask(self, *, wait: bool = False) -> ClientResponse:
        return await self._post("request", {"wait": wait})

    async def release(self) -> ClientResponse:
        return await self._post("release", None)

    async def content(self) -> dict[str, Any]:
        answer = await self._http.get(f"{self._root}/content", headers=self.headers)
        found: dict[str, Any] = await answer.json()
        return found

    async def _post(self, what: str, body: Any) -> ClientResponse:
        return await self._http.post(
            f"{self._root}/content/{what}", json=body, headers=self.headers
        )

    async def close(self) -> None:
        await asyncio.wait_for(self._peer.close(), 10)
