"""RTCP packets as bytes and back: RFC 3550, feedback of RFC 4585 and 5104, REMB.

`parse_compound` takes one datagram (compound or, RFC 5506, reduced size) and `build_compound`
makes one. Types we do not know come back as `OtherRtcp`, so nothing is lost in a round trip.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

from ..errors import LocalMediaError, RemoteMediaError
from .transport_cc import TransportFeedback, build_feedback, parse_feedback

SR, RR, SDES, BYE, APP, RTPFB, PSFB = 200, 201, 202, 203, 204, 205, 206
RTPFB_NACK, RTPFB_TMMBR, RTPFB_TMMBN, RTPFB_TRANSPORT_CC = 1, 3, 4, 15
PSFB_PLI, PSFB_FIR, PSFB_AFB = 1, 4, 15
SDES_CNAME = 1

_HEADER = struct.Struct("!BBH")
_SENDER_INFO = struct.Struct("!IQIII")
_REPORT_BLOCK = struct.Struct("!IIIIII")


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """`fraction_lost` in 1/256, `last_sr` middle of NTP, `delay_since_last_sr` in 1/65536 s."""

    ssrc: int
    fraction_lost: int
    packets_lost: int
    highest_sequence: int
    jitter: int
    last_sr: int
    delay_since_last_sr: int


@dataclass(frozen=True, slots=True)
class SenderReport:
    """`ntp` is the 64-bit NTP time."""

    ssrc: int
    ntp: int
    rtp_timestamp: int
    packet_count: int
    octet_count: int
    reports: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    ssrc: int
    reports: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceDescription:
    """Per source: (ssrc, ((item type, value), ...))."""

    chunks: tuple[tuple[int, tuple[tuple[int, bytes], ...]], ...]

    @classmethod
    def cname(cls, ssrc: int, cname: str) -> SourceDescription:
        return cls(((ssrc, ((SDES_CNAME, cname.encode()),)),))


@dataclass(frozen=True, slots=True)
class Bye:
    sources: tuple[int, ...]
    reason: bytes = b""


@dataclass(frozen=True, slots=True)
class Nack:
    """RFC 4585 generic NACK: `lost` are sequence numbers."""

    ssrc: int
    media_ssrc: int
    lost: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PictureLoss:
    """PLI, RFC 4585 section 6.3.1."""

    ssrc: int
    media_ssrc: int


@dataclass(frozen=True, slots=True)
class FullIntraRequest:
    """FIR, RFC 5104 section 4.3.1: entries are (media ssrc, command sequence number)."""

    ssrc: int
    entries: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Remb:
    """Receiver estimated maximum bitrate, draft-alvestrand-rmcat-remb."""

    ssrc: int
    bitrate_bps: int
    media_ssrcs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RateLimit:
    """TMMBR or, with `is_notification`, TMMBN (RFC 5104 sections 4.2.1 and 4.2.2).

    Entries are (media ssrc, bit/s, overhead in octets a packet).
    """

    ssrc: int
    entries: tuple[tuple[int, int, int], ...]
    is_notification: bool = False


@dataclass(frozen=True, slots=True)
class OtherRtcp:
    """Any other packet: `count` is the 5-bit count or format field."""

    packet_type: int
    count: int
    body: bytes


RtcpPacket = (
    SenderReport
    | ReceiverReport
    | SourceDescription
    | Bye
    | Nack
    | PictureLoss
    | FullIntraRequest
    | Remb
    | RateLimit
    | TransportFeedback
    | OtherRtcp
)


# --- parsing -----------------------------------------------------------------------------


def parse_compound(data: bytes) -> list[RtcpPacket]:
    """All packets of one datagram. Raises RemoteMediaError `rtcp_malformed`."""
    packets: list[RtcpPacket] = []
    position = 0
    if not data:
        raise RemoteMediaError("rtcp_malformed", why="empty")
    while position < len(data):
        if position + 4 > len(data):
            raise RemoteMediaError("rtcp_malformed", why="header truncated")
        first, packet_type, words = _HEADER.unpack_from(data, position)
        if first >> 6 != 2:
            raise RemoteMediaError("rtcp_malformed", why="version is not 2")
        end = position + 4 + 4 * words
        if end > len(data):
            raise RemoteMediaError("rtcp_malformed", why="length beyond the datagram")
        body = data[position + 4 : end]
        if first & 0x20:
            if not body or not 1 <= body[-1] <= len(body):
                raise RemoteMediaError("rtcp_malformed", why="padding too long")
            body = body[: -body[-1]]
        packets.append(_parse_one(packet_type, first & 0x1F, body))
        position = end
    return packets


def _parse_one(packet_type: int, count: int, body: bytes) -> RtcpPacket:
    try:
        if packet_type == SR:
            ssrc, ntp, rtp_timestamp, packet_count, octets = _SENDER_INFO.unpack_from(body)
            reports = _parse_reports(body, 24, count)
            return SenderReport(ssrc, ntp, rtp_timestamp, packet_count, octets, reports)
        if packet_type == RR:
            (ssrc,) = struct.unpack_from("!I", body)
            return ReceiverReport(ssrc, _parse_reports(body, 4, count))
        if packet_type == SDES:
            return _parse_sdes(body, count)
        if packet_type == BYE:
            return _parse_bye(body, count)
        if packet_type == RTPFB and count == RTPFB_NACK:
            return _parse_nack(body)
        if packet_type == RTPFB and count in (RTPFB_TMMBR, RTPFB_TMMBN):
            return _parse_rate_limit(body, is_notification=count == RTPFB_TMMBN)
        if packet_type == RTPFB and count == RTPFB_TRANSPORT_CC:
            return parse_feedback(body)
        if packet_type == PSFB and count == PSFB_PLI:
            return PictureLoss(*struct.unpack_from("!II", body))
        if packet_type == PSFB and count == PSFB_FIR:
            return _parse_fir(body)
        if packet_type == PSFB and count == PSFB_AFB and body[8:12] == b"REMB":
            return _parse_remb(body)
    except (struct.error, IndexError) as error:
        raise RemoteMediaError("rtcp_malformed", packet_type=packet_type) from error
    return OtherRtcp(packet_type, count, body)


def _parse_reports(body: bytes, position: int, count: int) -> tuple[ReportBlock, ...]:
    reports = []
    for index in range(count):
        ssrc, lost, highest, jitter, last_sr, delay = _REPORT_BLOCK.unpack_from(
            body, position + 24 * index
        )
        total = lost & 0xFFFFFF
        if total & 0x800000:  # 24-bit signed: duplicates make it negative
            total -= 0x1000000
        reports.append(ReportBlock(ssrc, lost >> 24, total, highest, jitter, last_sr, delay))
    return tuple(reports)


def _parse_sdes(body: bytes, count: int) -> SourceDescription:
    chunks = []
    position = 0
    for _ in range(count):
        (ssrc,) = struct.unpack_from("!I", body, position)
        position += 4
        items = []
        while (item_type := body[position]) != 0:
            size = body[position + 1]
            value = body[position + 2 : position + 2 + size]
            if len(value) < size:
                raise RemoteMediaError("rtcp_malformed", why="SDES item truncated")
            items.append((item_type, value))
            position += 2 + size
        position += 4 - position % 4  # the null item pads to the next 32-bit boundary
        chunks.append((ssrc, tuple(items)))
    return SourceDescription(tuple(chunks))


def _parse_bye(body: bytes, count: int) -> Bye:
    sources = struct.unpack_from(f"!{count}I", body)
    rest = body[4 * count :]
    reason = b""
    if rest:
        reason = rest[1 : 1 + rest[0]]
        if len(reason) < rest[0]:
            raise RemoteMediaError("rtcp_malformed", why="BYE reason truncated")
    return Bye(sources, reason)


def _parse_nack(body: bytes) -> Nack:
    ssrc, media_ssrc = struct.unpack_from("!II", body)
    if (len(body) - 8) % 4:
        raise RemoteMediaError("rtcp_malformed", why="NACK list not whole words")
    lost = []
    for position in range(8, len(body), 4):
        pid, bitmask = struct.unpack_from("!HH", body, position)
        lost.append(pid)
        lost += [(pid + 1 + bit) & 0xFFFF for bit in range(16) if bitmask >> bit & 1]
    return Nack(ssrc, media_ssrc, tuple(lost))


def _parse_rate_limit(body: bytes, *, is_notification: bool) -> RateLimit:
    (ssrc,) = struct.unpack_from("!I", body)
    if len(body) < 8 or (len(body) - 8) % 8:
        raise RemoteMediaError("rtcp_malformed", why="TMMBR entries not whole")
    entries = []
    for position in range(8, len(body), 8):
        media_ssrc, word = struct.unpack_from("!II", body, position)
        entries.append((media_ssrc, (word >> 9 & 0x1FFFF) << (word >> 26), word & 0x1FF))
    return RateLimit(ssrc, tuple(entries), is_notification)


def _parse_fir(body: bytes) -> FullIntraRequest:
    (ssrc,) = struct.unpack_from("!I", body)
    if len(body) < 8 or (len(body) - 8) % 8:
        raise RemoteMediaError("rtcp_malformed", why="FIR entries not whole")
    entries = []
    for position in range(8, len(body), 8):
        media_ssrc, sequence = struct.unpack_from("!IB", body, position)
        entries.append((media_ssrc, sequence))
    return FullIntraRequest(ssrc, tuple(entries))


def _parse_remb(body: bytes) -> Remb:
    (ssrc,) = struct.unpack_from("!I", body)
    count, first, second, third = struct.unpack_from("!4B", body, 12)
    exponent = first >> 2
    mantissa = (first & 0x03) << 16 | second << 8 | third
    return Remb(ssrc, mantissa << exponent, struct.unpack_from(f"!{count}I", body, 16))


# --- building ----------------------------------------------------------------------------


def build_compound(packets: Iterable[RtcpPacket]) -> bytes:
    """One datagram. Put a report first and SDES second (RFC 3550 section 6.1)."""
    return b"".join(build(packet) for packet in packets)


def build(packet: RtcpPacket) -> bytes:
    """One RTCP packet. Raises LocalMediaError when a list is too long for its count field."""
    match packet:
        case SenderReport():
            info = _SENDER_INFO.pack(
                packet.ssrc,
                packet.ntp & 0xFFFFFFFFFFFFFFFF,
                packet.rtp_timestamp & 0xFFFFFFFF,
                packet.packet_count & 0xFFFFFFFF,
                packet.octet_count & 0xFFFFFFFF,
            )
            return _packet(SR, len(packet.reports), info + _build_reports(packet.reports))
        case ReceiverReport():
            body = struct.pack("!I", packet.ssrc) + _build_reports(packet.reports)
            return _packet(RR, len(packet.reports), body)
        case SourceDescription():
            return _packet(SDES, len(packet.chunks), _build_sdes(packet))
        case Bye():
            body = struct.pack(f"!{len(packet.sources)}I", *packet.sources)
            if packet.reason:
                body += bytes((len(packet.reason),)) + packet.reason
            return _packet(BYE, len(packet.sources), body + bytes(-len(body) % 4))
        case Nack():
            return _packet(RTPFB, RTPFB_NACK, _build_nack(packet))
        case PictureLoss():
            body = struct.pack("!II", packet.ssrc, packet.media_ssrc)
            return _packet(PSFB, PSFB_PLI, body)
        case FullIntraRequest():
            body = struct.pack("!II", packet.ssrc, 0)
            for media_ssrc, sequence in packet.entries:
                body += struct.pack("!IBxxx", media_ssrc, sequence & 0xFF)
            return _packet(PSFB, PSFB_FIR, body)
        case RateLimit():
            format_ = RTPFB_TMMBN if packet.is_notification else RTPFB_TMMBR
            return _packet(RTPFB, format_, _build_rate_limit(packet))
        case Remb():
            return _packet(PSFB, PSFB_AFB, _build_remb(packet))
        case TransportFeedback():
            return _packet(RTPFB, RTPFB_TRANSPORT_CC, build_feedback(packet))
        case OtherRtcp():
            return _packet(packet.packet_type, packet.count, packet.body)


def _packet(packet_type: int, count: int, body: bytes) -> bytes:
    """Padded to whole words (RFC 3550 section 6.4.1)."""
    if count > 31:
        raise LocalMediaError("rtcp_misbuilt", packet_type=packet_type, count=count)
    first = 0x80 | count
    if missing := -len(body) % 4:
        first |= 0x20
        body += bytes(missing - 1) + bytes((missing,))
    return _HEADER.pack(first, packet_type, len(body) // 4) + body


def _build_reports(reports: tuple[ReportBlock, ...]) -> bytes:
    return b"".join(
        _REPORT_BLOCK.pack(
            block.ssrc,
            min(255, block.fraction_lost) << 24
            | (max(-0x800000, min(0x7FFFFF, block.packets_lost)) & 0xFFFFFF),
            block.highest_sequence,
            min(0xFFFFFFFF, block.jitter),
            block.last_sr,
            min(0xFFFFFFFF, block.delay_since_last_sr),
        )
        for block in reports
    )


def _build_sdes(packet: SourceDescription) -> bytes:
    body = bytearray()
    for ssrc, items in packet.chunks:
        body += struct.pack("!I", ssrc)
        for item_type, value in items:
            body += bytes((item_type, len(value))) + value
        body += bytes(4 - len(body) % 4)
    return bytes(body)


def _build_nack(packet: Nack) -> bytes:
    body = struct.pack("!II", packet.ssrc, packet.media_ssrc)
    pending = list(packet.lost)
    while pending:
        pid = pending.pop(0)
        bitmask = 0
        while pending and 1 <= (distance := (pending[0] - pid) & 0xFFFF) <= 16:
            bitmask |= 1 << (distance - 1)
            pending.pop(0)
        body += struct.pack("!HH", pid & 0xFFFF, bitmask)
    return body


def _build_rate_limit(packet: RateLimit) -> bytes:
    body = struct.pack("!II", packet.ssrc, 0)
    for media_ssrc, bitrate_bps, overhead in packet.entries:
        exponent = max(0, bitrate_bps.bit_length() - 17)
        word = exponent << 26 | bitrate_bps >> exponent << 9 | min(overhead, 0x1FF)
        body += struct.pack("!II", media_ssrc, word)
    return body


def _build_remb(packet: Remb) -> bytes:
    exponent = max(0, packet.bitrate_bps.bit_length() - 18)
    mantissa = packet.bitrate_bps >> exponent
    head = bytes((len(packet.media_ssrcs), exponent << 2 | mantissa >> 16))
    return (
        struct.pack("!II", packet.ssrc, 0)
        + b"REMB"
        + head
        + struct.pack("!H", mantissa & 0xFFFF)
        + struct.pack(f"!{len(packet.media_ssrcs)}I", *packet.media_ssrcs)
    )
