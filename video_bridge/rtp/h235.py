"""H.235.6 media encryption: the payload of each RTP packet in AES-128-CBC, the header in clear.

The vector is the packet's sequence number and timestamp, repeated to a block. What is no multiple
of a block is padded as RFC 3550 has it, the padding encrypted too; a peer's may also come by
ciphertext stealing, without padding. Nothing authenticates a packet: H.235.6 has no more.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ..errors import RemoteMediaError

BLOCK = 16
SUITE = "H235_AES_CBC_128"
_PADDED = 0x20


class H235Cipher:
    """One direction of one media, under its session key of 16 octets."""

    def __init__(self, key: bytes) -> None:
        self._algorithm = algorithms.AES128(key)

    def protect(self, packet: bytes) -> bytes:
        """An RTP packet that has no padding, with its payload encrypted."""
        start = _payload_start(packet)
        payload, missing = packet[start:], (start - len(packet)) % BLOCK
        head = packet[:start]
        if missing:
            payload += bytes(missing - 1) + bytes([missing])
            head = bytes([head[0] | _PADDED]) + head[1:]
        encryptor = Cipher(self._algorithm, modes.CBC(_vector(packet))).encryptor()
        return head + encryptor.update(payload)

    def unprotect(self, packet: bytes) -> bytes:
        """The packet in clear, without padding. Raises RemoteMediaError `h235_malformed`."""
        start = _payload_start(packet)
        sealed, is_padded = packet[start:], bool(packet[0] & _PADDED)
        if not sealed:
            return packet
        if len(sealed) < BLOCK or (is_padded and len(sealed) % BLOCK):
            raise RemoteMediaError("h235_malformed", size=len(sealed))
        if len(sealed) % BLOCK:
            payload = self._stolen(sealed, _vector(packet))
        else:
            decryptor = Cipher(self._algorithm, modes.CBC(_vector(packet))).decryptor()
            payload = decryptor.update(sealed)
        head = bytes([packet[0] & ~_PADDED]) + packet[1:start]
        if not is_padded:
            return head + payload
        if not 1 <= payload[-1] <= len(payload):
            raise RemoteMediaError("h235_malformed", padding=payload[-1])
        return head + payload[: -payload[-1]]

    def _stolen(self, sealed: bytes, vector: bytes) -> bytes:
        """Ciphertext stealing with the last two blocks exchanged, as RFC 3962 clause 5 has it."""
        tail = len(sealed) % BLOCK
        before, whole, part = sealed[: -BLOCK - tail], sealed[-BLOCK - tail : -tail], sealed[-tail:]
        last = Cipher(self._algorithm, modes.CBC(bytes(BLOCK))).decryptor().update(whole)
        decryptor = Cipher(self._algorithm, modes.CBC(vector)).decryptor()
        clear = decryptor.update(before + part + last[tail:])
        return clear + bytes(a ^ b for a, b in zip(last[:tail], part, strict=True))


def _vector(packet: bytes) -> bytes:
    return (packet[2:8] * 3)[:BLOCK]


def _payload_start(packet: bytes) -> int:
    """Behind sources and extension (RFC 3550 5.1). Raises RemoteMediaError."""
    start = 12 + 4 * (packet[0] & 0x0F) if packet else 12
    if len(packet) >= start + 4 and packet[0] & 0x10:
        start += 4 + 4 * int.from_bytes(packet[start + 2 : start + 4])
    if len(packet) < start:
        raise RemoteMediaError("h235_malformed", size=len(packet))
    return start
