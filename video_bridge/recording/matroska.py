"""Matroska as bytes: a head, then clusters that can each be cut off behind the others.

RFC 9559. Pictures of codecs without an identifier of their own go by their FourCC.
"""

from __future__ import annotations

import struct

FOURCC = {"H263": b"H263", "H263-1998": b"H263", "H261": b"H261"}
CODECS = ("VP8", *FOURCC)
MS_PER_CLUSTER = 1000
_UNKNOWN = b"\x01\xff\xff\xff\xff\xff\xff\xff"


def _size(count: int) -> bytes:
    """A length in eight bytes (RFC 8794 section 4)."""
    return struct.pack(">Q", 1 << 56 | count)


def _element(identifier: int, body: bytes) -> bytes:
    return identifier.to_bytes((identifier.bit_length() + 7) // 8, "big") + _size(len(body)) + body


def _number(identifier: int, value: int) -> bytes:
    return _element(identifier, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def _text(identifier: int, text: str) -> bytes:
    return _element(identifier, text.encode())


def head(codec: str, size: tuple[int, int]) -> bytes:
    """EBML head, segment of unknown length, its information and one video track."""
    opening = _element(
        0x1A45DFA3,
        _number(0x4286, 1) + _number(0x42F7, 1) + _number(0x42F2, 4) + _number(0x42F3, 8)
        + _text(0x4282, "matroska") + _number(0x4287, 4) + _number(0x4285, 2),
    )  # fmt: skip
    information = _element(
        0x1549A966,
        _number(0x2AD7B1, 1_000_000) + _text(0x4D80, "command-center")
        + _text(0x5741, "command-center"),
    )  # fmt: skip
    shape = _element(0xE0, _number(0xB0, size[0]) + _number(0xBA, size[1]))
    track = _number(0xD7, 1) + _number(0x73C5, 1) + _number(0x83, 1) + _number(0x9C, 0)
    if codec == "VP8":
        track += _text(0x86, "V_VP8")
    else:  # BITMAPINFOHEADER
        form = struct.pack("<IiiHH4sIiiII", 40, *size, 1, 24, FOURCC[codec], 0, 0, 0, 0, 0)
        track += _text(0x86, "V_MS/VFW/FOURCC") + _element(0x63A2, form)
    tracks = _element(0x1654AE6B, _element(0xAE, track + shape))
    return opening + b"\x18\x53\x80\x67" + _UNKNOWN + information + tracks


def cluster(pictures: list[tuple[int, bytes, bool]]) -> bytes:
    """Pictures as (ms, frame, is key) within 32 s of the first; nothing without pictures."""
    if not pictures:
        return b""
    start = pictures[0][0]
    blocks = [
        _element(0xA3, struct.pack(">BhB", 0x81, ms - start, 0x80 if is_key else 0) + frame)
        for ms, frame, is_key in pictures
    ]
    return _element(0x1F43B675, _number(0xE7, start) + b"".join(blocks))
