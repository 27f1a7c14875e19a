"""G.722 in RTP (RFC 3551 section 4.5.2): 16 kHz sound whose RTP clock is 8000 by an old error.

One byte carries two samples and is one RTP clock unit.
"""

from __future__ import annotations

from ..errors import RemoteMediaError

CLOCK_RATE = 8000
PAYLOAD_TYPE = 9
MAX_UNITS = 1600  # 200 ms


def packetise(encoded: bytes, *, units: int = 160) -> list[bytes]:
    return [encoded[start : start + units] for start in range(0, len(encoded), units)]


def duration(payload: bytes) -> int:
    """RTP clock units in a payload. Raises RemoteMediaError `g722_payload_malformed`."""
    if not 0 < len(payload) <= MAX_UNITS:
        raise RemoteMediaError("g722_payload_malformed", size=len(payload))
    return len(payload)


class Depacketiser:
    def depacketise(self, payload: bytes) -> bytes:
        duration(payload)
        return payload
