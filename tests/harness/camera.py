"""A real RTSP camera (gst-rtsp-server) that shows a marker and sounds a keyed tone."""

from __future__ import annotations

from pathlib import Path

import cv2

from . import markers
from .processes import Peer

_SERVER = Path(__file__).with_name("camera_server.py")


class Camera:
    def __init__(self, folder: Path, marker: int, tone_hz: float, port: int = 8554) -> None:
        self._folder, self._tone_hz, self._port = folder, tone_hz, port
        self._picture = folder / f"camera{marker}.png"
        cv2.imwrite(str(self._picture), markers.marker_picture(marker))
        self.url = f"rtsp://127.0.0.1:{port}/camera"
        self.peer = self._start()

    def _start(self) -> Peer:
        command = ["/usr/bin/python3", str(_SERVER), str(self._port), str(self._picture)]
        peer = Peer([*command, str(self._tone_hz)], self._folder / "camera.log")
        peer.wait_for("READY")
        return peer

    def kill(self) -> None:
        self.peer.kill()

    def restart(self) -> None:
        self.peer.log.unlink()
        self.peer = self._start()
