"""H.323 calls in packet captures: who sent which PDU, in the order in which they were sent."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from sip_gateway.h323.errors import RemoteH323Error
from sip_gateway.h323.tpkt import TpktReader
from tests.harness.pcap import TCP, segments


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


def sent(path: Path) -> list[Sent]:
    """Every PDU on TPKT of a capture, in order; streams of other protocols are left out."""
    found: list[Sent] = []
    readers: dict[tuple[bytes, int, int], TpktReader] = {}
    expected: dict[tuple[bytes, int, int], int] = {}
    others: set[tuple[bytes, int, int]] = set()
    for protocol, addresses, tcp in segments(path):
        if protocol != TCP:
            continue
        source, destination, sequence = struct.unpack_from("!HHI", tcp)
        payload = tcp[(tcp[12] >> 4) * 4 :]
        key = (addresses, source, destination)
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
