"""VP8 in RTP (RFC 7741): frames to payloads and back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..errors import RemoteMediaError

DEFAULT_MAX_PAYLOAD = 1200


@dataclass(frozen=True, slots=True)
class Descriptor:
    """The payload descriptor, section 4.2. None: the field is absent."""

    is_start: bool
    partition: int = 0
    is_non_reference: bool = False
    picture_id: int | None = None
    picture_id_bits: int = 15
    tl0_picture_index: int | None = None
    temporal_layer: int | None = None
    is_layer_sync: bool = False
    key_index: int | None = None

    @classmethod
    def parse(cls, payload: bytes) -> tuple[Descriptor, int]:
        """(descriptor, its size). Raises RemoteMediaError `vp8_payload_malformed`."""
        try:
            return cls._parse(payload)
        except IndexError as error:
            raise RemoteMediaError("vp8_payload_malformed", why="descriptor truncated") from error

    @classmethod
    def _parse(cls, payload: bytes) -> tuple[Descriptor, int]:
        first = payload[0]
        position = 1
        picture_id = tl0 = layer = key_index = None
        bits = 15
        sync = False
        if first & 0x80:
            extension = payload[position]
            position += 1
            if extension & 0x80:
                picture_id = payload[position]
                position += 1
                if picture_id & 0x80:
                    picture_id = (picture_id & 0x7F) << 8 | payload[position]
                    position += 1
                else:
                    bits = 7
            if extension & 0x40:
                tl0 = payload[position]
                position += 1
            if extension & 0x30:
                layered = payload[position]
                position += 1
                if extension & 0x20:
                    layer, sync = layered >> 6, bool(layered & 0x20)
                if extension & 0x10:
                    key_index = layered & 0x1F
        descriptor = cls(
            is_start=bool(first & 0x10),
            partition=first & 0x07,
            is_non_reference=bool(first & 0x20),
            picture_id=picture_id,
            picture_id_bits=bits,
            tl0_picture_index=tl0,
            temporal_layer=layer,
            is_layer_sync=sync,
            key_index=key_index,
        )
        return descriptor, position

    def __bytes__(self) -> bytes:
        first = self.partition & 0x07
        first |= 0x10 if self.is_start else 0
        first |= 0x20 if self.is_non_reference else 0
        extension = 0
        rest = bytearray()
        if self.picture_id is not None:
            extension |= 0x80
            if self.picture_id_bits == 15:
                rest += (0x8000 | self.picture_id & 0x7FFF).to_bytes(2, "big")
            else:
                rest.append(self.picture_id & 0x7F)
        if self.tl0_picture_index is not None:
            extension |= 0x40
            rest.append(self.tl0_picture_index)
        if self.temporal_layer is not None or self.key_index is not None:
            layered = 0
            if self.temporal_layer is not None:
                extension |= 0x20
                layered |= self.temporal_layer << 6 | (0x20 if self.is_layer_sync else 0)
            if self.key_index is not None:
                extension |= 0x10
                layered |= self.key_index
            rest.append(layered)
        if not extension:
            return bytes((first,))
        return bytes((first | 0x80, extension)) + bytes(rest)


def is_keyframe(frame: bytes) -> bool:
    """RFC 6386 section 9.1: the inverse key frame bit of the frame tag."""
    return bool(frame) and not frame[0] & 0x01


def packetise(
    frame: bytes, picture_id: int | None, *, max_payload: int = DEFAULT_MAX_PAYLOAD
) -> list[bytes]:
    """Payloads of equal size; marker on the last. `picture_id` is taken modulo 2^15."""
    if not frame:
        return []
    first = bytes(Descriptor(is_start=True, picture_id=picture_id))
    other = bytes(Descriptor(is_start=False, picture_id=picture_id))
    count = -(-len(frame) // (max_payload - len(first)))
    size = -(-len(frame) // count)
    return [
        (first if start == 0 else other) + frame[start : start + size]
        for start in range(0, len(frame), size)
    ]


def starts_frame(payload: bytes) -> bool:
    """Whether a payload is the first of a frame: S bit and partition 0."""
    return bool(payload) and payload[0] & 0x17 == 0x10


class Depacketiser:
    """Payloads of one frame, in order, to the VP8 frame."""

    def __init__(self) -> None:
        self.picture_id: int | None = None

    def depacketise(self, payloads: Iterable[bytes]) -> bytes:
        """Raises RemoteMediaError `vp8_payload_malformed`."""
        parts: list[bytes] = []
        for payload in payloads:
            descriptor, size = Descriptor.parse(payload)
            begins = descriptor.is_start and descriptor.partition == 0
            if begins == bool(parts):
                raise RemoteMediaError("vp8_payload_malformed", why="start of frame out of place")
            self.picture_id = descriptor.picture_id
            parts.append(payload[size:])
        frame = b"".join(parts)
        if not frame:
            raise RemoteMediaError("vp8_payload_malformed", why="empty frame")
        return frame
