"""One picture as YUV 4:2:0 planes: the only form in which pictures travel inside the node."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .layouts import Pane

Plane = NDArray[np.uint8]

BLACK_Y = 16
NEUTRAL_CHROMA = 128


@dataclass(frozen=True, slots=True)
class Picture:
    """Limited-range BT.601 planes; `y` is (height, width), `u` and `v` half of it each way."""

    y: Plane
    u: Plane
    v: Plane

    @property
    def width(self) -> int:
        return int(self.y.shape[1])

    @property
    def height(self) -> int:
        return int(self.y.shape[0])

    @property
    def planes(self) -> tuple[Plane, Plane, Plane]:
        return self.y, self.u, self.v

    def fill(self, area: Pane, colour: tuple[int, int, int]) -> None:
        """Paint `area` with one (Y, U, V)."""
        for plane, value, part in zip(self.planes, colour, plane_areas(area), strict=True):
            plane[part] = value

    def view(self, area: Pane) -> Picture:
        """The part of this picture in `area`, sharing its memory."""
        luma, chroma, _ = plane_areas(area)
        return Picture(self.y[luma], self.u[chroma], self.v[chroma])


def plane_areas(area: Pane) -> tuple[tuple[slice, slice], tuple[slice, slice], tuple[slice, slice]]:
    """The slices of the three planes that `area` covers."""
    luma = (slice(area.y, area.y + area.height), slice(area.x, area.x + area.width))
    chroma = (
        slice(area.y // 2, (area.y + area.height) // 2),
        slice(area.x // 2, (area.x + area.width) // 2),
    )
    return luma, chroma, chroma


def blank(width: int, height: int, colour: tuple[int, int, int] = (16, 128, 128)) -> Picture:
    """A new picture of one (Y, U, V); width and height are even."""
    return Picture(
        np.full((height, width), colour[0], np.uint8),
        np.full((height // 2, width // 2), colour[1], np.uint8),
        np.full((height // 2, width // 2), colour[2], np.uint8),
    )


def scale_into(source: Picture, target: Picture) -> None:
    """Scale `source` into the planes of `target`, whatever its size."""
    for from_plane, to_plane in zip(source.planes, target.planes, strict=True):
        if from_plane.shape == to_plane.shape:
            np.copyto(to_plane, from_plane)
            continue
        size = (to_plane.shape[1], to_plane.shape[0])
        done = cv2.resize(from_plane, size, dst=to_plane, interpolation=cv2.INTER_LINEAR)
        if done is not to_plane:
            np.copyto(to_plane, done)


def scaled(source: Picture, width: int, height: int) -> Picture:
    """A copy of `source` in another size; both numbers are even."""
    target = blank(width, height)
    scale_into(source, target)
    return target


def to_rgb(picture: Picture) -> NDArray[np.uint8]:
    """(height, width, 3) RGB, for stills and tests."""
    stacked = np.concatenate(
        [
            picture.y,
            np.ascontiguousarray(picture.u).reshape(-1, picture.width),
            np.ascontiguousarray(picture.v).reshape(-1, picture.width),
        ]
    )
    return np.asarray(cv2.cvtColor(stacked, cv2.COLOR_YUV2RGB_I420), dtype=np.uint8)


def from_rgb(rgb: NDArray[np.uint8]) -> Picture:
    """The picture of a (height, width, 3) RGB image with even sides."""
    height, width = rgb.shape[:2]
    stacked = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420), dtype=np.uint8)
    chroma = stacked[height:].reshape(-1)
    size = (height // 2) * (width // 2)
    return Picture(
        np.ascontiguousarray(stacked[:height]),
        chroma[:size].reshape(height // 2, width // 2).copy(),
        chroma[size : 2 * size].reshape(height // 2, width // 2).copy(),
    )


def jpeg(picture: Picture, width: int, quality: int = 80) -> tuple[bytes, int, int]:
    """The picture as JPEG scaled to `width` pixels: bytes, width, height."""
    width &= ~1
    height = max(2, round(picture.height * width / picture.width) & ~1)
    small = picture if width == picture.width else scaled(picture, width, height)
    bgr = cv2.cvtColor(to_rgb(small), cv2.COLOR_RGB2BGR)
    ok, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not ok:
        raise RuntimeError("JPEG encoder refused a picture")
    return encoded.tobytes(), width, height
