"""The gateway process: SIP on one side, media node and control wire on the others."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from pathlib import Path
from typing import Any

import structlog
from pydantic import ValidationError

from video_bridge import NodeClient, VideoBridgeError, WireServer
from video_bridge import messages as node_words

from .admission import Admission
from .calls import Calls
from .dialling import Dialling
from .errors import LocalSipError
from .floors import Floors
from .guard import Offence
from .h323_edge import H323Edge
from .legs import Legs
from .lobby import Lobbies
from .messages import (
    Body,
    CallResult,
    ConferenceDecide,
    ConferenceTell,
    ContentDecide,
    ContentOffer,
    ContentRevoke,
    Dial,
    GatewaySnapshot,
    HangUp,
    SourceBanned,
    SourcePardon,
)
from .ports import Directory, RegistrationStore
from .registrations import Registrations
from .self_test import SelfTests
from .settings import GatewaySettings
from .sip.events import Event, IncomingCall, ReferReceived, RequestReceived
from .sip.registrar import RegistrarLimits
from .sip.transaction import Flow
from .sip_edge import SipEdge
from .transfers import Transfers

_log = structlog.get_logger("sip_gateway")
RESTORE_S = 10.0  # how long a leg is tried again after a node came back
RETRY = (("Retry-After", "10"),)
GOODBYE_S = 2.0  # how long a stopping gateway waits for its farewells


class Gateway:
    """Build it, `start()`, and `stop()`; or let `run()` do both.

    `directory` says who may call; `node_socket` is the media node's control wire, and
    `control_socket` the one served here (`messages.py`).
    """

    def __init__(
        self,
        settings: GatewaySettings,
        directory: Directory,
        node_socket: Path,
        control_socket: Path,
        *,
        store: RegistrationStore | None = None,
    ) -> None:
        self._settings = settings
        self.edge = SipEdge(
            settings,
            on_event=self._on_event,
            on_closed=self._on_connection_closed,
            on_banned=self._on_banned,
        )
        self._node = NodeClient(node_socket, self._on_node_event, self._on_node_link)
        self._wire = WireServer(control_socket, self._answer, self._hello)
        admission = Admission(
            directory,
            realm=settings.realm,
            nonce_life_s=settings.nonce_life_s,
            md5_only_agents=settings.md5_only_agents,
            now=self.edge.now,
        )
        self.floors = Floors(
            settings.listen_host, settings.bfcp_port, self.edge.guard, self._announce
        )
        self.calls = Calls(
            self.edge,
            Legs(self._node),
            self._announce,
            restore_s=RESTORE_S,
            floors=self.floors,
        )
        self.registrations = Registrations(
            self.edge,
            admission,
            RegistrarLimits(
                default_expires_s=settings.maximum_expires_s,
                minimum_expires_s=settings.minimum_expires_s,
                maximum_expires_s=settings.maximum_expires_s,
            ),
            self._announce,
            store,
        )
        self._transfers = Transfers(self.calls, directory)
        self_tests = SelfTests(self._node, self.calls)
        lobbies = Lobbies(self._node, self.calls, directory, self._transfers.move)
        self.calls.on_key = lobbies.on_key
        self._dialling = Dialling(
            settings,
            self.calls,
            self.registrations,
            directory,
            admission,
            self_tests=self_tests,
            lobbies=lobbies,
        )
        self.h323 = H323Edge(settings, Legs(self._node), directory, self.edge.guard, self._announce)
        self.h323.self_tests = SelfTests(self._node, self.h323)
        self.h323.lobbies = Lobbies(self._node, self.h323, directory, self.h323.move)
        self._ticker: asyncio.Task[None] | None = None
        self._node_lost: asyncio.TimerHandle | None = None

    # --- life -----------------------------------------------------------------------------------

    @property
    def ports(self) -> dict[str, int]:
        """Ports that are listened on, by transport."""
        return dict(self.edge.ports)

    async def start(self) -> None:
        """Listen and serve. Raises OSError when a port is taken."""
        await self.edge.start()
        await self.floors.start()
        await self.h323.start()
        await self.registrations.restore()
        await self._wire.start()
        await self._node.start()
        self._ticker = asyncio.create_task(self._tick())
        _log.info("gateway_listening", ports=self.edge.ports)

    async def stop(self) -> None:
        """Say goodbye to every call, then close everything."""
        for call in self.calls.live():
            self.calls.finish(call, CallResult.REMOVED)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                await self.calls.settle()
                while self.edge.agent.session_count:  # noqa: ASYNC110 - farewells, once
                    await asyncio.sleep(0.02)
        if self._ticker is not None:
            self._ticker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._ticker
        if self._node_lost is not None:
            self._node_lost.cancel()
        await self.floors.stop()
        await self.h323.stop()
        await self._node.stop()
        await self._wire.stop()
        await self.edge.stop()

    async def run(self, stopping: asyncio.Event) -> None:
        """Serve until `stopping` is set."""
        await self.start()
        try:
            await stopping.wait()
        finally:
            await self.stop()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            try:
                await self.registrations.expire()
            except Exception:  # noqa: BLE001 - outermost loop of the task
                _log.exception("registrations_not_expired")

    # --- SIP ------------------------------------------------------------------------------------

    def _on_event(self, event: Event) -> None:
        match event:
            case IncomingCall():
                self._dialling.incoming(event)
            case ReferReceived():
                self._transfers.refer(event)
            case RequestReceived():
                self.calls.spawn(self._register(event))
            case _:
                self.calls.on_event(event)

    async def _register(self, event: RequestReceived) -> None:
        """A directory that fails (its database is away) answers 503, and the room tries again."""
        try:
            await self.registrations.register(event)
        except Exception:
            self.edge.agent.respond(event.key, event.request, 503, self.edge.now(), RETRY)
            self.edge.pump()
            raise

    def _on_connection_closed(self, flow: Flow) -> None:
        self.calls.spawn(self.registrations.connection_closed(flow))

    def _on_banned(self, host: str, offence: Offence) -> None:
        _log.warning("source_banned", host=host, offence=offence)
        self._announce(SourceBanned(host=host, offence=offence, ban_s=self._settings.guard.ban_s))

    # --- media node -----------------------------------------------------------------------------

    def _on_node_event(self, event: node_words.Event) -> None:
        self.calls.on_node_event(event)
        self.h323.on_node_event(event)

    def _on_node_link(self, is_up: bool) -> None:
        if is_up:
            if self._node_lost is not None:
                self._node_lost.cancel()
                self._node_lost = None
            self.calls.spawn(self._reconcile())
        elif self._node_lost is None:
            loop = asyncio.get_running_loop()
            self._node_lost = loop.call_later(self._settings.node_grace_s, self._give_up_node)

    async def _reconcile(self) -> None:
        try:
            snapshot = await self._node.snapshot()
        except VideoBridgeError as error:
            _log.warning("node_snapshot_failed", code=error.code)
            return
        self.calls.reconcile(snapshot, {call.leg_id for call in self.h323.live()})
        self.h323.reconcile(snapshot)

    def _give_up_node(self) -> None:
        self._node_lost = None
        for call in self.calls.live():
            call.has_leg = False
            self.calls.finish(call, CallResult.MEDIA_FAILED)
        self.h323.reconcile(None)

    # --- control wire ---------------------------------------------------------------------------

    def _announce(self, body: Body) -> None:
        words = body.model_dump(mode="json")
        self._wire.broadcast(str(words.pop("type")), words)

    def _hello(self) -> dict[str, Any]:
        return {"ports": self.edge.ports, "realm": self._settings.realm}

    def snapshot(self) -> GatewaySnapshot:
        return GatewaySnapshot(
            calls=[call.changed() for call in [*self.calls.live(), *self.h323.live()]],
            registrations=[*self.registrations.snapshot(), *self.h323.ras.registrations()],
            contents=[*self.floors.asking(), *self.h323.asking()],
            banned=self.edge.guard.banned(self.edge.now()),
            counters=dict(self.edge.counters),
        )

    async def _answer(self, type_: str, body: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._obey(type_, body)
        except ValidationError as error:
            fields = [".".join(map(str, item["loc"])) for item in error.errors(include_input=False)]
            raise LocalSipError("request_malformed", fields=fields) from error

    def _obey(self, type_: str, body: dict[str, Any]) -> dict[str, Any]:
        match type_:
            case "call.dial":
                request = Dial.model_validate(body)
                (self.h323 if self._is_h323(request) else self._dialling).dial(request)
            case "call.hangup":
                leg_id = HangUp.model_validate(body).leg_id
                _ended = self.calls.hang_up(leg_id) or self.h323.hang_up(leg_id)
            case "content.decide" | "content.revoke" | "content.offer":
                self._obey_content(type_, body)
            case "conference.tell":
                self.h323.tell(ConferenceTell.model_validate(body))
            case "conference.decide":
                self.h323.decide(ConferenceDecide.model_validate(body))
            case "source.pardon":
                self.edge.guard.pardon(SourcePardon.model_validate(body).host)
            case "snapshot":
                return self.snapshot().model_dump(mode="json")
            case _:
                raise LocalSipError("request_unknown", type=type_)
        return {}

    def _is_h323(self, request: Dial) -> bool:
        """By its address, or because the account's room is registered by RAS and not by SIP."""
        if request.uri or not request.account:
            return (request.uri or "").startswith("h323:")
        by_sip = self.registrations.contact(request.account) is not None
        return not by_sip and self.h323.ras.room(request.account) is not None

    def _obey_content(self, type_: str, body: dict[str, Any]) -> None:
        """What the roof decided about content. A room without a floor has nothing to be told."""
        known = [*self.calls.live(), *self.h323.live()]
        if type_ == "content.decide":
            decision = ContentDecide.model_validate(body)
            if all(call.leg_id != decision.leg_id for call in known):
                raise LocalSipError("call_unknown", leg_id=decision.leg_id)
            if not self.h323.content(decision):
                self.floors.decide(decision)
        elif type_ == "content.revoke":
            revocation = ContentRevoke.model_validate(body)
            if not self.h323.content(revocation):
                self.floors.revoke(revocation.leg_id)
        else:
            offer = ContentOffer.model_validate(body)
            if not self.h323.content(offer):
                self.floors.offer(offer)


def settle_memory() -> None:
    """For a process that is the gateway and nothing else, once its modules are loaded.

    Thousands of transactions live for half a minute each and die without cycles; looking through
    them at the interpreter's usual pace costs a seventh of all work.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


async def run(
    settings: GatewaySettings,
    directory: Directory,
    *,
    node_socket: Path,
    control_socket: Path,
    stopping: asyncio.Event,
    store: RegistrationStore | None = None,
) -> None:
    """The gateway process's life: serve until `stopping` is set, then say goodbye."""
    gateway = Gateway(settings, directory, node_socket, control_socket, store=store)
    settle_memory()
    await gateway.run(stopping)


__all__ = ["Gateway", "run", "settle_memory"]
