"""How each video codec lies in RTP: one table for both directions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from ..errors import LocalMediaError
from ..payload import h261, h263, h263_1998, h264, vp8


class Depacketiser(Protocol):
    def depacketise(self, payloads: Iterable[bytes]) -> bytes:
        """One frame's payloads in order to what its decoder takes. Raises RemoteMediaError."""


@dataclass(frozen=True, slots=True)
class VideoFormat:
    """`starts_frame` judges a payload, `is_keyframe` a whole frame."""

    depacketiser: Callable[[], Depacketiser]
    starts_frame: Callable[[bytes], bool]
    is_keyframe: Callable[[bytes], bool]


def _is_h263_1998_key(frame: bytes) -> bool:
    """Its extended headers are read by the decoder alone: any picture may begin."""
    return bool(frame)


FORMATS: dict[str, VideoFormat] = {
    "H264": VideoFormat(h264.Depacketiser, h264.starts_frame, h264.is_keyframe),
    "VP8": VideoFormat(vp8.Depacketiser, vp8.starts_frame, vp8.is_keyframe),
    "H263": VideoFormat(h263.Depacketiser, h263.starts_frame, h263.is_keyframe),
    "H263-1998": VideoFormat(h263_1998.Depacketiser, h263_1998.starts_frame, _is_h263_1998_key),
    # H.261 marks no key frames; intra blocks repair the picture within seconds.
    "H261": VideoFormat(h261.Depacketiser, h261.starts_frame, bool),
}


def video_format(codec: str) -> VideoFormat:
    """Raises LocalMediaError `video_codec_unknown`."""
    found = FORMATS.get(codec)
    if found is None:
        raise LocalMediaError("video_codec_unknown", codec=codec)
    return found
