"""The two types that H.460.18 and H.460.19 add, in aligned PER (X.691).

They travel as octets inside RAS and H.245 messages and are not in the ASN.1 library. Only IPv4
addresses are known; what follows the root of a type (a later version) is left unread.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from .errors import RemoteH323Error

Address = tuple[str, int]
_OPTIONS = 6


@dataclass(frozen=True, slots=True)
class IncomingCallIndication:
    """H.460.18: connect to `signalling` and name this call there."""

    signalling: Address
    call_id: bytes

    def __bytes__(self) -> bytes:
        bits = _Writer()
        bits.put(0, 5)  # no extension; TransportAddress: no extension, ipAddress (0 of 7)
        bits.address(self.signalling)
        bits.put(0, 1)  # CallIdentifier: no extension
        bits.octets(self.call_id)
        return bits.done()

    @classmethod
    def parse(cls, octets: bytes) -> IncomingCallIndication:
        """Raises RemoteH323Error (h460_malformed)."""
        bits = _Reader(octets)
        bits.take(1)
        if bits.take(4) != 0:
            raise RemoteH323Error("h460_malformed", field="callSignallingAddress")
        signalling = bits.address()
        bits.take(1)
        return cls(signalling, bits.octets(16))


@dataclass(frozen=True, slots=True)
class TraversalParameters:
    """H.460.19 without multiplexing: where keep-alives go, how often, and their payload type.

    The server names the channel and the interval, the client the payload type of what it sends.
    """

    channel: Address | None = None
    payload_type: int | None = None
    interval_s: int | None = None

    def __bytes__(self) -> bytes:
        bits = _Writer()
        present = [self.channel, self.payload_type, self.interval_s]
        bits.put(0, 1)
        bits.put(0, 3)  # no multiplexed channels, no multiplexID
        for one in present:
            bits.put(int(one is not None), 1)
        if self.channel is not None:
            bits.put(0, 7)  # unicastAddress, iPAddress, no extensions
            bits.address(self.channel)
        if self.payload_type is not None:
            bits.put(self.payload_type, 7)
        if self.interval_s is not None:
            bits.number(self.interval_s - 1)
        return bits.done()

    @classmethod
    def parse(cls, octets: bytes) -> TraversalParameters:
        """Raises RemoteH323Error (h460_malformed)."""
        bits = _Reader(octets)
        bits.take(1)
        present = [bool(bits.take(1)) for _ in range(_OPTIONS)]
        channels: list[Address | None] = [None, None, None]
        payload_type = interval_s = None
        for option, is_there in enumerate(present):
            if not is_there:
                continue
            if option in (0, 1, 3):
                channels[option % 3 if option < 3 else 2] = _transport(bits)
            elif option == 2:
                bits.number()
            elif option == 4:
                payload_type = bits.take(7)
            else:
                interval_s = bits.number() + 1
        return cls(channels[2], payload_type, interval_s)


def _transport(bits: _Reader) -> Address:
    """H.245's TransportAddress. Raises RemoteH323Error for all but an IPv4 unicast address."""
    if bits.take(6) != 0:
        raise RemoteH323Error("h460_malformed", field="TransportAddress")
    bits.take(1)
    return bits.address()


class _Writer:
    def __init__(self) -> None:
        self._bits: list[int] = []

    def put(self, value: int, width: int) -> None:
        self._bits += [value >> place & 1 for place in reversed(range(width))]

    def octets(self, octets: bytes) -> None:
        """At an octet's border."""
        self._bits += [0] * (-len(self._bits) % 8)
        for octet in octets:
            self.put(octet, 8)

    def address(self, address: Address) -> None:
        network = ipaddress.IPv4Address(address[0]).packed
        self.octets(network + address[1].to_bytes(2, "big"))

    def number(self, value: int) -> None:
        """Of a range up to 2**32 (10.5.7.4): octets counted by two bits."""
        size = max(1, (value.bit_length() + 7) // 8)
        self.put(size - 1, 2)
        self.octets(value.to_bytes(size, "big"))

    def done(self) -> bytes:
        self.octets(b"")
        whole = int("".join(map(str, self._bits)) or "0", 2)
        return whole.to_bytes(len(self._bits) // 8, "big")


class _Reader:
    def __init__(self, octets: bytes) -> None:
        self._octets, self._at = octets, 0

    def take(self, width: int) -> int:
        if self._at + width > len(self._octets) * 8:
            raise RemoteH323Error("h460_malformed", at=self._at)
        value = 0
        for place in range(self._at, self._at + width):
            value = value << 1 | self._octets[place // 8] >> 7 - place % 8 & 1
        self._at += width
        return value

    def octets(self, count: int) -> bytes:
        self._at += -self._at % 8
        start = self._at // 8
        if start + count > len(self._octets):
            raise RemoteH323Error("h460_malformed", at=self._at)
        self._at += 8 * count
        return self._octets[start : start + count]

    def address(self) -> Address:
        octets = self.octets(6)
        return str(ipaddress.IPv4Address(octets[:4])), int.from_bytes(octets[4:], "big")

    def number(self) -> int:
        size = self.take(2) + 1
        return int.from_bytes(self.octets(size), "big")
