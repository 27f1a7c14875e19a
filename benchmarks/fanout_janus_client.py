"""WebRTC receivers of Janus's stream: connect by aiortc, then only count what arrives."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import uuid
from typing import Any, cast

import aiohttp
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription, rtcdtlstransport

from .network import NEAR, configure_far_side

API = f"http://{NEAR}:8088/janus"
MOUNTPOINT = 1
_OPENSSL_NAMES = {
    "AEAD_AES_256_GCM": b"SRTP_AEAD_AES_256_GCM",
    "AEAD_AES_128_GCM": b"SRTP_AEAD_AES_128_GCM",
    "AES_CM_128_HMAC_SHA1_80": b"SRTP_AES128_CM_SHA1_80",
}
CONNECT_TIMEOUT_S = 20.0


class Receivers:
    """All receivers share one Janus session; each has a handle and a peer connection."""

    def __init__(self) -> None:
        self.received = 0
        self._http: aiohttp.ClientSession | None = None
        self._session = 0
        self._offers: dict[int, asyncio.Future[dict[str, str]]] = {}
        self._connections: list[RTCPeerConnection] = []
        self._poll: asyncio.Task[None] | None = None

    async def answer(self, words: dict[str, Any]) -> dict[str, object]:
        match words["do"]:
            case "network":
                await asyncio.to_thread(configure_far_side)
            case "connect":
                _only(str(words["suite"]))
                return {"connected": await self._connect(int(words["count"]))}
            case "count":
                await asyncio.sleep(0.4)
                return {"received": self.received}
        return {}

    async def _request(self, path: str, **body: object) -> dict[str, Any]:
        if self._http is None:
            self._http = aiohttp.ClientSession()
        body["transaction"] = uuid.uuid4().hex
        async with self._http.post(API + path, json=body) as reply:
            return cast(dict[str, Any], await reply.json())

    async def _connect(self, count: int) -> int:
        self._session = (await self._request("", janus="create"))["data"]["id"]
        self._poll = asyncio.create_task(self._take_events())
        for _ in range(count):
            await asyncio.wait_for(self._connect_one(), CONNECT_TIMEOUT_S)
        return sum(pc.connectionState == "connected" for pc in self._connections)

    async def _connect_one(self) -> None:
        path = f"/{self._session}"
        made = await self._request(path, janus="attach", plugin="janus.plugin.streaming")
        handle = made["data"]["id"]
        offer = self._offers[handle] = asyncio.get_running_loop().create_future()
        watch = {"request": "watch", "id": MOUNTPOINT}
        await self._request(f"{path}/{handle}", janus="message", body=watch)
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._connections.append(connection)
        await connection.setRemoteDescription(RTCSessionDescription(**await offer))
        await connection.setLocalDescription(await connection.createAnswer())
        for transceiver in connection.getTransceivers():
            self._only_count(transceiver.receiver.transport)
        jsep = {"type": "answer", "sdp": _sha256_only(connection.localDescription.sdp)}
        await self._request(
            f"{path}/{handle}", janus="message", body={"request": "start"}, jsep=jsep
        )
        settled = asyncio.Event()

        def look() -> None:
            if connection.connectionState in ("connected", "failed"):
                settled.set()

        connection.on("connectionstatechange", look)
        look()
        await settled.wait()

    def _only_count(self, transport: Any) -> None:
        """Packets are opened by SRTP, counted, and dropped: aiortc would decode them all."""

        async def count(data: bytes, arrival_time_ms: int) -> None:
            self.received += 1

        transport._handle_rtp_data = count

    async def _take_events(self) -> None:
        assert self._http is not None
        while True:
            url = f"{API}/{self._session}?maxev=10"
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with self._http.get(url) as reply:
                    events = await reply.json()
                for event in events if isinstance(events, list) else [events]:
                    waiting = self._offers.get(event.get("sender", 0))
                    if waiting is not None and not waiting.done() and "jsep" in event:
                        jsep = event["jsep"]
                        waiting.set_result({"type": jsep["type"], "sdp": jsep["sdp"]})


def _only(suite: str) -> None:
    """Offer this SRTP suite alone in the DTLS handshake."""
    profiles = rtcdtlstransport.SRTP_PROFILES
    wanted = [p for p in profiles if p.openssl_profile == _OPENSSL_NAMES.get(suite)]
    if not wanted:
        raise SystemExit(f"aiortc does not know {suite}")
    profiles[:] = wanted


def _sha256_only(sdp: str) -> str:
    """Janus 1.1 refuses an answer that has other fingerprints beside sha-256."""
    lines = sdp.splitlines(keepends=True)
    return "".join(
        line
        for line in lines
        if not line.startswith("a=fingerprint:") or line.startswith("a=fingerprint:sha-256")
    )


async def main() -> None:
    receivers = Receivers()
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while line := await reader.readline():
        print(json.dumps(await receivers.answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
    os._exit(0)  # the peer connections need no farewell
