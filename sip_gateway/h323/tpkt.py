"""TPKT framing over TCP (RFC 1006 clause 6), as H.225.0 and H.245 use it."""

from __future__ import annotations

import struct

from .errors import RemoteH323Error

MAX_PDU = 16 * 1024
_HEADER = struct.Struct("!BBH")


def frame(pdu: bytes) -> bytes:
    """One PDU in its frame. An empty PDU is the keep-alive of H.225.0."""
    return _HEADER.pack(3, 0, len(pdu) + _HEADER.size) + pdu


class TpktReader:
    """Cuts a byte stream into PDUs; frames may arrive in any pieces."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, chunk: bytes) -> list[bytes]:
        """Returns the PDUs that are complete now, empty keep-alives left out.

        Raises RemoteH323Error (tpkt_version, tpkt_length, tpkt_too_large): the connection cannot
        be trusted any further and must be closed.
        """
        self._buffer += chunk
        pdus = []
        while len(self._buffer) >= _HEADER.size:
            version, _reserved, length = _HEADER.unpack_from(self._buffer)
            if version != 3:
                raise RemoteH323Error("tpkt_version", version=version)
            if length < _HEADER.size:
                raise RemoteH323Error("tpkt_length", length=length)
            if length - _HEADER.size > MAX_PDU:
                raise RemoteH323Error("tpkt_too_large", length=length)
            if len(self._buffer) < length:
                break
            if length > _HEADER.size:
                pdus.append(bytes(self._buffer[_HEADER.size : length]))
            del self._buffer[:length]
        return pdus
