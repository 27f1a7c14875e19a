"""Marker pictures: what a site sees is proven by finding who is in which pane.

Each site shows an ArUco marker (dictionary 4x4, ids 0-49) on a ground colour of its own; it
survives
scaling and compression, and its position tells the pane.
"""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]  # height x width x 3, BGR

_DICTIONARY = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
_GROUNDS = [(200, 120, 60), (60, 160, 60), (60, 60, 200), (160, 60, 160), (40, 160, 200)]


def marker_picture(marker: int, width: int = 640, height: int = 360, shift: int = 0) -> Picture:
    """Marker `marker` in the middle (moved right by `shift` pixels) of a coloured ground."""
    picture = np.full((height, width, 3), _GROUNDS[marker % len(_GROUNDS)], np.uint8)
    side = height * 6 // 10
    edge = side // 6
    top, left = (height - side) // 2, (width - side) // 2 + shift
    picture[top - edge : top + side + edge, left - edge : left + side + edge] = 255
    code = cv2.aruco.generateImageMarker(_DICTIONARY, marker, side)
    picture[top : top + side, left : left + side] = code[:, :, None]
    return picture


def find_markers(picture: Picture) -> dict[int, tuple[float, float]]:
    """Marker id -> its centre as fractions of width and height."""
    detector = cv2.aruco.ArucoDetector(_DICTIONARY, cv2.aruco.DetectorParameters())
    corners, ids, _ = detector.detectMarkers(picture)
    height, width = picture.shape[:2]
    if ids is None:
        return {}
    return {
        int(marker): (
            float(quad.reshape(4, 2)[:, 0].mean()) / width,
            float(quad.reshape(4, 2)[:, 1].mean()) / height,
        )
        for marker, quad in zip(ids.flatten(), corners, strict=True)
    }


def pane_of(centre: tuple[float, float], columns: int, rows: int) -> int:
    """Index of the pane in a grid, row by row from the top left."""
    return int(centre[1] * rows) * columns + int(centre[0] * columns)


def write_y4m(path: Path, marker: int, *, frames: int = 50, fps: int = 25) -> Path:
    """An endless-looped Y4M clip for a browser's fake camera; the marker sways a little."""
    with path.open("wb") as out:
        out.write(f"YUV4MPEG2 W640 H360 F{fps}:1 Ip A1:1 C420jpeg\n".encode())
        for n in range(frames):
            yuv = cv2.cvtColor(_swaying(marker, n, frames), cv2.COLOR_BGR2YUV_I420)
            out.write(b"FRAME\n" + yuv.tobytes())
    return path


def write_mp4(path: Path, marker: int, *, frames: int = 250, fps: int = 25) -> Path:
    """An H.264 clip for a room system's camera."""
    path.write_bytes(_mp4(marker, frames, fps))
    return path


@cache
def _mp4(marker: int, frames: int, fps: int) -> bytes:
    """Encoded once, a second of work: the rooms of a file's tests often show the same."""
    clip = io.BytesIO()
    with av.open(clip, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        stream.options = {"preset": "veryfast", "g": "50"}
        for n in range(frames):
            frame = av.VideoFrame.from_ndarray(_swaying(marker, n, 50), format="bgr24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return clip.getvalue()


def _swaying(marker: int, n: int, period: int) -> Picture:
    return marker_picture(marker, shift=round(20 * np.sin(2 * np.pi * n / period)))
