"""What node and recorder say to each other over their socket pair.

To the recorder: frames, each with the wall clock of its arrival. Back: what happened, as JSON.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import Any, NamedTuple

from ..errors import RemoteMediaError

HEADER = struct.Struct("!BBHQII")  # kind, is key, stream, wall clock (us), timestamp, size
_WORD = struct.Struct("!I")
MAX_BODY = 8 << 20

Json = dict[str, Any]


class Kind(IntEnum):
    CONFIG = 1  # JSON: what to do, once and first
    STREAM = 2  # JSON {source, name, codec}: `stream` means this from now on
    PICTURE = 3  # an encoded frame; timestamp on the 90 kHz clock
    SOUND = 4  # 16-bit mono samples at 48 kHz
    STREAM_END = 5
    STOP = 6


class Parcel(NamedTuple):
    kind: int
    is_key: bool
    stream: int
    wall_us: int
    timestamp: int
    body: bytes


def pack(  # noqa: PLR0917 - the order on the wire
    kind: Kind,
    body: bytes = b"",
    stream: int = 0,
    wall_us: int = 0,
    timestamp: int = 0,
    is_key: bool = False,
) -> bytes:
    return HEADER.pack(kind, is_key, stream, wall_us, timestamp & 0xFFFFFFFF, len(body)) + body


def pack_json(kind: Kind, body: Json, stream: int = 0) -> bytes:
    return pack(kind, json.dumps(body, ensure_ascii=False).encode(), stream)


class Unpacker:
    """Bytes to parcels, however they are cut."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Parcel]:
        """Raises RemoteMediaError `recorder_wire_malformed`."""
        self._buffer += data
        while len(self._buffer) >= HEADER.size:
            kind, is_key, stream, wall_us, timestamp, size = HEADER.unpack_from(self._buffer)
            if size > MAX_BODY:
                raise RemoteMediaError("recorder_wire_malformed", size=size)
            end = HEADER.size + size
            if len(self._buffer) < end:
                return
            body = bytes(self._buffer[HEADER.size : end])
            del self._buffer[:end]
            yield Parcel(kind, bool(is_key), stream, wall_us, timestamp, body)


def pack_word(body: Json) -> bytes:
    """One word of the recorder."""
    data = json.dumps(body, ensure_ascii=False).encode()
    return _WORD.pack(len(data)) + data


def word_size(head: bytes) -> int:
    """Raises RemoteMediaError `recorder_wire_malformed`."""
    (size,) = _WORD.unpack(head)
    if size > MAX_BODY:
        raise RemoteMediaError("recorder_wire_malformed", size=size)
    return int(size)


WORD_HEAD = _WORD.size
