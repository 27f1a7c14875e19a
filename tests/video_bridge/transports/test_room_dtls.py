"""DTLS-SRTP of a room without ICE: two ends on loopback, and one with another's certificate."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from video_bridge.messages import DtlsTerms
from video_bridge.transports.dtls import DtlsKeys, fingerprint_of, make_certificate
from video_bridge.transports.room_dtls import RoomDtls, is_dtls


def bound() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.bind(("127.0.0.1", 0))
    return sock


@dataclass
class End:
    """One end with its socket; `close` ends both."""

    sock: socket.socket = field(default_factory=bound)
    ended: asyncio.Queue[DtlsKeys | str] = field(default_factory=asyncio.Queue)

    def __post_init__(self) -> None:
        self.certificate = make_certificate()
        self.fingerprint = f"sha-256 {fingerprint_of(self.certificate)}"

    def begin(self, *, is_client: bool, fingerprint: str, remote: End) -> None:
        terms = DtlsTerms(is_client=is_client, fingerprints=[fingerprint])
        self.dtls = RoomDtls(
            self.certificate,
            terms,
            self.sock,
            remote.sock.getsockname(),
            done=lambda keys, address: self.ended.put_nowait(keys),
            failed=self.ended.put_nowait,
        )
        asyncio.get_running_loop().add_reader(self.sock, self._read)

    def _read(self) -> None:
        data, address = self.sock.recvfrom(2048)
        assert is_dtls(data)
        self.dtls.take(data, address)

    async def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self.sock)
        await self.dtls.close()
        self.sock.close()


@contextlib.asynccontextmanager
async def two_ends(client_expects: str | None = None) -> AsyncIterator[tuple[End, End]]:
    client, server = End(), End()
    server.begin(is_client=False, fingerprint=client.fingerprint, remote=client)
    client.begin(is_client=True, fingerprint=client_expects or server.fingerprint, remote=server)
    yield client, server
    await client.close()
    await server.close()


async def test_both_ends_get_the_same_keys_crosswise() -> None:
    """What one sends with, the other opens with."""
    async with two_ends() as (client, server):
        here = await asyncio.wait_for(client.ended.get(), 60)
        there = await asyncio.wait_for(server.ended.get(), 60)
        assert isinstance(here, DtlsKeys) and isinstance(there, DtlsKeys)
        assert (here.send, here.receive) == (there.receive, there.send)
        assert here.send != here.receive


@pytest.mark.parametrize(
    "wrong", ["sha-256 " + ":".join(["00"] * 32), "sha-1 " + "00:" * 19 + "00"]
)
async def test_another_certificate_than_signalled_gives_no_keys(wrong: str) -> None:
    """Somebody in between: the end that notices has none (RFC 5763 clause 5)."""
    async with two_ends(client_expects=wrong) as (client, _server):
        assert await asyncio.wait_for(client.ended.get(), 60) == "dtls_failed"
