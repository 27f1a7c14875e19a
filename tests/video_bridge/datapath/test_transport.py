"""The batched transport stands in for asyncio's own."""

from __future__ import annotations

import asyncio
import os
import socket

from aioice import Connection

from tests.harness.processes import PATIENCE_S
from video_bridge.datapath import SrtpKeys, SrtpProfile, SrtpSender
from video_bridge.datapath.reception import reception
from video_bridge.datapath.transport import BatchedDatagrams, open_datagrams
from video_bridge.rtp.packet import RtpPacket


class _Protocol(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.events: list[object] = []
        self.closed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.events.append("made")

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.events.append((data, addr))

    def error_received(self, exc: Exception) -> None:
        self.events.append(type(exc))

    def connection_lost(self, exc: Exception | None) -> None:
        self.events.append("lost")
        self.closed.set()


def _bound() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    return sock


async def _until(protocol: _Protocol, count: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while len(protocol.events) < count:
            await asyncio.sleep(0.005)


async def test_a_protocol_sees_the_same_calls_as_from_asyncio() -> None:
    """Made, datagrams both ways, an error, lost; the socket is closed at the end."""
    loop, protocol, peer = asyncio.get_running_loop(), _Protocol(), _bound()
    sock = _bound()
    address = sock.getsockname()
    transport = BatchedDatagrams(loop, sock, protocol)
    assert transport.get_extra_info("sockname") == address
    for number in range(200):
        peer.sendto(b"%d" % number, address)
    await _until(protocol, 201)
    assert protocol.events[0] == "made"
    assert protocol.events[1:] == [(b"%d" % n, peer.getsockname()) for n in range(200)]
    transport.sendto(b"back", peer.getsockname())
    assert peer.recv(10) == b"back"
    transport.sendto(b"nowhere", ("127.0.0.1", 0))
    assert protocol.events[-1] is OSError
    transport.close()
    transport.close()
    transport.sendto(b"too late", peer.getsockname())
    await asyncio.wait_for(protocol.closed.wait(), PATIENCE_S)
    assert protocol.events[-1] == "lost"
    assert transport.is_closing()
    assert sock.fileno() == -1
    peer.close()


async def test_a_protocol_may_close_it_while_datagrams_wait() -> None:
    """Nothing more is delivered after close: the leg is gone."""
    loop, peer = asyncio.get_running_loop(), _bound()

    class Closing(_Protocol):
        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            super().datagram_received(data, addr)
            transport.close()

    protocol = Closing()
    sock = _bound()
    for _ in range(5):
        peer.sendto(b"x", sock.getsockname())
    transport = BatchedDatagrams(loop, sock, protocol)
    await asyncio.wait_for(protocol.closed.wait(), PATIENCE_S)
    assert protocol.events == ["made", (b"x", peer.getsockname()), "lost"]
    peer.close()


async def test_with_keys_rtp_arrives_opened_and_forgeries_do_not() -> None:
    """The handshake sets the keys; packets before and beside it are left as they are."""
    profile = SrtpProfile.AEAD_AES_128_GCM
    keys = SrtpKeys(profile, os.urandom(16), os.urandom(12))
    protocol, peer, sock = _Protocol(), _bound(), _bound()
    transport = BatchedDatagrams(asyncio.get_running_loop(), sock, protocol)
    transport.peer.set_keys(keys)
    packet = bytes(RtpPacket(96, 1, 2, 3, b"payload"))
    protected = SrtpSender(keys).protect(packet)
    for data in (b"\x16dtls", protected[:-1] + b"?", protected):
        peer.sendto(data, sock.getsockname())
    await _until(protocol, 3)
    assert [event[0] for event in protocol.events[1:]] == [b"\x16dtls", packet]  # type: ignore[index]
    assert reception().hub.packets_refused == 1
    transport.close()
    await protocol.closed.wait()
    peer.close()


async def test_aioice_runs_on_it_unchanged() -> None:
    """A whole connectivity check between two connections, one of them on this transport."""
    loop = asyncio.get_running_loop()
    left, right = Connection(ice_controlling=True), Connection(ice_controlling=False)
    await left.gather_candidates()
    await right.gather_candidates()
    if not left.local_candidates or not right.local_candidates:
        return  # a machine with loopback only: aioice gathers nothing there
    for protocol in right._protocols:
        old = protocol.transport
        sock = old.get_extra_info("socket").dup()
        old.close()
        await protocol._StunProtocol__closed  # type: ignore[attr-defined]
        protocol._StunProtocol__closed = loop.create_future()  # type: ignore[attr-defined]
        await open_datagrams(protocol, sock)
    for one, other in ((left, right), (right, left)):
        one.remote_username, one.remote_password = other.local_username, other.local_password
        for candidate in other.local_candidates:
            await one.add_remote_candidate(candidate)
        await one.add_remote_candidate(None)
    await asyncio.wait_for(asyncio.gather(left.connect(), right.connect()), PATIENCE_S)
    await left.send(b"hello")
    assert await asyncio.wait_for(right.recv(), PATIENCE_S) == b"hello"
    await right.send(b"and back")
    assert await asyncio.wait_for(left.recv(), PATIENCE_S) == b"and back"
    await left.close()
    await right.close()
