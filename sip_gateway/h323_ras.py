"""RAS on the network: our gatekeeper for rooms, and our own registration with an outside one."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from .errors import SignallingError
from .guard import Guard, Offence
from .h323.gatekeeper import (
    Endpoint,
    Gatekeeper,
    GatekeeperEvent,
    Gone,
    NotFetched,
    Registered,
    RegistrationAsked,
)
from .h323.h225 import Address, Identity
from .h323.h460 import Role
from .h323.h2351 import Signer, key_of
from .h323.ras_client import (
    CallAdmitted,
    CallRefused,
    CallToFetch,
    ClientEvent,
    RasClient,
    RegistrationMoved,
)
from .h323_passwords import Doorkeeper
from .h323_traversal import CallsToFetch
from .messages import Body, RegistrationChanged
from .ports import Directory
from .settings import GatewaySettings
from .sip.transaction import Flow
from .transports.tpkt import TpktConnection
from .transports.udp import UdpTransport, route_source

RAS_PORT = 1719
ADMISSION_S = 5.0  # H.225.0 table 20
_log = structlog.get_logger("sip_gateway.h323_ras")


@dataclass(slots=True)
class Leave:
    """What an outside gatekeeper knows a call by, and whether it gave leave for it."""

    call_id: bytes
    reference: int
    answered: bool
    is_given: bool = False


class RasEdge:
    """One UDP port for both. `spawn` runs a task that the owner keeps."""

    def __init__(
        self,
        settings: GatewaySettings,
        directory: Directory,
        guard: Guard,
        announce: Callable[[Body], None],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._settings, self._guard = settings, guard
        self._doorkeeper = Doorkeeper(directory, is_open=settings.h323_open_registration)
        self._announce, self._spawn = announce, spawn
        self._udp = UdpTransport(self._on_datagram, self._flush)
        self._signalling_port = 0
        self.gatekeeper: Gatekeeper | None = None
        self.client: RasClient | None = None
        self.to_fetch = CallsToFetch()
        self.fetch: Callable[[Address, bytes], None] = lambda _signalling, _call_id: None
        self._admissions: dict[int, asyncio.Future[CallAdmitted | CallRefused]] = {}
        self.port: int | None = None

    # --- life -------------------------------------------------------------------------------

    async def start(self, signalling_port: int) -> None:
        """Raises OSError when the port is taken."""
        if self._settings.h323_ras_port is None:
            return
        self._signalling_port = signalling_port
        self.port = await self._udp.start(self._settings.listen_host, self._settings.h323_ras_port)
        self.gatekeeper = Gatekeeper(
            self._settings.user_agent, ras_port=self.port, signalling_port=signalling_port,
            own_host=self._own_host,
            alternates=tuple([await _address(one) for one in self._settings.h323_alternates]),
        )  # fmt: skip
        if self._settings.h323_gatekeeper is not None:
            await self._join(self._settings.h323_gatekeeper)

    async def _join(self, gatekeeper: str) -> None:
        outside = await _address(gatekeeper)
        own = self._own_host(outside[0])
        self.client = RasClient(
            Identity(self._settings.user_agent, self._settings.h323_number),
            signalling=(own, self._signalling_port),
            own_ras=(own, self.port or 0),
            gatekeeper=outside,
            traverses=self._settings.h323_traversal,
            signer=_signer(self._settings.h323_password_file),
        )
        self.client.start(self._now())
        self._flush()

    def stop(self) -> None:
        if self.client is not None:
            self.client.stop()
            self._flush()
        self._udp.stop()

    def poll(self) -> None:
        """About every second."""
        now = self._now()
        if self.gatekeeper is not None:
            self._take(self.gatekeeper.expire(now))
        if self.client is not None:
            self._take_client(self.client.poll(now))
        self._flush()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _own_host(self, peer: str) -> str:
        return self._settings.advertised_address or route_source(peer) or "127.0.0.1"

    # --- rooms ------------------------------------------------------------------------------

    def room(self, account: str) -> Endpoint | None:
        """Where a registered room takes calls."""
        return self.gatekeeper.by_account(account) if self.gatekeeper is not None else None

    def account_of(self, call_id: bytes, host: str) -> str | None:
        """Whose room got leave for this call, or alone registered from this address."""
        keeper = self.gatekeeper
        endpoint = (keeper.by_call(call_id) or keeper.by_host(host)) if keeper is not None else None
        return endpoint.account if endpoint is not None else None

    async def fetched(self, endpoint: Endpoint, call_id: bytes) -> TpktConnection:
        """The connection that a room behind a NAT opens for a call. Raises OSError."""
        gatekeeper = self.gatekeeper
        if gatekeeper is None:
            raise OSError("h323_gatekeeper_off")

        def tell() -> None:
            gatekeeper.fetch(endpoint, call_id, self._now())
            self._flush()

        return await self.to_fetch.fetched(call_id, tell)

    def registrations(self) -> list[RegistrationChanged]:
        known = self.gatekeeper.endpoints() if self.gatekeeper is not None else []
        return [_changed(endpoint, is_registered=True) for endpoint in known]

    # --- leave of an outside gatekeeper -----------------------------------------------------

    async def admitted(self, number: str, leave: Leave) -> Address | None:
        """Where to call; None without a gatekeeper, or one that does not answer.

        Raises PermissionError when it refuses.
        """
        if self.client is None:
            return None
        sequence = self.client.ask_admission(
            number, leave.call_id, leave.reference, answering=leave.answered
        )
        if sequence is None:
            return None
        waiting = self._admissions[sequence] = asyncio.get_running_loop().create_future()
        self._flush()
        try:
            async with asyncio.timeout(ADMISSION_S):
                answer: CallAdmitted | CallRefused = await waiting
        except TimeoutError:
            return None
        finally:
            self._admissions.pop(sequence, None)
        if isinstance(answer, CallRefused):
            raise PermissionError(answer.reason)
        leave.is_given = True
        return answer.address

    async def locate(self, number: str, leave: Leave) -> Address:
        """The outside gatekeeper's address for a number. Raises OSError when it knows none."""
        address = await self.admitted(number, leave)
        if address is None:
            raise OSError("h323_gatekeeper_unknown_number")
        return address

    @property
    def role(self) -> Role | None:
        """Our part in calls by the outside gatekeeper, where a NAT is between."""
        return Role.CLIENT if self.client is not None and self.client.is_traversed else None

    def call_ended(self, leave: Leave) -> None:
        if self.client is not None and leave.is_given:
            self.client.call_ended(leave.call_id, leave.reference, answered=leave.answered)
            self._flush()

    # --- datagrams --------------------------------------------------------------------------

    def _on_datagram(self, data: bytes, flow: Flow) -> None:
        source, now = (flow.host, flow.port), self._now()
        if not self._guard.admits(flow.host, now):
            return
        try:
            if self.client is not None and source == self.client.gatekeeper:
                self._take_client(self.client.receive(data, now))
            elif self.gatekeeper is not None:
                self._take(self.gatekeeper.receive(data, source, now))
        except SignallingError as error:
            _log.info("ras_refused", host=flow.host, code=error.code)
            self._guard.blame(flow.host, Offence.MALFORMED, now)

    def _flush(self) -> None:
        if self.gatekeeper is not None:
            for pdu, (host, port) in self.gatekeeper.outgoing():
                self._udp.send(pdu, Flow("udp", host, port))
        if self.client is not None:
            for pdu in self.client.outgoing():
                self._udp.send(pdu, Flow("udp", *self.client.gatekeeper))

    # --- events -----------------------------------------------------------------------------

    def _take(self, events: list[GatekeeperEvent]) -> None:
        for event in events:
            match event:
                case RegistrationAsked():
                    self._spawn(self._decide(event))
                case Registered(endpoint=endpoint):
                    self._announce(_changed(endpoint, is_registered=True))
                case Gone(endpoint=endpoint):
                    self._announce(_changed(endpoint, is_registered=False))
                case NotFetched(call_id=call_id):
                    self.to_fetch.refused(call_id)

    async def _decide(self, asked: RegistrationAsked) -> None:
        found = await self._doorkeeper.judge(asked)
        if found.account is None:
            _log.info("h323_room_refused", host=asked.source[0], reason=found.refusal)
            self._guard.blame(asked.source[0], Offence.CHALLENGED, self._now())
        if self.gatekeeper is not None:
            events = self.gatekeeper.answer_registration(
                asked, found.account, self._now(), signer=found.signer, refusal=found.refusal
            )
            self._take(events)
            self._flush()

    def _take_client(self, events: list[ClientEvent]) -> None:
        for event in events:
            match event:
                case RegistrationMoved(is_registered=is_registered, reason=reason):
                    _log.info("h323_gatekeeper", registered=is_registered, reason=reason)
                case CallToFetch(signalling=signalling, call_id=call_id):
                    self.fetch(signalling, call_id)
                case CallAdmitted(sequence=sequence) | CallRefused(sequence=sequence):
                    waiting = self._admissions.get(sequence)
                    if waiting is not None and not waiting.done():
                        waiting.set_result(event)


async def _address(gatekeeper: str) -> Address:
    """Of HOST[:PORT]. Raises OSError for a name that nobody knows."""
    host, _, port = gatekeeper.partition(":")
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, int(port or RAS_PORT), family=socket.AF_INET)
    return str(found[0][4][0]), int(port or RAS_PORT)


def _signer(password_file: Path | None) -> Signer | None:
    if password_file is None:
        return None
    return Signer(key_of(password_file.read_text("utf-8").strip()), time.time)


def _changed(endpoint: Endpoint, *, is_registered: bool) -> RegistrationChanged:
    host, port = endpoint.signalling
    return RegistrationChanged(
        account=endpoint.account,
        is_registered=is_registered,
        contact=f"h323:{host}:{port}",
        user_agent=endpoint.product or None,
    )
