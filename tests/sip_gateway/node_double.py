"""A stand-in for a media node: speaks its control wire, binds real RTP ports, echoes packets.

Used where a test is about signalling; peers with pictures are tried against the real node.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from video_bridge import LocalMediaError, WireServer
from video_bridge import messages as m


@dataclass
class DoubleLeg:
    request: m.LegAdd
    sockets: dict[str, socket.socket]
    answers: list[m.LegAnswer] = field(default_factory=list)
    packets: dict[str, int] = field(default_factory=lambda: {"audio": 0, "video": 0, "content": 0})
    key_frames: int = 0
    holds: list[bool] = field(default_factory=list)
    prompts: list[str] = field(default_factory=list)

    @property
    def streams(self) -> dict[str, m.RtpStream]:
        return {stream.media: stream for stream in self.answers[-1].streams}


class NodeDouble:
    def __init__(self, path: Path, address: str = "127.0.0.1") -> None:
        self.address = address
        self.legs: dict[str, DoubleLeg] = {}
        self.removed: list[tuple[str, m.CloseReason]] = []
        self.conferences = {"conf"}
        self.messages: list[str] = []  # shown in pictures
        self.add_delay_s = 0.0
        self.on_key_frame: Callable[[], None] = lambda: None
        self.wire = WireServer(path, self._answer, lambda: {"v": 1})

    async def start(self) -> None:
        await self.wire.start()

    async def stop(self) -> None:
        for leg_id in list(self.legs):
            self._close(leg_id)
        await self.wire.stop()

    def close_leg(self, leg_id: str, reason: m.CloseReason) -> None:
        """As if the node closed it by itself."""
        leg = self._close(leg_id)
        event = m.LegClosed(conference_id=leg.request.conference_id, leg_id=leg_id, reason=reason)
        self.wire.broadcast("leg.closed", event.model_dump(mode="json", exclude={"type"}))

    def want_key_frame(self, leg_id: str) -> None:
        event = m.KeyframeWanted(conference_id="conf", leg_id=leg_id)
        self.wire.broadcast("keyframe_wanted", event.model_dump(mode="json", exclude={"type"}))

    def _close(self, leg_id: str) -> DoubleLeg:
        leg = self.legs.pop(leg_id)
        for sock in leg.sockets.values():
            asyncio.get_running_loop().remove_reader(sock)
            sock.close()
        return leg

    async def _answer(self, type_: str, body: dict[str, Any]) -> dict[str, Any]:
        match type_:
            case "leg.add":
                await asyncio.sleep(self.add_delay_s)
                return self._add(m.LegAdd.model_validate(body)).model_dump(mode="json")
            case "leg.answer":
                answer = m.LegAnswer.model_validate(body)
                self._leg(answer.leg_id).answers.append(answer)
            case "leg.remove":
                removal = m.LegRemove.model_validate(body)
                self._leg(removal.leg_id)
                self._close(removal.leg_id)
                self.removed.append((removal.leg_id, removal.reason))
            case "leg.keyframe":
                self._leg(body["leg_id"]).key_frames += 1
                self.on_key_frame()
            case "leg.update":
                update = m.LegUpdate.model_validate(body)
                if update.on_hold is not None:
                    self._leg(update.leg_id).holds.append(update.on_hold)
            case "leg.prompt":
                self._leg(body["leg_id"]).prompts.append(body["name"])
                return m.PromptPlaying(duration_s=0.05).model_dump(mode="json")
            case "conference.open":
                self.conferences.add(body["conference_id"])
            case "overlay.set":
                self.messages.append(body["message"])
            case "snapshot":
                return self._snapshot().model_dump(mode="json")
        return {}

    def _leg(self, leg_id: str) -> DoubleLeg:
        leg = self.legs.get(leg_id)
        if leg is None:
            raise LocalMediaError("leg_unknown", leg_id=leg_id)
        return leg

    def _add(self, request: m.LegAdd) -> m.LegAdded:
        if request.conference_id not in self.conferences:
            raise LocalMediaError("conference_unknown")
        if request.leg_id not in self.legs:
            sockets = {media: self._bind() for media in request.media}
            leg = self.legs[request.leg_id] = DoubleLeg(request, sockets)
            for media, sock in sockets.items():
                asyncio.get_running_loop().add_reader(sock, self._read, leg, media, sock)
        ports = {k: s.getsockname()[1] for k, s in self.legs[request.leg_id].sockets.items()}
        return m.LegAdded(
            leg_id=request.leg_id,
            media_address=self.address,
            audio_port=ports.get("audio"),
            video_port=ports.get("video"),
            content_port=ports.get("content"),
        )

    def _bind(self) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setblocking(False)
        sock.bind((self.address, 0))
        return sock

    def _read(self, leg: DoubleLeg, media: str, sock: socket.socket) -> None:
        for _ in range(100):
            try:
                data, source = sock.recvfrom(2048)
            except OSError:
                return
            leg.packets[media] += 1
            sock.sendto(data, source)  # an echo: the room hears and sees itself

    def _snapshot(self) -> m.Snapshot:
        legs = [
            m.LegStats(
                leg_id=leg_id,
                conference_id=leg.request.conference_id,
                kind=m.LegKind.RTP,
                name=leg.request.name,
                state=m.LegState.UP,
                publish=True,
                play=True,
                microphone_muted=False,
                speaker_muted=False,
            )
            for leg_id, leg in self.legs.items()
        ]
        conference = m.ConferenceStats(
            conference_id="conf", title="t", panes=1, seats=[], legs=legs
        )
        return m.Snapshot(
            node_id="double", started_at="2026-01-01T00:00:00Z", conferences=[conference]
        )
