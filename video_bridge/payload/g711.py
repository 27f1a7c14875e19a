"""G.711 in RTP (RFC 3551 sections 4.5.14): one byte is one sample at 8 kHz."""

from __future__ import annotations

from ..errors import RemoteMediaError

CLOCK_RATE = 8000
PCMU_PAYLOAD_TYPE, PCMA_PAYLOAD_TYPE = 0, 8
MAX_SAMPLES = 1600  # 200 ms, RFC 3551 section 4.2


def packetise(encoded: bytes, *, samples: int = 160) -> list[bytes]:
    return [encoded[start : start + samples] for start in range(0, len(encoded), samples)]


def duration(payload: bytes) -> int:
    """RTP clock units in a payload. Raises RemoteMediaError `g711_payload_malformed`."""
    if not 0 < len(payload) <= MAX_SAMPLES:
        raise RemoteMediaError("g711_payload_malformed", size=len(payload))
    return len(payload)


class Depacketiser:
    def depacketise(self, payload: bytes) -> bytes:
        duration(payload)
        return payload
