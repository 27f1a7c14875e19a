"""H.264 in RTP (RFC 6184): access units in Annex B form to payloads and back.

Packetisation mode 1 sends single NAL units, STAP-A for small ones, FU-A in equal fragments for
large ones (equal, so that UDP segmentation offload applies). Mode 0 sends single NAL units only:
the encoder must limit its slices (`max_slice_bytes`).
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..errors import LocalMediaError, RemoteMediaError

NAL_SLICE, NAL_PARTITION_A, NAL_IDR = 1, 2, 5
NAL_SEI, NAL_SPS, NAL_PPS, NAL_AUD = 6, 7, 8, 9
NAL_STAP_A, NAL_FU_A = 24, 28
START_CODE = b"\x00\x00\x00\x01"
DEFAULT_MAX_PAYLOAD = 1200


def split_annexb(access_unit: bytes) -> list[bytes]:
    """NAL units between start codes, without their trailing zeros."""
    units: list[bytes] = []
    start = access_unit.find(b"\x00\x00\x01")
    while start != -1:
        start += 3
        end = access_unit.find(b"\x00\x00\x01", start)
        unit = access_unit[start:] if end == -1 else access_unit[start:end]
        unit = unit.rstrip(b"\x00")
        if unit:
            units.append(unit)
        start = end
    return units


def join_annexb(units: Iterable[bytes]) -> bytes:
    return b"".join(START_CODE + unit for unit in units)


def is_keyframe(access_unit: bytes) -> bool:
    """Whether an Annex B access unit holds an IDR slice."""
    return any(unit[0] & 0x1F == NAL_IDR for unit in split_annexb(access_unit))


def packetise(
    access_unit: bytes, *, mode: int = 1, max_payload: int = DEFAULT_MAX_PAYLOAD
) -> list[bytes]:
    """Payloads of one Annex B access unit; set the marker bit on the last.

    Raises LocalMediaError when mode 0 meets a NAL unit larger than `max_payload`.
    """
    units = split_annexb(access_unit)
    if mode == 0:
        for unit in units:
            if len(unit) > max_payload:
                raise LocalMediaError("h264_nal_too_large", size=len(unit), limit=max_payload)
        return units
    payloads: list[bytes] = []
    small: list[bytes] = []
    for unit in units:
        if len(unit) > max_payload:
            _flush(small, payloads)
            payloads += _fragment(unit, max_payload)
            continue
        if small and 1 + sum(2 + len(s) for s in small) + 2 + len(unit) > max_payload:
            _flush(small, payloads)
        small.append(unit)
    _flush(small, payloads)
    return payloads


def _flush(small: list[bytes], payloads: list[bytes]) -> None:
    if len(small) == 1:
        payloads.append(small[0])
    elif small:
        # RFC 6184 5.7.1: F is the OR, NRI the maximum of the aggregated units
        forbidden = 0x80 if any(unit[0] & 0x80 for unit in small) else 0
        header = forbidden | max(unit[0] & 0x60 for unit in small) | NAL_STAP_A
        body = b"".join(struct.pack("!H", len(unit)) + unit for unit in small)
        payloads.append(bytes((header,)) + body)
    small.clear()


def _fragment(unit: bytes, max_payload: int) -> Iterator[bytes]:
    """FU-A fragments of equal size; the last may be shorter by less than their count."""
    indicator = unit[0] & 0xE0 | NAL_FU_A
    nal_type = unit[0] & 0x1F
    body = unit[1:]
    count = -(-len(body) // (max_payload - 2))
    size = -(-len(body) // count)
    for start in range(0, len(body), size):
        flags = 0x80 if start == 0 else 0x40 if start + size >= len(body) else 0
        yield bytes((indicator, flags | nal_type)) + body[start : start + size]


def starts_frame(payload: bytes) -> bool:
    """Whether a payload can be the first of an access unit (after a loss).

    SPS, PPS, SEI or AUD, or a slice whose first_mb_in_slice is 0 (its first bit is then 1).
    """
    if not payload:
        return False
    nal_type = payload[0] & 0x1F
    if nal_type in (NAL_SEI, NAL_SPS, NAL_PPS, NAL_AUD):
        return True
    if nal_type in (NAL_SLICE, NAL_PARTITION_A, NAL_IDR):
        return len(payload) > 1 and bool(payload[1] & 0x80)
    if nal_type == NAL_STAP_A:
        return len(payload) > 3 and starts_frame(payload[3:])
    if nal_type == NAL_FU_A:
        is_start = len(payload) > 2 and bool(payload[1] & 0x80)
        return is_start and starts_frame(bytes((payload[1] & 0x1F,)) + payload[2:3])
    return False


class Depacketiser:
    """Payloads of one frame, in order, to an Annex B access unit."""

    def depacketise(self, payloads: Iterable[bytes]) -> bytes:
        """Raises RemoteMediaError `h264_payload_malformed`."""
        units: list[bytes] = []
        fragment: bytearray | None = None
        for payload in payloads:
            if not payload:
                raise RemoteMediaError("h264_payload_malformed", why="empty payload")
            nal_type = payload[0] & 0x1F
            if nal_type == NAL_FU_A:
                fragment = self._fragment(payload, fragment, units)
                continue
            if fragment is not None:
                raise RemoteMediaError("h264_payload_malformed", why="FU-A without its end")
            if nal_type == NAL_STAP_A:
                units += _split_stap(payload)
            elif 1 <= nal_type <= 23:
                units.append(payload)
            else:
                raise RemoteMediaError("h264_payload_malformed", nal_type=nal_type)
        if fragment is not None:
            raise RemoteMediaError("h264_payload_malformed", why="FU-A without its end")
        return join_annexb(units)

    @staticmethod
    def _fragment(
        payload: bytes, fragment: bytearray | None, units: list[bytes]
    ) -> bytearray | None:
        if len(payload) < 2:
            raise RemoteMediaError("h264_payload_malformed", why="FU-A without its header")
        is_start, is_end = payload[1] & 0x80, payload[1] & 0x40
        if bool(is_start) == (fragment is not None):
            raise RemoteMediaError("h264_payload_malformed", why="FU-A start out of place")
        if fragment is None:
            fragment = bytearray((payload[0] & 0xE0 | payload[1] & 0x1F,))
        fragment += payload[2:]
        if not is_end:
            return fragment
        units.append(bytes(fragment))
        return None


def _split_stap(payload: bytes) -> list[bytes]:
    units = []
    position = 1
    while position < len(payload):
        if position + 2 > len(payload):
            raise RemoteMediaError("h264_payload_malformed", why="STAP-A truncated")
        size = payload[position] << 8 | payload[position + 1]
        position += 2
        unit = payload[position : position + size]
        if not unit or len(unit) < size:
            raise RemoteMediaError("h264_payload_malformed", why="STAP-A truncated")
        units.append(unit)
        position += size
    if not units:
        raise RemoteMediaError("h264_payload_malformed", why="STAP-A empty")
    return units


# --- format parameters (RFC 6184 section 8.1) ----------------------------------------------


@dataclass(frozen=True, slots=True)
class ProfileLevelId:
    profile_idc: int
    profile_iop: int
    level_idc: int

    @classmethod
    def parse(cls, text: str) -> ProfileLevelId:
        """Six hexadecimal digits. Raises RemoteMediaError `h264_profile_malformed`."""
        try:
            raw = bytes.fromhex(text)
        except ValueError as error:
            raise RemoteMediaError("h264_profile_malformed", value=text[:16]) from error
        if len(raw) != 3 or len(text) != 6:
            raise RemoteMediaError("h264_profile_malformed", value=text[:16])
        return cls(*raw)

    def __str__(self) -> str:
        return bytes((self.profile_idc, self.profile_iop, self.level_idc)).hex()

    @property
    def profile(self) -> str:
        """`constrained-baseline`, `baseline`, `main`, `extended`, `high` ... or `idc-N`."""
        constraint_set1 = bool(self.profile_iop & 0x40)
        if self.profile_idc == 66:
            return "constrained-baseline" if constraint_set1 else "baseline"
        if self.profile_idc == 77 and self.profile_iop & 0x80:
            return "constrained-baseline"
        names = {77: "main", 88: "extended", 100: "high", 110: "high-10"}
        return names.get(self.profile_idc, f"idc-{self.profile_idc}")

    @property
    def max_frame_macroblocks(self) -> int:
        """MaxFS of the level, H.264 table A-1."""
        return _level(self)[1]

    @property
    def max_macroblocks_per_s(self) -> int:
        """MaxMBPS of the level, H.264 table A-1."""
        return _level(self)[0]

    def allows(self, width: int, height: int, fps: float) -> bool:
        """Whether the level lets a picture of this size and rate through."""
        macroblocks = -(-width // 16) * -(-height // 16)
        rate, size = _level(self)
        return macroblocks <= size and macroblocks * fps <= rate


# level_idc -> (MaxMBPS, MaxFS)
_LEVELS = {
    9: (1485, 99), 10: (1485, 99), 11: (3000, 396), 12: (6000, 396), 13: (11880, 396),
    20: (11880, 396), 21: (19800, 792), 22: (20250, 1620), 30: (40500, 1620),
    31: (108000, 3600), 32: (216000, 5120), 40: (245760, 8192), 41: (245760, 8192),
    42: (522240, 8704), 50: (589824, 22080), 51: (983040, 36864), 52: (2073600, 36864),
}  # fmt: skip


def _level(value: ProfileLevelId) -> tuple[int, int]:
    if value.level_idc == 11 and value.profile_idc in (66, 77, 88) and value.profile_iop & 0x10:
        return _LEVELS[9]  # level 1b
    known = [level for level in _LEVELS if level <= value.level_idc]
    return _LEVELS[max(known)] if known else _LEVELS[9]


def parse_sprop_parameter_sets(text: str) -> list[bytes]:
    """NAL units from the SDP parameter. Raises RemoteMediaError `h264_sprop_malformed`."""
    units = []
    for part in text.split(","):
        try:
            unit = base64.b64decode(part.strip(), validate=True)
        except (binascii.Error, ValueError) as error:
            raise RemoteMediaError("h264_sprop_malformed", value=text[:80]) from error
        if unit:
            units.append(unit)
    return units


def build_sprop_parameter_sets(units: Iterable[bytes]) -> str:
    return ",".join(base64.b64encode(unit).decode() for unit in units)
