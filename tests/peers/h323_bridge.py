"""A gateway and a media node with one conference, for H.323 rooms of every make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sip_gateway import Gateway, GatewaySettings
from sip_gateway.messages import CallChanged, Dial
from tests.harness.processes import PATIENCE_S
from tests.sip_gateway.desk import Book
from tests.sip_gateway.h323.endpoint import Endpoint
from tests.video_bridge.node.room import Room
from tests.video_bridge.node.test_node import Node
from video_bridge import RemoteMediaError, WireClient
from video_bridge import messages as m
from video_bridge.codecs.picture import Picture
from video_bridge.codecs.video import VideoDecoder

CONFERENCE = "conf"


class _Tolerant:
    """Media may flow before the room listens: what cannot be decoded yet is left out."""

    def __init__(self, codec: str) -> None:
        self._decoder = VideoDecoder(codec)

    def decode(self, unit: bytes) -> list[Picture]:
        try:
            return self._decoder.decode(unit)
        except RemoteMediaError:
            return []


class Bridge:
    """A node with one conference, and a gateway whose static room is 127.0.0.1."""

    def __init__(self, folder: Path, *, book: Book | None = None, **h323: Any) -> None:
        self.node = Node(folder)
        self.book = book or Book()
        self.book.static = {"127.0.0.1": "440229"}
        ports = {"udp_port": 0, "tcp_port": 0, "h323_port": 0, "h323_ras_port": 0, "bfcp_port": 0}
        patient = {"node_grace_s": PATIENCE_S}  # a busy machine starts a node slowly
        settings = GatewaySettings(**{"listen_host": "127.0.0.1", **ports, **patient, **h323})
        control = folder / "gateway.sock"
        self.gateway = Gateway(settings, self.book, self.node.path, control)
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.wire = WireClient(control, lambda type_, body: self.events.append((type_, body)))
        self.media: list[Room] = []
        self.shown: list[Room] = []  # second streams
        self.endpoints: list[Endpoint] = []

    async def start(self) -> None:
        await self.node.start()
        await self.node.client.send(m.ConferenceOpen(conference_id=CONFERENCE, title="会商"))
        await self.gateway.start()
        await self.wire.start()
        await self.wire.wait_connected(PATIENCE_S)
        await self.gateway._node.wait_connected(PATIENCE_S)

    async def stop(self) -> None:
        for endpoint in self.endpoints:
            endpoint.close()
        for media in [*self.media, *self.shown]:
            await media.stop()
            media.close()
        await self.wire.stop()
        await self.gateway.stop()
        await self.node.stop()

    async def replace_node(self) -> None:
        """kill -9, then a fresh one with the conference opened again, as the product has it."""
        self.node.process.kill()
        await self.node.stop()
        self.node.path.unlink(missing_ok=True)
        await self.node.start()
        await self.node.client.send(m.ConferenceOpen(conference_id=CONFERENCE, title="会商"))

    def endpoint(
        self,
        name: str,
        colour: tuple[int, int, int],
        tone_hz: float,
        *,
        codec: m.VideoCodec = "H264",
        tunnelling: bool = True,
        fast_start: bool = False,
        content: Room | None = None,
    ) -> tuple[Endpoint, Room]:
        media = Room(colour=colour, tone_hz=tone_hz, codec=codec)
        media._decoder = _Tolerant(codec)
        made = Endpoint(
            name, media, codec=codec, tunnelling=tunnelling, fast_start=fast_start, content=content
        )
        self.media.append(media)
        if content is not None:
            content._decoder = _Tolerant("H264")
            self.shown.append(content)
        self.endpoints.append(made)
        return made, media

    async def dial(
        self, leg_id: str, port: int, host: str = "127.0.0.1", *, number: str = ""
    ) -> None:
        request = Dial(
            leg_id=leg_id,
            conference_id=CONFERENCE,
            uri=f"h323:{number}@{host}:{port}" if number else f"h323:{host}:{port}",
            name="英德市应急管理局",
        )
        await self.wire.request("call.dial", request.model_dump(mode="json", exclude={"type"}))

    async def content(self, word: str, leg_id: str, **fields: object) -> None:
        """A decision of the roof about the second stream."""
        await self.wire.request(f"content.{word}", {"leg_id": leg_id, **fields})

    def told(self, type_: str) -> list[str]:
        """Legs of the events of one kind, in order."""
        return [body["leg_id"] for kind, body in self.events if kind == type_]

    def last(self, leg_id: str) -> CallChanged | None:
        states = [
            CallChanged.model_validate(body)
            for type_, body in self.events
            if type_ == "call.state" and body["leg_id"] == leg_id
        ]
        return states[-1] if states else None
