"""The BFCP shell: one UDP and one TCP port for the floors of every SIP room.

Which room a message belongs to is told by the conference id that its SDP was given; it must come
from that room's address. Who presents is decided at the roof (`content.*` of `messages.py`).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog

from .capability import AgreedFloor, LocalFloor
from .errors import RemoteSipError
from .guard import Guard
from .messages import Body, ContentDecide, ContentOffer, ContentReleased, ContentRequested
from .sip.bfcp import BfcpMessage, BfcpStream, ErrorCode, parse_bfcp
from .sip.floor import FloorEvent, FloorServer, error_to
from .transports.udp import plain_host

USER_ID = 1
CONNECTIONS = 2000
FREE_PORT_TRIES = 20  # where any port will do
Send = Callable[[bytes], None]
_log = structlog.get_logger("sip_gateway.floors")


@dataclass(slots=True)
class _Floor:
    """The floor of one call. `send` goes to where the room last spoke from."""

    leg_id: str
    conference_id: str  # of the consultation
    server: FloorServer
    hosts: frozenset[str]
    send: Send | None = None


class Floors:
    def __init__(
        self,
        host: str,
        port: int | None,
        guard: Guard,
        announce: Callable[[Body], None],
    ) -> None:
        self._host, self._wanted_port = host, port
        self._guard, self._announce = guard, announce
        self.port: int | None = None
        self._floors: dict[int, _Floor] = {}
        self._by_leg: dict[str, int] = {}
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None
        self._connections: set[asyncio.Transport] = set()
        self._alarm: asyncio.TimerHandle | None = None

    # --- life -----------------------------------------------------------------------------------

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        if self._wanted_port is None:
            return
        loop = asyncio.get_running_loop()
        for tries_left in reversed(range(1 if self._wanted_port else FREE_PORT_TRIES)):
            self._udp, _ = await loop.create_datagram_endpoint(
                lambda: _Datagrams(self), local_addr=(self._host, self._wanted_port)
            )
            self.port = int(self._udp.get_extra_info("sockname")[1])
            try:
                self._tcp = await loop.create_server(lambda: _Stream(self), self._host, self.port)
                return
            except OSError:  # a port that is free for UDP may be taken for TCP
                self._udp.close()
                if not tries_left:
                    raise

    async def stop(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        if self._udp is not None:
            self._udp.close()
        if self._tcp is not None:
            self._tcp.close()
        for transport in list(self._connections):
            transport.abort()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    # --- calls ----------------------------------------------------------------------------------

    def local(self) -> LocalFloor | None:
        """Fresh ids for a call's description; None where BFCP is switched off."""
        if self.port is None:
            return None
        return LocalFloor(self.port, secrets.randbelow(2**31 - 1) + 1, USER_ID)

    def agreed(
        self, leg_id: str, conference_id: str, room_host: str, floor: AgreedFloor | None
    ) -> None:
        """An offer was answered: the floor of this leg is now this one, or there is none."""
        known = self._by_leg.get(leg_id)
        if floor is not None and known == floor.conference_id:
            return
        self.close(leg_id)
        if floor is None:
            return
        server = FloorServer(floor.conference_id, floor.user_id, is_reliable=floor.is_reliable)
        hosts = frozenset({floor.remote_host, room_host})
        entry = _Floor(leg_id, conference_id, server, hosts)
        if not floor.is_reliable:
            entry.send = self._towards(floor.remote_host, floor.remote_port)
        self._floors[floor.conference_id] = entry
        self._by_leg[leg_id] = floor.conference_id

    def close(self, leg_id: str) -> None:
        """The call is over; the roof knows by that who does not present any more."""
        self._floors.pop(self._by_leg.pop(leg_id, 0), None)

    def asking(self) -> list[str]:
        """Legs whose rooms hold the token or wait for it."""
        return [one.leg_id for one in self._floors.values() if one.server.is_asking]

    # --- the roof -------------------------------------------------------------------------------

    def _of(self, leg_id: str) -> _Floor | None:
        return self._floors.get(self._by_leg.get(leg_id, 0))

    def decide(self, request: ContentDecide) -> None:
        floor = self._of(request.leg_id)
        if floor is not None:
            place = request.queue_place
            floor.server.decide(granted=request.granted, queue_place=place, now=self._now())
            if request.holder and not request.granted:
                floor.server.show_holder(request.holder, self._now())
            self._pump(floor)

    def revoke(self, leg_id: str) -> None:
        floor = self._of(leg_id)
        if floor is not None:
            floor.server.revoke(self._now())
            self._pump(floor)

    def offer(self, request: ContentOffer) -> None:
        floor = self._of(request.leg_id)
        if floor is not None:
            floor.server.show_holder(request.holder or "?" if request.on else "", self._now())
            self._pump(floor)

    # --- the network ----------------------------------------------------------------------------

    def _towards(self, host: str, port: int) -> Send:
        def send(data: bytes) -> None:
            if self._udp is not None and not self._udp.is_closing():
                self._udp.sendto(data, (host, port))

        return send

    def datagram(self, data: bytes, host: str, port: int) -> None:
        self._receive(data, host, self._towards(host, port), is_stream=False)

    def _receive(self, data: bytes, host: str, send: Send, *, is_stream: bool) -> None:
        if not self._guard.admits(host, self._now()):
            return
        try:
            message = parse_bfcp(data)
            self._take(message, host, send, is_stream=is_stream)
        except RemoteSipError as error:
            _log.info("bfcp_malformed", host=host, code=error.code)

    def _take(self, message: BfcpMessage, host: str, send: Send, *, is_stream: bool) -> None:
        floor = self._floors.get(message.conference_id)
        if floor is None or host not in floor.hosts or floor.server.is_reliable is not is_stream:
            if not message.is_response:
                send(error_to(message, ErrorCode.CONFERENCE_UNKNOWN))
            return
        floor.send = send
        floor.server.receive(message, self._now())
        self._pump(floor)

    def _pump(self, floor: _Floor) -> None:
        for data in floor.server.take_outgoing():
            if floor.send is not None:
                floor.send(data)
        for event in floor.server.take_events():
            leg_id, conference_id = floor.leg_id, floor.conference_id
            told: Body = ContentReleased(leg_id=leg_id, conference_id=conference_id)
            if event is FloorEvent.REQUESTED:
                told = ContentRequested(leg_id=leg_id, conference_id=conference_id, can_wait=True)
            self._announce(told)
        self._set_alarm()

    def _set_alarm(self) -> None:
        dues = [due for one in self._floors.values() if (due := one.server.next_due()) is not None]
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if dues:
            self._alarm = asyncio.get_running_loop().call_at(min(dues), self._ring)

    def _ring(self) -> None:
        self._alarm = None
        for floor in list(self._floors.values()):
            floor.server.advance(self._now())
            self._pump(floor)
        self._set_alarm()

    def connected(self, transport: asyncio.Transport) -> bool:
        """Whether there is room for one more connection."""
        if len(self._connections) >= CONNECTIONS:
            return False
        self._connections.add(transport)
        return True

    def disconnected(self, transport: asyncio.Transport) -> None:
        self._connections.discard(transport)

    def stream(self, data: bytes, host: str, transport: asyncio.Transport) -> None:
        def send(answer: bytes) -> None:
            if not transport.is_closing():
                transport.write(answer)

        self._receive(data, host, send, is_stream=True)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, floors: Floors) -> None:
        self._floors = floors

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self._floors.datagram(data, plain_host(str(addr[0])), int(addr[1]))


class _Stream(asyncio.Protocol):
    def __init__(self, floors: Floors) -> None:
        self._floors, self._cutter = floors, BfcpStream()
        self._transport: asyncio.Transport | None = None
        self._host = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError(transport)
        self._host = plain_host((transport.get_extra_info("peername") or ("",))[0])
        if self._floors.connected(transport):
            self._transport = transport
        else:
            transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._transport is None:
            return
        try:
            for message in self._cutter.feed(data):
                self._floors.stream(message, self._host, self._transport)
        except RemoteSipError:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None:
            self._floors.disconnected(self._transport)
