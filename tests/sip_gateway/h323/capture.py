"""H.323 calls in packet captures: who sent which PDU, in the order in which they were sent."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sip_gateway.h323.errors import RemoteH323Error
from sip_gateway.h323.tpkt import TpktReader


@dataclass(frozen=True, slots=True)
class Sent:
    """One PDU; `stream` names its direction: addresses, source and destination port."""

    stream: tuple[bytes, int, int]
    pdu: bytes

    @property
    def connection(self) -> frozenset[tuple[bytes, int]]:
        """The same for both directions."""
        addresses, source, destination = self.stream
        return frozenset({(addresses[:4], source), (addresses[4:], destination)})


def _blocks(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """(link type, packet) of a pcap or pcapng file, little-endian as both captures are."""
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


def sent(path: Path) -> list[Sent]:
    """Every PDU on TPKT of a capture, in order; streams of other protocols are left out."""
    found: list[Sent] = []
    readers: dict[tuple[bytes, int, int], TpktReader] = {}
    expected: dict[tuple[bytes, int, int], int] = {}
    others: set[tuple[bytes, int, int]] = set()
    for link, packet in _blocks(path.read_bytes()):
        ip = packet[{0: 4, 1: 14, 113: 16, 101: 0}[link] :]
        if len(ip) < 40 or ip[0] >> 4 != 4 or ip[9] != 6:
            continue
        total, header = int.from_bytes(ip[2:4], "big"), (ip[0] & 15) * 4
        tcp = ip[header:total]
        source, destination, sequence = struct.unpack_from("!HHI", tcp)
        payload = tcp[(tcp[12] >> 4) * 4 :]
        key = (ip[12:20], source, destination)
        if not payload or sequence < expected.get(key, 0) or key in others:
            continue
        expected[key] = sequence + len(payload)
        try:
            found += [Sent(key, p) for p in readers.setdefault(key, TpktReader()).feed(payload)]
        except RemoteH323Error:
            others.add(key)  # another protocol on that port
    return [one for one in found if one.stream not in others]


def pdus(path: Path) -> list[bytes]:
    return [one.pdu for one in sent(path)]
