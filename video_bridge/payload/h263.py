"""H.263 in RTP, the old way of static payload type 34 (RFC 2190): modes A, B and C.

The newer way, `H263-1998`, is `payload.h263_1998`. A frame is cut at its GOB headers (mode A) and,
where a GOB is too large, at macroblocks that the encoder told of (mode B).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..errors import RemoteMediaError
from .bits import BitJoiner, Piece, cut, find_codes

PAYLOAD_TYPE = 34  # static, RFC 3551
DEFAULT_MAX_PAYLOAD = 1200
_START_CODE = "00000000000000001"  # GBSC; with five zero bits behind it PSC (H.263 section 5)
_MALFORMED = "h263_payload_malformed"
_SIZES = {"A": 4, "B": 8, "C": 12}


@dataclass(frozen=True, slots=True)
class Macroblock:
    """A place to cut, as FFmpeg's encoder tells it (`h263_mb_info`)."""

    bit: int
    quantiser: int
    gob: int
    address: int
    horizontal: int = 0
    vertical: int = 0
    horizontal_2: int = 0
    vertical_2: int = 0

    @classmethod
    def parse_all(cls, side: bytes) -> tuple[Macroblock, ...]:
        """FFmpeg's list of 12-byte records: little-endian bit position, then bytes."""
        found = []
        for at in range(0, len(side) - 11, 12):
            record = side[at : at + 12]
            vectors = [v - 256 if v > 127 else v for v in record[8:12]]
            found.append(
                cls(
                    int.from_bytes(record[:4], "little"),
                    record[4],
                    record[5],
                    int.from_bytes(record[6:8], "little"),
                    *vectors,
                )
            )
        return tuple(found)


@dataclass(frozen=True, slots=True)
class PictureHeader:
    """What a payload header repeats of the picture (H.263 section 5.1)."""

    source_format: int
    is_inter: bool
    has_unrestricted_vectors: bool
    has_arithmetic_coding: bool
    has_advanced_prediction: bool
    temporal_reference: int

    @classmethod
    def parse(cls, frame: bytes) -> PictureHeader:
        """From a picture start code on. Raises RemoteMediaError `h263_payload_malformed`."""
        if len(frame) < 6 or frame[0] or frame[1] or frame[2] & 0xFC != 0x80:
            raise RemoteMediaError(_MALFORMED, why="no picture start code")
        word = int.from_bytes(frame[2:6], "big")
        kind = word >> 5 & 0x1FFF  # the 13 bits of PTYPE
        return cls(
            source_format=kind >> 5 & 7,
            is_inter=bool(kind >> 4 & 1),
            has_unrestricted_vectors=bool(kind >> 3 & 1),
            has_arithmetic_coding=bool(kind >> 2 & 1),
            has_advanced_prediction=bool(kind >> 1 & 1),
            temporal_reference=word >> 18 & 0xFF,
        )


def packetise(
    frame: bytes,
    macroblocks: Sequence[Macroblock] = (),
    *,
    max_payload: int = DEFAULT_MAX_PAYLOAD,
) -> list[bytes]:
    """Payloads of one picture; marker on the last.

    A GOB that is too large and that no macroblock divides goes out in one too large payload.
    """
    if not frame:
        return []
    picture = PictureHeader.parse(frame)
    end = 8 * len(frame)
    gobs = {bit for bit in find_codes(frame, _START_CODE) if bit}
    blocks = {block.bit: block for block in macroblocks if 0 < block.bit < end}
    payloads = []
    start = 0
    while start < end:
        block = None if start in gobs or start == 0 else blocks.get(start)
        room = max_payload - (8 if block else 4)
        stop = _next_cut(start, end, room, sorted(gobs), sorted(blocks))
        piece = cut(frame, start, stop)
        head = _mode_b(picture, piece, block) if block else _mode_a(picture, piece)
        payloads.append(head + piece.data)
        start = stop
    return payloads


def _next_cut(start: int, end: int, room: int, gobs: list[int], blocks: list[int]) -> int:
    """The last GOB that fits, else the last macroblock that fits, else the next cut at all."""

    def fits(bit: int) -> bool:
        return -(-bit // 8) - start // 8 <= room

    if fits(end):
        return end
    for places in (gobs, blocks):
        if fitting := [bit for bit in places if bit > start and fits(bit)]:
            return fitting[-1]
    return min([bit for bit in (*gobs, *blocks) if bit > start], default=end)


def _mode_a(picture: PictureHeader, piece: Piece) -> bytes:
    word = piece.sbit << 27 | piece.ebit << 24 | picture.source_format << 21
    word |= picture.is_inter << 20 | picture.has_unrestricted_vectors << 19
    word |= picture.has_arithmetic_coding << 18 | picture.has_advanced_prediction << 17
    # DBQ and TRB only matter with PB frames, which we never send; TR likewise, and is zero then
    return word.to_bytes(4, "big")


def _mode_b(picture: PictureHeader, piece: Piece, block: Macroblock) -> bytes:
    first = 1 << 31 | piece.sbit << 27 | piece.ebit << 24 | picture.source_format << 21
    first |= block.quantiser << 16 | block.gob << 11 | block.address << 2
    second = picture.is_inter << 31 | picture.has_unrestricted_vectors << 30
    second |= picture.has_arithmetic_coding << 29 | picture.has_advanced_prediction << 28
    second |= (block.horizontal & 0x7F) << 21 | (block.vertical & 0x7F) << 14
    second |= (block.horizontal_2 & 0x7F) << 7 | block.vertical_2 & 0x7F
    return first.to_bytes(4, "big") + second.to_bytes(4, "big")


def mode(payload: bytes) -> str:
    """ "A", "B" or "C". Raises RemoteMediaError `h263_payload_malformed` when it is too short."""
    if not payload:
        raise RemoteMediaError(_MALFORMED, why="empty payload")
    found = "A" if not payload[0] & 0x80 else "C" if payload[0] & 0x40 else "B"
    if len(payload) <= _SIZES[found]:
        raise RemoteMediaError(_MALFORMED, why="header truncated", mode=found)
    return found


def starts_frame(payload: bytes) -> bool:
    """Whether a payload begins with a picture start code, which is byte aligned."""
    if len(payload) < 8 or payload[0] & 0x80:
        return False
    return payload[4:6] == b"\x00\x00" and payload[6] & 0xFC == 0x80


def is_keyframe(frame: bytes) -> bool:
    """Whether a picture is an intra picture."""
    try:
        return not PictureHeader.parse(frame).is_inter
    except RemoteMediaError:
        return False


class Depacketiser:
    """Payloads of one picture, in order, to its bit stream."""

    def depacketise(self, payloads: Iterable[bytes]) -> bytes:
        """Raises RemoteMediaError `h263_payload_malformed`."""
        joiner = BitJoiner(_MALFORMED)
        for payload in payloads:
            size = _SIZES[mode(payload)]
            joiner.add(Piece(payload[size:], payload[0] >> 3 & 7, payload[0] & 7))
        return joiner.finish()
