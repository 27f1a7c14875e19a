"""One RTP packet as bytes and back (RFC 3550 section 5.1)."""

from __future__ import annotations

import struct
from typing import NamedTuple

from ..errors import LocalMediaError, RemoteMediaError

HEADER = struct.Struct("!BBHII")
HEADER_SIZE = HEADER.size
RTP_VERSION = 2


class RtpPacket(NamedTuple):
    """A named tuple, not a dataclass: some twenty thousand a second are made.

    `extension_profile` None means no header extension; `extensions` is its whole-word body.

    `parse` and `bytes()` are inverse on every packet whose padding bytes are zero.
    """

    payload_type: int
    sequence_number: int
    timestamp: int
    ssrc: int
    payload: bytes = b""
    marker: bool = False
    csrc: tuple[int, ...] = ()
    extension_profile: int | None = None
    extensions: bytes = b""
    padding_size: int = 0

    @classmethod
    def parse(cls, data: bytes) -> RtpPacket:
        """Raises RemoteMediaError `rtp_malformed` on anything that is not a whole RTP packet."""
        if len(data) < HEADER_SIZE:
            raise RemoteMediaError("rtp_malformed", why="shorter than its header", size=len(data))
        first, second, sequence_number, timestamp, ssrc = HEADER.unpack_from(data)
        if first >> 6 != RTP_VERSION:
            raise RemoteMediaError("rtp_malformed", why="version is not 2", version=first >> 6)
        position = HEADER_SIZE
        csrc: tuple[int, ...] = ()
        if csrc_count := first & 0x0F:
            end = position + 4 * csrc_count
            if len(data) < end:
                raise RemoteMediaError("rtp_malformed", why="CSRC list truncated")
            csrc = struct.unpack_from(f"!{csrc_count}I", data, position)
            position = end
        profile: int | None = None
        extensions = b""
        if first & 0x10:
            if len(data) < position + 4:
                raise RemoteMediaError("rtp_malformed", why="header extension truncated")
            profile, words = struct.unpack_from("!HH", data, position)
            position += 4
            extensions = data[position : position + 4 * words]
            if len(extensions) < 4 * words:
                raise RemoteMediaError("rtp_malformed", why="header extension truncated")
            position += 4 * words
        padding_size = 0
        if first & 0x20:
            padding_size = data[-1]
            if not 1 <= padding_size <= len(data) - position:
                raise RemoteMediaError("rtp_malformed", why="padding larger than the payload")
        return cls(
            second & 0x7F,
            sequence_number,
            timestamp,
            ssrc,
            data[position : len(data) - padding_size] if padding_size else data[position:],
            second >= 0x80,
            csrc,
            profile,
            extensions,
            padding_size,
        )

    def __bytes__(self) -> bytes:
        if len(self.extensions) % 4 or len(self.csrc) > 15:
            raise LocalMediaError("rtp_header_misbuilt")
        first = RTP_VERSION << 6 | len(self.csrc)
        if self.extension_profile is not None:
            first |= 0x10
        if self.padding_size:
            first |= 0x20
        header = HEADER.pack(
            first,
            self.payload_type | (0x80 if self.marker else 0),
            self.sequence_number,
            self.timestamp,
            self.ssrc,
        )
        if self.csrc:
            header += struct.pack(f"!{len(self.csrc)}I", *self.csrc)
        if self.extension_profile is not None:
            header += struct.pack("!HH", self.extension_profile, len(self.extensions) // 4)
            header += self.extensions
        if not self.padding_size:
            return header + self.payload
        padding = bytes(self.padding_size - 1) + bytes((self.padding_size,))
        return header + self.payload + padding


def is_rtcp(data: bytes) -> bool:
    """Tell RTCP from RTP on a shared port (RFC 5761 section 4): packet types 192 to 223."""
    return len(data) >= 2 and 192 <= data[1] <= 223


def sequence_distance(a: int, b: int) -> int:
    """How far 16-bit `a` is ahead of `b`, as a signed number in -32768..32767."""
    return ((a - b + 0x8000) & 0xFFFF) - 0x8000


def timestamp_distance(a: int, b: int) -> int:
    """How far 32-bit `a` is ahead of `b`, as a signed number."""
    return ((a - b + 0x80000000) & 0xFFFFFFFF) - 0x80000000
