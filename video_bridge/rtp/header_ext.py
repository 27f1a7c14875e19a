"""RTP header extensions (RFC 8285): audio level (RFC 6464) and MID (RFC 9143)."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import LocalMediaError, RemoteMediaError
from .packet import RtpPacket

ONE_BYTE_PROFILE = 0xBEDE
TWO_BYTE_PROFILE = 0x1000

AUDIO_LEVEL_URI = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
ABS_SEND_TIME_URI = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
MID_URI = "urn:ietf:params:rtp-hdrext:sdes:mid"


@dataclass(frozen=True, slots=True)
class AudioLevel:
    """`level_dbov`: 0 loudest, -127 silence. `has_voice` is the sender's own voice activity bit."""

    level_dbov: int
    has_voice: bool


def parse_extensions(profile: int | None, body: bytes) -> dict[int, bytes]:
    """Elements by id. An unknown profile gives none. Raises RemoteMediaError when cut short."""
    if profile == ONE_BYTE_PROFILE:
        return _parse_one_byte(body)
    if profile is not None and profile & 0xFFF0 == TWO_BYTE_PROFILE:
        return _parse_two_byte(body)
    return {}


def _parse_one_byte(body: bytes) -> dict[int, bytes]:
    elements: dict[int, bytes] = {}
    position = 0
    while position < len(body):
        head = body[position]
        position += 1
        if head == 0:  # padding
            continue
        element_id, size = head >> 4, (head & 0x0F) + 1
        if element_id == 15:  # RFC 8285 section 4.2: stop processing
            break
        if position + size > len(body):
            raise RemoteMediaError("rtp_extension_malformed", id=element_id)
        elements[element_id] = body[position : position + size]
        position += size
    return elements


def _parse_two_byte(body: bytes) -> dict[int, bytes]:
    elements: dict[int, bytes] = {}
    position = 0
    while position < len(body):
        element_id = body[position]
        position += 1
        if element_id == 0:
            continue
        if position >= len(body) or position + 1 + body[position] > len(body):
            raise RemoteMediaError("rtp_extension_malformed", id=element_id)
        size = body[position]
        elements[element_id] = body[position + 1 : position + 1 + size]
        position += 1 + size
    return elements


def build_extensions(elements: dict[int, bytes]) -> tuple[int, bytes]:
    """(profile, body padded to 32 bits): one-byte form where it fits, else two-byte."""
    if not elements:
        raise LocalMediaError("rtp_extension_misbuilt", why="no elements")
    one_byte = all(1 <= i <= 14 and 1 <= len(v) <= 16 for i, v in elements.items())
    body = bytearray()
    for element_id, value in elements.items():
        if one_byte:
            body.append(element_id << 4 | (len(value) - 1))
        elif 1 <= element_id <= 255 and len(value) <= 255:
            body += bytes((element_id, len(value)))
        else:
            raise LocalMediaError("rtp_extension_misbuilt", id=element_id, size=len(value))
        body += value
    body += bytes(-len(body) % 4)
    return (ONE_BYTE_PROFILE if one_byte else TWO_BYTE_PROFILE), bytes(body)


def audio_level(packet: RtpPacket, extension_id: int) -> AudioLevel | None:
    """The level the sender states (RFC 6464), None when the packet carries none."""
    value = parse_extensions(packet.extension_profile, packet.extensions).get(extension_id)
    if not value:
        return None
    return AudioLevel(level_dbov=-(value[0] & 0x7F), has_voice=bool(value[0] & 0x80))


def absolute_send_time(packet: RtpPacket, extension_id: int) -> float | None:
    """When the packet left, in seconds that begin again each 64: 24 bits of 6.18 fixed point."""
    value = parse_extensions(packet.extension_profile, packet.extensions).get(extension_id)
    return None if value is None or len(value) != 3 else int.from_bytes(value) / (1 << 18)


def build_audio_level(level: AudioLevel) -> bytes:
    """The element's one byte."""
    return bytes((min(127, max(0, -level.level_dbov)) | (0x80 if level.has_voice else 0),))


def mid(packet: RtpPacket, extension_id: int) -> str | None:
    """The media identification (a=mid) this packet belongs to; None when absent."""
    value = parse_extensions(packet.extension_profile, packet.extensions).get(extension_id)
    if value is None:
        return None
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RemoteMediaError("rtp_extension_malformed", id=extension_id) from error
