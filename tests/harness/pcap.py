"""Packet captures of others: what IPv4 carries in pcap and pcapng files."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

TCP, UDP = 6, 17
_LINK_HEADER = {0: 4, 1: 14, 101: 0, 113: 16, 228: 0}  # octets before IP by link type


def _packets(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """(link type, packet) of a pcap or pcapng file, little-endian as all of ours are."""
    if raw[:4] == b"\xd4\xc3\xb2\xa1":
        link, at = struct.unpack_from("<I", raw, 20)[0], 24
        while at + 16 <= len(raw):
            (length,) = struct.unpack_from("<I", raw, at + 8)
            yield link, raw[at + 16 : at + 16 + length]
            at += 16 + length
        return
    link, at = 1, 0
    while at + 12 <= len(raw):
        kind, length = struct.unpack_from("<II", raw, at)
        if kind == 1:
            (link,) = struct.unpack_from("<H", raw, at + 8)
        elif kind == 6:
            (size,) = struct.unpack_from("<I", raw, at + 20)
            yield link, raw[at + 28 : at + 28 + size]
        at += length


def segments(path: Path) -> Iterator[tuple[int, bytes, bytes]]:
    """(protocol, source and destination address, TCP segment or UDP datagram with its header)."""
    for link, packet in _packets(path.read_bytes()):
        ip = packet[_LINK_HEADER[link] :]
        if len(ip) < 28 or ip[0] >> 4 != 4 or ip[9] not in (TCP, UDP):
            continue
        total, header = int.from_bytes(ip[2:4], "big"), (ip[0] & 15) * 4
        if ip[9] == UDP or len(ip) >= header + 20:
            yield ip[9], ip[12:20], ip[header:total]


def payloads(path: Path) -> list[bytes]:
    """What each datagram or segment of a capture carries, empty ones left out."""
    found = []
    for protocol, _addresses, segment in segments(path):
        carried = segment[8:] if protocol == UDP else segment[(segment[12] >> 4) * 4 :]
        if carried:
            found.append(carried)
    return found
