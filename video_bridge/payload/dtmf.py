"""Telephone events (RFC 4733): key presses as RTP payloads."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from ..errors import LocalMediaError, RemoteMediaError

DIGITS = "0123456789*#ABCD"
_EVENT = struct.Struct("!BBH")


@dataclass(frozen=True, slots=True)
class TelephoneEvent:
    """`volume` is -dBm0 (0 loudest, 63), `duration` in RTP clock units so far."""

    event: int
    is_end: bool
    volume: int
    duration: int

    @classmethod
    def parse(cls, payload: bytes) -> TelephoneEvent:
        """The first event of a payload. Raises RemoteMediaError `dtmf_payload_malformed`."""
        if len(payload) < 4:
            raise RemoteMediaError("dtmf_payload_malformed", size=len(payload))
        event, flags, duration = _EVENT.unpack_from(payload)
        return cls(event, bool(flags & 0x80), flags & 0x3F, duration)

    def __bytes__(self) -> bytes:
        flags = self.volume & 0x3F | (0x80 if self.is_end else 0)
        return _EVENT.pack(self.event, flags, self.duration)

    @property
    def digit(self) -> str | None:
        """The key, None for events that are no key (flash, tones)."""
        return DIGITS[self.event] if self.event < len(DIGITS) else None


def packetise(digit: str, *, duration: int = 800, step: int = 160, volume: int = 10) -> list[bytes]:
    """Payloads of one key press: growing durations, then the end three times (section 2.5.1.4).

    All share the timestamp of the press; the marker bit goes on the first.
    """
    if digit not in DIGITS or len(digit) != 1:
        raise LocalMediaError("dtmf_digit_unknown", digit=digit)
    event = DIGITS.index(digit)
    growing = [
        bytes(TelephoneEvent(event, False, volume, so_far))
        for so_far in range(step, duration, step)
    ]
    return growing + [bytes(TelephoneEvent(event, True, volume, duration))] * 3


class Depacketiser:
    """Turns packets into key presses, each told once however often it was sent."""

    def __init__(self) -> None:
        self._told: int | None = None

    def push(self, payload: bytes, timestamp: int) -> str | None:
        """The key when this packet begins a press not yet told (its timestamp names it)."""
        event = TelephoneEvent.parse(payload)
        if timestamp == self._told:
            return None
        self._told = timestamp
        return event.digit
