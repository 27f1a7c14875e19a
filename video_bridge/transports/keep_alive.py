"""Empty RTP packets that keep a NAT's way open, and show the far end where we are (H.460.19)."""

from __future__ import annotations

import struct

from ..messages import KeepAlive

AT_ONCE, AT_ONCE_EVERY_S = 5, 0.5  # the far end may know our type only after the first
_HEADER = struct.Struct("!BBHII")


class KeptOpen:
    """Of one media: ask `due` often; its packet goes to `address` from the socket of the media."""

    def __init__(self, terms: KeepAlive, ssrc: int) -> None:
        self.terms, self.address = terms, (terms.host, terms.port)
        self._ssrc = (ssrc + 1) % 2**32  # numbered apart from the media's own packets
        self._sequence = 0
        self._next_at = 0.0

    def due(self, now: float) -> bytes | None:
        """A packet without payload, None until the interval is over."""
        if now < self._next_at:
            return None
        self._sequence += 1
        is_early = self._sequence < AT_ONCE
        self._next_at = now + (AT_ONCE_EVERY_S if is_early else self.terms.interval_s)
        clock = int(now * 8000) % 2**32
        return _HEADER.pack(
            0x80, self.terms.payload_type, self._sequence % 2**16, clock, self._ssrc
        )


def is_keep_alive(packet: bytes, payload_type: int | None) -> bool:
    """Whether this is one of the far end's, whose type it has named."""
    return payload_type is not None and len(packet) > 1 and packet[1] & 0x7F == payload_type
