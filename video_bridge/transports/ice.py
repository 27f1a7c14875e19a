"""ICE on sockets of the node's own range, with the media packets taken out before aioice's queue.

aioice binds port 0, skips 127.0.0.1 and puts every datagram into an asyncio queue. Here the
sockets come from `RtpPorts`, loopback is gathered (browsers on this machine, tests in namespaces),
RTP and RTCP go straight to `on_packet`, and a quiet peer is asked for consent twice a second, so
that a watching phone that vanished is noticed within three.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import random
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ifaddr
from aioice import stun
from aioice.candidate import Candidate, candidate_foundation, candidate_priority
from aioice.ice import CandidatePair, Connection, StunProtocol

from ..datapath import Arrival, SrtpKeys
from ..datapath.reception import reception
from ..datapath.transport import BatchedDatagrams, open_datagrams
from .rtp_ports import RtpPorts

CONSENT_INTERVAL_S = 4.0
CONSENT_LOOK_S = 0.4
QUIET_S = 0.8
MAX_LOCAL_ADDRESSES = 12


@dataclass(frozen=True, slots=True)
class IceEvents:
    """What a connection tells its leg, on the event loop."""

    on_packet: Callable[[Arrival], None]  # RTP and RTCP, opened by `IceConnection.peer`
    on_heard: Callable[[], None]  # the peer proved that it lives (authenticated STUN)
    on_route: Callable[[socket.socket, tuple[str, int]], None]  # where packets go from now on


class _Datagrams(StunProtocol):
    """One socket of a connection."""

    def __init__(self, connection: IceConnection, sock: socket.socket) -> None:
        super().__init__(connection)
        self.sock = sock
        self._connection = connection

    def datagram_received(self, data: bytes | str, addr: tuple[Any, ...]) -> None:
        if data:
            super().datagram_received(data, addr)


class IceConnection(Connection):
    """The answering side of one bundled transport."""

    def __init__(self, ports: RtpPorts, events: IceEvents) -> None:
        super().__init__(ice_controlling=False)
        self.events = events
        self.peer = reception().hub.peer()
        self._transports: list[BatchedDatagrams] = []
        self._ports = ports
        self._port: int | None = None
        self._loop = asyncio.get_running_loop()
        self._heard_at = self._loop.time()

    async def get_component_candidates(
        self, component: int, addresses: list[str], timeout: int = 5
    ) -> list[Candidate]:
        """Bind one port of the range on every local address. Raises LocalMediaError."""
        del addresses, timeout
        self._port, sockets = self._ports.take_everywhere(local_addresses())
        candidates = []
        for rank, sock in enumerate(sockets):
            protocol = await self._open(sock)
            host, port = sock.getsockname()[:2]
            preference = 65535 - rank if not ipaddress.ip_address(host).is_loopback else 1000
            protocol.local_candidate = Candidate(
                foundation=candidate_foundation("host", "udp", host),
                component=component,
                transport="udp",
                priority=candidate_priority(component, "host", preference),
                host=host,
                port=port,
                type="host",
            )
            self._protocols.append(protocol)
            candidates.append(protocol.local_candidate)
        return candidates

    async def _open(self, sock: socket.socket) -> _Datagrams:
        protocol = _Datagrams(self, sock)
        transport = await open_datagrams(protocol, sock, self.peer, self.events.on_packet)
        self._transports.append(transport)
        return protocol

    def set_keys(self, keys: SrtpKeys, level_id: int) -> None:
        """Open what comes on any of the sockets; its source is proved by the keys."""
        self.peer.set_keys(keys, level_id)
        for transport in self._transports:
            if transport.line is not None:
                transport.line.expect(None, anywhere=True)

    def check_incoming(
        self, message: stun.Message, addr: tuple[str, int], protocol: StunProtocol
    ) -> None:
        """An authenticated check of the peer."""
        self.heard()
        self.events.on_heard()
        super().check_incoming(message, addr, protocol)

    def check_complete(self, pair: CandidatePair) -> None:
        super().check_complete(pair)
        nominated = self._nominated.get(1)
        if nominated is not None and isinstance(nominated.protocol, _Datagrams):
            self.events.on_route(nominated.protocol.sock, nominated.remote_addr)

    def heard(self) -> None:
        """Something of the peer came: no need to ask for a while."""
        self._heard_at = self._loop.time()

    async def query_consent(self) -> None:
        """RFC 7675, oftener when the peer is quiet; its silence is judged by the leg's watch."""
        asked_at = self._loop.time()
        while True:
            await asyncio.sleep(CONSENT_LOOK_S * (0.9 + 0.2 * random.random()))  # noqa: S311
            now = self._loop.time()
            is_quiet = now - self._heard_at >= QUIET_S
            if not is_quiet and now - asked_at < CONSENT_INTERVAL_S:
                continue
            asked_at = now
            for pair in list(self._nominated.values()):
                await self._ask_consent(pair)

    async def _ask_consent(self, pair: CandidatePair) -> None:
        request = self.build_request(pair, nominate=False)
        with contextlib.suppress(stun.TransactionError):
            await pair.protocol.request(
                request,
                pair.remote_addr,
                integrity_key=(self.remote_password or "").encode(),
                retransmissions=0,
            )
            self.heard()
            self.events.on_heard()

    async def close(self) -> None:
        await super().close()
        if self._port is not None:
            self._ports.give_back(self._port)
            self._port = None


def local_addresses() -> list[str]:
    """Addresses of this machine that a peer may reach, loopback last; no link-local ones."""
    found: list[str] = []
    for adapter in ifaddr.get_adapters():
        for entry in adapter.ips:
            text = entry.ip if isinstance(entry.ip, str) else entry.ip[0]
            address = ipaddress.ip_address(text)
            if address.is_link_local or address.is_loopback or str(address) in found:
                continue
            found.append(str(address))
    found.sort(key=lambda text: ":" in text)
    return [*found[: MAX_LOCAL_ADDRESSES - 1], "127.0.0.1"]
