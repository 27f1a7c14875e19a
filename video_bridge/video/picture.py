"""One picture as YUV 4:2:0 planes: the only form in which pictures travel inside the node."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ..codecs.picture import Picture, Plane
from .layouts import Pane

__all__ = [
    "Picture",
    "Plane",
    "blank",
    "fill",
    "from_rgb",
    "jpeg",
    "plane_areas",
    "planes",
    "scale_into",
    "scaled",
    "to_rgb",
    "view",
]


def planes(picture: Picture) -> tuple[Plane, Plane, Plane]:
    """Y, U and V."""
    return picture.y, picture.u, picture.v


def fill(picture: Picture, area: Pane, colour: tuple[int, int, int]) -> None:
    """Paint `area` with one (Y, U, V)."""
    for plane, value, part in zip(planes(picture), colour, plane_areas(area), strict=True):
        plane[part] = value


def view(picture: Picture, area: Pane) -> Picture:
    """The part of `picture` in `area`, sharing its memory."""
    luma, chroma, _ = plane_areas(area)
    return Picture(picture.y[luma], picture.u[chroma], picture.v[chroma])


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
    return Picture.blank(width, height, *colour)


def scale_into(source: Picture, target: Picture) -> None:
    """Scale `source` into the planes of `target`, whatever its size."""
    for from_plane, to_plane in zip(planes(source), planes(target), strict=True):
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
    """(height, width, 3) RGB, for stills and tests; an odd last row or column is left out."""
    width, height = picture.width & ~1, picture.height & ~1
    chroma = (slice(0, height // 2), slice(0, width // 2))
    stacked = np.empty((height * 3 // 2, width), np.uint8)
    stacked[:height] = picture.y[:height, :width]
    flat = stacked[height:].reshape(-1)
    size = (height // 2) * (width // 2)
    flat[:size] = picture.u[chroma].reshape(-1)
    flat[size : 2 * size] = picture.v[chroma].reshape(-1)
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
