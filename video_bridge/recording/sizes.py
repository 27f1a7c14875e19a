"""How large a received picture is, read from its own head: nothing is decoded for it."""

from __future__ import annotations

from ..errors import RemoteMediaError
from ..payload import h263, h264

_HIGH_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128})
_H263_SIZES = {1: (128, 96), 2: (176, 144), 3: (352, 288), 4: (704, 576), 5: (1408, 1152)}
CIF, QCIF = (352, 288), (176, 144)


class _Bits:
    """Big-endian bits with Exp-Golomb codes (H.264 9.1)."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def take(self, count: int) -> int:
        if count > self._left:
            raise RemoteMediaError("video_head_malformed")
        self._left -= count
        return self._value >> self._left & ((1 << count) - 1)

    def unsigned(self) -> int:
        zeros = 0
        while self.take(1) == 0:
            zeros += 1
            if zeros > 31:
                raise RemoteMediaError("video_head_malformed")
        return (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        code = self.unsigned()
        return (code + 1) // 2 if code % 2 else -(code // 2)


def size_of(codec: str, frame: bytes) -> tuple[int, int]:
    """Width and height of a key frame. Raises RemoteMediaError `video_head_malformed`."""
    if codec == "H264":
        for unit in h264.split_annexb(frame):
            if unit[0] & 0x1F == h264.NAL_SPS:
                return sps_size(unit)
        raise RemoteMediaError("video_head_malformed")
    if codec == "VP8":  # RFC 6386 9.1: after the three-byte tag and the start code
        if len(frame) < 10 or frame[3:6] != b"\x9d\x01\x2a":
            raise RemoteMediaError("video_head_malformed")
        width, height = (int.from_bytes(frame[i : i + 2], "little") & 0x3FFF for i in (6, 8))
        return width, height
    if codec == "H263":
        return _h263_size(frame)
    if codec == "H261":  # PTYPE bit 4 (H.261 4.2.1): 1 for CIF; after PSC (20 bits) and TR (5)
        return CIF if len(frame) > 3 and frame[3] & 0x08 else QCIF
    return CIF


def _h263_size(frame: bytes) -> tuple[int, int]:
    """Source format of the picture header (H.263 5.1.3)."""
    try:
        return _H263_SIZES.get(h263.PictureHeader.parse(frame).source_format, CIF)
    except RemoteMediaError:
        return CIF


def sps_size(sps: bytes) -> tuple[int, int]:
    """The picture's size after cropping (H.264 7.3.2.1.1)."""
    bits = _Bits(sps[1:].replace(b"\0\0\3", b"\0\0"))
    profile = bits.take(8)
    bits.take(16)
    bits.unsigned()
    chroma = 1
    if profile in _HIGH_PROFILES:
        chroma = _high_profile(bits)
    bits.unsigned()
    order = bits.unsigned()
    if order == 0:
        bits.unsigned()
    elif order == 1:
        bits.take(1)
        bits.signed()
        bits.signed()
        for _ in range(min(bits.unsigned(), 255)):
            bits.signed()
    bits.unsigned()
    bits.take(1)
    width, map_height = (bits.unsigned() + 1) * 16, (bits.unsigned() + 1) * 16
    is_frames_only = bits.take(1)
    height = map_height * (2 - is_frames_only)
    if not is_frames_only:
        bits.take(1)
    bits.take(1)
    if bits.take(1):
        left, right, top, bottom = (bits.unsigned() for _ in range(4))
        across, down = (2 if chroma in (1, 2) else 1), (2 if chroma == 1 else 1)
        width -= across * (left + right)
        height -= down * (2 - is_frames_only) * (top + bottom)
    if not (0 < width <= 8192 and 0 < height <= 8192):
        raise RemoteMediaError("video_head_malformed")
    return width, height


def _high_profile(bits: _Bits) -> int:
    """What high profiles have before the rest; chroma_format_idc."""
    chroma = bits.unsigned()
    if chroma == 3:
        bits.take(1)
    bits.unsigned()
    bits.unsigned()
    bits.take(1)
    if bits.take(1):
        for index in range(8 if chroma != 3 else 12):
            if bits.take(1):
                _skip_scaling_list(bits, 16 if index < 6 else 64)
    return chroma


def _skip_scaling_list(bits: _Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last
