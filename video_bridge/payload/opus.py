"""Opus in RTP (RFC 7587): one Opus packet is one payload; its duration is in its first bytes."""

from __future__ import annotations

from ..errors import RemoteMediaError

CLOCK_RATE = 48_000
MAX_SAMPLES = 5760  # 120 ms, RFC 6716 R5

_SILK_FRAMES = (480, 960, 1920, 2880)
_CELT_FRAMES = (120, 240, 480, 960)


def packetise(packet: bytes) -> list[bytes]:
    return [packet]


def duration(payload: bytes) -> int:
    """48 kHz samples in a payload, from its TOC (RFC 6716 section 3.1).

    Raises RemoteMediaError `opus_payload_malformed`.
    """
    if not payload:
        raise RemoteMediaError("opus_payload_malformed", why="empty")
    config, code = payload[0] >> 3, payload[0] & 0x03
    if config < 12:
        samples = _SILK_FRAMES[config & 3]
    elif config < 16:
        samples = 480 << (config & 1)
    else:
        samples = _CELT_FRAMES[config & 3]
    if code == 0:
        count = 1
    elif code in (1, 2):
        count = 2
    else:
        if len(payload) < 2:
            raise RemoteMediaError("opus_payload_malformed", why="frame count missing")
        count = payload[1] & 0x3F
    if not 0 < count * samples <= MAX_SAMPLES:
        raise RemoteMediaError("opus_payload_malformed", why="longer than 120 ms", frames=count)
    return count * samples


class Depacketiser:
    def depacketise(self, payload: bytes) -> bytes:
        """The Opus packet itself, after its duration was found sound."""
        duration(payload)
        return payload
