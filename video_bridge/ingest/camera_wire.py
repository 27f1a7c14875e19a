"""What a camera's decoder process and the node say to each other.

Pictures lie in a shared memory of `SLOTS` slots; over a socket pair go only their announcements,
the sound, and what happened to the connection. The node says one byte: shown or hidden.
"""

from __future__ import annotations

import ipaddress
import re
import struct
from dataclasses import dataclass
from enum import IntEnum
from urllib.parse import urlsplit

from ..errors import LocalMediaError

MAX_WIDTH, MAX_HEIGHT = 1280, 720
SLOT_SIZE = MAX_WIDTH * MAX_HEIGHT * 3 // 2
SLOTS = 4
HEADER = struct.Struct("!BBHHI")  # kind, slot, width, height, size of what follows
SHOWN, HIDDEN = b"\x01", b"\x00"
CODECS = ("h264", "hevc", "h261", "h263", "pcm_alaw", "pcm_mulaw", "aac")
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}")


class Kind(IntEnum):
    PICTURE = 1  # one more picture in `slot`
    SOUND = 2  # 16-bit mono samples at 48 kHz follow
    STATE = 3  # a word follows: "connected CODEC", or a stable error code


@dataclass(frozen=True, slots=True)
class Announcement:
    kind: Kind
    slot: int
    width: int
    height: int
    body: bytes


def pack(kind: Kind, body: bytes = b"", *, slot: int = 0, width: int = 0, height: int = 0) -> bytes:
    return HEADER.pack(kind, slot, width, height, len(body)) + body


def check_camera_url(url: str) -> str:
    """The URL if it is rtsp:// or rtsps:// to a host; anything else never reaches FFmpeg.

    Raises LocalMediaError `camera_url_refused`.
    """
    refused = LocalMediaError("camera_url_refused", url=_without_secret(url))
    if len(url) > 2000 or not url.isprintable() or any(c.isspace() for c in url):
        raise refused
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise refused from None
    host = parts.hostname or ""
    if parts.scheme not in ("rtsp", "rtsps") or not host or port == 0:
        raise refused
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if not _HOST.fullmatch(host):
            raise refused from None
    return url


def _without_secret(url: str) -> str:
    """For logs and errors: a camera's password stays out of both."""
    return re.sub(r"//[^/@]*@", "//***@", url[:200])


def fitted_size(width: int, height: int) -> tuple[int, int]:
    """The size at most 1280 x 720 of the same shape, even both ways."""
    scale = min(1.0, MAX_WIDTH / width, MAX_HEIGHT / height)
    return max(2, round(width * scale) & ~1), max(2, round(height * scale) & ~1)
