"""A camera that sends without pause is closed at once: `leg.remove` must not wait for it."""

from __future__ import annotations

import asyncio
import os
import socket
import threading

import pytest

from tests.harness.processes import PATIENCE_S
from video_bridge import messages as m
from video_bridge.ingest import rtsp
from video_bridge.ingest.camera_wire import Kind, pack
from video_bridge.leg import Leg


class Flood:
    """In place of the camera's process: announcements as fast as they are taken."""

    def __init__(self, sock_fd: int) -> None:
        self._socket = socket.socket(fileno=os.dup(sock_fd))
        threading.Thread(target=self._send, daemon=True).start()

    def _send(self) -> None:
        burst = pack(Kind.STATE, b"alive") * 50
        try:
            while True:
                self._socket.sendall(burst)
        except OSError:
            self._socket.close()

    def kill(self) -> None:
        """Its socket is closed: it ends by itself."""

    async def wait(self) -> int:
        return 0


class Owner:
    def leg_changed(self, leg: Leg, event: m.Event) -> None:
        """Nobody listens."""


async def test_closing_is_not_lost_among_what_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cancellation that meets a waiting announcement once was: the node hung on `leg.remove`."""

    async def start(sock_fd: int, _memory_fd: int, _url: str) -> Flood:
        return Flood(sock_fd)

    monkeypatch.setattr(rtsp, "_start_process", start)
    for number in range(5):
        request = m.LegAdd(
            conference_id="c",
            leg_id=f"l{number}",
            kind=m.LegKind.RTSP,
            name="厂门",
            url="rtsp://x/",
        )
        leg = Leg(request, Owner(), asyncio.get_running_loop().time())
        media = rtsp.CameraMedia(leg, "rtsp://127.0.0.1/x", lambda reason, detail: None)
        async with asyncio.timeout(PATIENCE_S):
            while leg.watch.heard_at is None:
                await asyncio.sleep(0.001)
            await media.close()
