"""H.235.6 on the packets of one media of an H.323 room.

It is done packet by packet in Python, by the way that a fan-out has for packets which do not leave
by its socket: about 5 us each way, and the targets that share a rung with such a room are sent to
one packet at a time as well.
"""

from __future__ import annotations

import base64
import socket
from functools import partial

from .. import messages as m
from ..datapath import FanoutTarget
from ..errors import LocalMediaError, RemoteMediaError
from ..rtp.h235 import SUITE, H235Cipher
from ..streams.outbound import Outbound


class RoomCipher:
    """Both directions; one without a key is in clear."""

    def __init__(self, keys: m.SrtpKeys) -> None:
        """Raises LocalMediaError `srtp_key_malformed`."""
        self.keys = keys
        self._receive, self._send = _cipher(keys.receive), _cipher(keys.send)
        self.refused = 0

    def unprotect(self, packet: bytes) -> bytes | None:
        """What came, in clear; None for what is no such packet."""
        try:
            return packet if self._receive is None else self._receive.unprotect(packet)
        except RemoteMediaError:
            self.refused += 1
            return None

    def attach(self, outbound: Outbound, sock: socket.socket) -> None:
        """What is sent from now on leaves encrypted."""
        target = outbound.target
        if target is None or self._send is None:
            return
        known = target.sender
        if isinstance(known, partial) and known.args[0] is self._send:
            return
        target.sender = partial(_send, self._send, sock, target)
        FanoutTarget.closings += 1  # who holds lists of targets looks again


def cipher_for(keys: m.SrtpKeys | None, before: RoomCipher | None) -> RoomCipher | None:
    """The cipher of an answer's keys, the one before where they stay; None: not H.235.6."""
    if keys is None or keys.suite != SUITE:
        return None
    return before if before is not None and before.keys == keys else RoomCipher(keys)


def _cipher(key: str) -> H235Cipher | None:
    if not key:
        return None
    try:
        return H235Cipher(base64.b64decode(key, validate=True))
    except ValueError as error:
        raise LocalMediaError("srtp_key_malformed", suite=SUITE) from error


def _send(cipher: H235Cipher, sock: socket.socket, target: FanoutTarget, packet: bytes) -> None:
    sock.sendto(cipher.protect(packet), socket.MSG_DONTWAIT, target.address)
