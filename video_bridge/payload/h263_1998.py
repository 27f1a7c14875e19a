"""H.263 in RTP, the newer way: `H263-1998` and `H263-2000` (RFC 4629)."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import RemoteMediaError

DEFAULT_MAX_PAYLOAD = 1200
HEADER_SIZE = 2
_MALFORMED = "h263_payload_malformed"
_P = 0x04  # the two zero bytes of a start code are left out
_V = 0x02  # a byte of video redundancy coding follows


def packetise(frame: bytes, *, max_payload: int = DEFAULT_MAX_PAYLOAD) -> list[bytes]:
    """Payloads of one picture; marker on the last. Cut before a GOB or slice where one is near."""
    payloads = []
    room = max_payload - HEADER_SIZE
    start = 0
    while start < len(frame):
        is_start = frame[start : start + 2] == b"\x00\x00"
        if is_start:
            start += 2
        end = start + room
        if end < len(frame):
            border = frame.rfind(b"\x00\x00", start + room // 2, end + 2)
            # the second pair of three zeros is no start code's first byte
            if border != -1 and frame[border + 2] & 0x80:
                end = border
        payloads.append(bytes((_P if is_start else 0, 0)) + frame[start:end])
        start = end
    return payloads


def starts_frame(payload: bytes) -> bool:
    """Whether a payload begins with a picture start code."""
    body = _offset(payload)
    if body is None or len(payload) <= body:
        return False
    return bool(payload[0] & _P) and payload[body] & 0xFC == 0x80


def _offset(payload: bytes) -> int | None:
    """Where the bit stream begins: behind VRC and the extra picture header. None: too short."""
    if len(payload) < HEADER_SIZE:
        return None
    extra_header = (payload[0] & 0x01) << 5 | payload[1] >> 3
    return HEADER_SIZE + (1 if payload[0] & _V else 0) + extra_header


class Depacketiser:
    """Payloads of one picture, in order, to its bit stream."""

    def depacketise(self, payloads: Iterable[bytes]) -> bytes:
        """Raises RemoteMediaError `h263_payload_malformed`."""
        parts: list[bytes] = []
        for payload in payloads:
            body = _offset(payload)
            if body is None or len(payload) <= body:
                raise RemoteMediaError(_MALFORMED, size=len(payload))
            if payload[0] & _P:
                parts.append(b"\x00\x00")
            parts.append(payload[body:])
        if not parts:
            raise RemoteMediaError(_MALFORMED, why="empty frame")
        return b"".join(parts)
