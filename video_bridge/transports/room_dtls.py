"""DTLS-SRTP of a room without ICE (RFC 5764): one handshake on one UDP socket.

What is no DTLS record of an address that signalling named is not listened to. The peer is answered
where it speaks from (symmetric RTP), so that a room behind NAT is reached.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable

from aiortc.rtcdtlstransport import RTCCertificate

from ..errors import LocalMediaError, RemoteMediaError
from ..messages import DtlsTerms
from .dtls import Dtls, DtlsKeys

log = logging.getLogger(__name__)

Address = tuple[str, int]
MAX_WAITING = 32  # records; a handshake has a dozen


def is_dtls(data: bytes) -> bool:
    """RFC 7983 clause 7."""
    return len(data) > 12 and 20 <= data[0] <= 63


class RoomDtls:
    """`done(keys, address)` once the peer has proved its fingerprint, `failed(code)` when not."""

    def __init__(
        self,
        certificate: RTCCertificate,
        terms: DtlsTerms,
        sock: socket.socket,
        remote: Address,
        *,
        done: Callable[[DtlsKeys, Address], None],
        failed: Callable[[str], None],
    ) -> None:
        self._terms, self._sock, self._remote = terms, sock, remote
        self._done, self._failed = done, failed
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue(MAX_WAITING)
        self._dtls = Dtls(self, is_client=terms.is_client, certificate=certificate)
        self._task = asyncio.create_task(self._establish())

    def take(self, data: bytes, address: Address) -> None:
        """A record of the peer; the newest address is answered."""
        self._remote = address
        with contextlib.suppress(asyncio.QueueFull):
            self._waiting.put_nowait(data)

    async def recv(self) -> bytes:
        return await self._waiting.get()

    async def send(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self._sock.sendto(data, self._remote)

    async def _establish(self) -> None:
        pairs = (text.partition(" ") for text in self._terms.fingerprints)
        fingerprints = tuple((name.lower(), value.upper()) for name, _, value in pairs)
        try:
            keys = await self._dtls.handshake(fingerprints, lambda: None)
        except (RemoteMediaError, LocalMediaError) as error:
            self._failed(error.code)
        except ConnectionError:
            self._failed("dtls_failed")
        else:
            self._done(keys, self._remote)

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._dtls.stop()
