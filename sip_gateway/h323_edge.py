"""All H.323 rooms: listens on the call-signalling port, dials out, admits who may come in."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import secrets
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import urlsplit

import structlog

from video_bridge import CloseReason, VideoBridgeError
from video_bridge import messages as node_words

from .call import RESULT_OF_REASON, Call, result_of_refusal
from .errors import SignallingError
from .guard import Guard, Offence
from .h323.call import CallState as H225State
from .h323.call import H323Call
from .h323.gatekeeper import Endpoint
from .h323.h225 import Address, Identity
from .h323.h245 import ControlSession
from .h323.h460 import Role
from .h323_conference import TERMINAL_TYPES, Conferences
from .h323_media import RECEIVABLE, SENDABLE, SLIDES
from .h323_move import move
from .h323_ras import Leave, RasEdge
from .h323_restore import restore
from .h323_room import Room
from .legs import Legs
from .lobby import Lobbies
from .messages import (
    Body,
    BridgeRole,
    CallResult,
    CallState,
    ConferenceDecide,
    ConferenceTell,
    ContentDecide,
    ContentOffer,
    ContentRevoke,
    Dial,
    SrtpPolicy,
)
from .ports import Admission, Directory, Refusal
from .self_test import SelfTests
from .settings import GatewaySettings
from .transports.tpkt import TpktConnection, connect, listen

_log = structlog.get_logger("sip_gateway.h323")

FIRST_PDU_S = 10.0
HALF_OPEN = 200
_REFUSALS = {
    403: "noPermission",
    404: "unreachableDestination",
    480: "calledPartyNotRegistered",
    486: "inConf",
}


class H323Edge:
    """Rooms by leg. Work that waits runs in tasks owned here."""

    def __init__(
        self,
        settings: GatewaySettings,
        legs: Legs,
        directory: Directory,
        guard: Guard,
        announce: Callable[[Body], None],
    ) -> None:
        self.legs, self.announce = legs, announce
        self._settings, self._directory, self._guard = settings, directory, guard
        self._rooms: set[Room] = set()
        self._silent: dict[Room, None] = {}  # connected, no SETUP yet; the oldest first
        self._conferences = Conferences()
        self._tasks: set[asyncio.Task[None]] = set()
        self._references = itertools.cycle(range(1, 0x8000))
        self._server: asyncio.Server | None = None
        self._ticker: asyncio.Task[None] | None = None
        self.port: int | None = None
        self.self_tests: SelfTests | None = None
        self.lobbies: Lobbies | None = None
        self.ras = RasEdge(settings, directory, guard, announce, self.spawn)
        self.ras.fetch = lambda signalling, call_id: self.spawn(self._fetch(signalling, call_id))

    # --- life -------------------------------------------------------------------------------

    async def start(self) -> None:
        """Raises OSError when the port is taken."""
        if self._settings.h323_port is None:
            return
        host = self._settings.listen_host
        self._server = await listen(host, self._settings.h323_port, self._on_connection)
        self.port = self._server.sockets[0].getsockname()[1]
        await self.ras.start(self.port)
        self._ticker = asyncio.create_task(self._tick())

    async def stop(self) -> None:
        for room in list(self._rooms):
            room.release("destinationRejection", CallResult.REMOVED)
        if self._server is not None:
            self._server.close()
        if self._ticker is not None:
            self._ticker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._ticker
        while self._tasks:
            await asyncio.wait(list(self._tasks))
        self.ras.stop()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            self.ras.poll()
            for room in list(self._rooms):
                with contextlib.suppress(SignallingError):  # released: the others go on
                    room.poll()

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._logged(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _logged(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:  # noqa: BLE001 - outermost loop of the task
            _log.exception("h323_task_failed")

    def gone(self, room: Room) -> None:
        self._rooms.discard(room)
        self._silent.pop(room, None)
        if room.call is not None:
            self._conferences.leave(room.call.conference_id, self._rooms)
        if room.leave is not None:
            self.ras.call_ended(room.leave)

    # --- calls ------------------------------------------------------------------------------

    def live(self) -> list[Call]:
        return [room.call for room in self._rooms if room.call is not None]

    def room_of(self, leg_id: str) -> Room | None:
        for room in self._rooms:
            if room.call is not None and room.call.leg_id == leg_id:
                return room
        return None

    def hang_up(self, leg_id: str) -> bool:
        """False when no H.323 room has this leg."""
        room = self.room_of(leg_id)
        if room is None or room.call is None:
            return False
        connected = room.call.state is CallState.CONNECTED
        result = CallResult.REMOVED if connected else CallResult.CANCELLED
        room.release("destinationRejection", result)
        return True

    def pressed(self, call: Call, digit: str) -> None:
        """A key by H.245 user input: the lobby's while the room waits there, else the desk's."""
        if self.lobbies is None or not self.lobbies.on_key(call.leg_id, digit):
            self.announce(call.pressed(digit))

    async def move(self, call: Call, admitted: Admission) -> bool:
        """Take a room's leg into another conference; False when it is not up any more."""
        room = self.room_of(call.leg_id)
        if room is None or not await move(self, room, admitted):
            return False
        self._conferences.enter(room, admitted.bridge_role)
        self._conferences.leave(call.conference_id, self._rooms)
        return True

    # --- H.243 ------------------------------------------------------------------------------

    def tell(self, told: ConferenceTell) -> None:
        """What rooms are to be told of their conference."""
        self._conferences.tell(told, list(self._rooms))

    def decide(self, decision: ConferenceDecide) -> None:
        self._conferences.decide(decision, self.room_of(decision.leg_id))

    # --- the second stream ------------------------------------------------------------------

    def asking(self) -> list[str]:
        """Legs whose rooms hold the content token or wait for an answer."""
        return [
            room.call.leg_id
            for room in self._rooms
            if room.call is not None and room.second.is_asking
        ]

    def content(self, decision: ContentDecide | ContentRevoke | ContentOffer) -> bool:
        """What the roof decided; False when no H.323 room has this leg."""
        room = self.room_of(decision.leg_id)
        if room is None:
            return False
        match decision:
            case ContentDecide(granted=granted):
                room.second.decide(granted=granted)
            case ContentRevoke():
                room.second.revoke()
            case ContentOffer(on=on):
                if room.shows_content or not on:
                    room.second.offer(on=on)
        room.pump()
        return True

    def on_node_event(self, event: node_words.Event) -> None:
        if not isinstance(event, node_words.LegClosed | node_words.KeyframeWanted):
            return
        room = self.room_of(event.leg_id)
        if room is None or room.call is None:
            return
        if isinstance(event, node_words.LegClosed):
            if event.reason is CloseReason.CONTROL_LOST:
                return
            room.call.has_leg = False
            result = RESULT_OF_REASON.get(event.reason, CallResult.MEDIA_FAILED)
            room.release("destinationRejection", result)
        else:
            room.want_keyframe(event.media)

    def reconcile(self, snapshot: node_words.Snapshot | None) -> None:
        """Calls whose leg went with its node get another; without a node (None) they end."""
        conferences = snapshot.conferences if snapshot is not None else []
        there = {leg.leg_id for conference in conferences for leg in conference.legs}
        for room in list(self._rooms):
            if room.call is None or room.call.local_media is None or room.call.leg_id in there:
                continue
            room.call.has_leg = False
            if snapshot is None:
                room.release("gatewayResources", CallResult.MEDIA_FAILED)
            elif not room.is_restoring:
                room.is_restoring = True
                self.spawn(restore(room, self.legs, self.now))

    def _core(self, role: BridgeRole | None = None) -> H323Call:
        control = ControlSession(
            (*RECEIVABLE, SLIDES),
            content=True,
            terminal_type=TERMINAL_TYPES[None],
            random24=lambda: secrets.randbits(24),
        )
        identity = Identity(self._settings.user_agent, is_mcu=role is not BridgeRole.UPPER)
        return H323Call(identity, control, tunnelling=self._settings.h323_tunnelling)

    # --- out --------------------------------------------------------------------------------

    def dial(self, request: Dial) -> None:
        """Call a registered room, h323:[NUMBER@]HOST[:PORT], or h323:NUMBER of a gatekeeper.

        Its fate is told by events.
        """
        if self.room_of(request.leg_id) is not None:
            return
        endpoint = self.ras.room(request.account) if request.account else None
        if not request.uri and endpoint is not None:
            host, port = endpoint.signalling
            uri = f"h323:{endpoint.number}@{host}:{port}"
            request = request.model_copy(update={"uri": uri})
        call = Call(
            leg_id=request.leg_id,
            conference_id=request.conference_id,
            name=request.name,
            incoming=False,
            session_id=request.leg_id,
            state=CallState.DIALLING,
            account=request.account,
            remote=request.uri or "",
        )
        self.announce(call.changed())
        self.spawn(self._dial(call, request, endpoint))

    async def _dial(self, call: Call, request: Dial, endpoint: Endpoint | None) -> None:
        address = urlsplit(f"//{(request.uri or '').partition(':')[2]}")
        number, host, port = address.username or "", address.hostname or "", address.port or 1720
        leave = Leave(secrets.token_bytes(16), next(self._references), answered=False)
        role = Role.SERVER if endpoint is not None and endpoint.traverses else None
        try:
            if endpoint is not None and role is not None:
                connection = await self.ras.fetched(endpoint, leave.call_id)
            else:
                if host.isdigit():
                    number, (host, port) = host, await self.ras.locate(host, leave)
                    role = self.ras.role
                connection = await connect(host, port)
        except PermissionError:
            self._failed(call, CallResult.DECLINED)
            return
        except (OSError, TimeoutError):
            self._failed(call, CallResult.UNREACHABLE)
            return
        call.remote_host = connection.host
        room = Room(self, self._core(request.bridge_role), connection)
        room.leave = leave
        self._rooms.add(room)
        try:
            await room.bind(call)
            if room.is_over:
                return
            self._conferences.enter(room, request.bridge_role)
            room.security.begin(request.srtp_policy or self._settings.h323_encryption)
            if role is not None:
                room.core.traverse(role)
                await self._offer_control(room)
        except VideoBridgeError as error:
            _log.warning("leg_refused", leg_id=call.leg_id, code=error.code)
            room.release("gatewayResources", result_of_refusal(error.code))
            return
        room.core.dial(
            number=number,
            source=connection.local,
            target=(connection.host, connection.port),
            reference=leave.reference,
            new_id=lambda: leave.call_id,
            now=self.now(),
            proposals=room.proposals(SENDABLE) if self._starts_fast(room) else (),
        )
        room.pump()
        loop = asyncio.get_running_loop()
        loop.call_later(request.ring_timeout_s, self._give_up, room)

    def _starts_fast(self, room: Room) -> bool:
        """Channels of fast start are opened before there are keys, and where the room says."""
        is_plain = room.security.policy is SrtpPolicy.OFF and room.core.traversal is None
        return self._settings.h323_fast_start and is_plain

    def _give_up(self, room: Room) -> None:
        if room.call is not None and room.call.state in (CallState.DIALLING, CallState.RINGING):
            room.release("undefinedReason", CallResult.NO_ANSWER)

    def _failed(self, call: Call, result: CallResult) -> None:
        call.result = result
        call.move(CallState.ENDED)
        self.announce(call.changed())

    # --- in ---------------------------------------------------------------------------------

    def _on_connection(self, connection: TpktConnection) -> None:
        if not self._guard.admits(connection.host, self.now()):
            connection.close()
            return
        if len(self._silent) >= HALF_OPEN:  # a room says SETUP at once: the oldest is none
            next(iter(self._silent)).signalling.close()
        self._enter(connection)

    def _enter(self, connection: TpktConnection) -> Room:
        """A connection on which a SETUP is to come."""
        room = Room(self, self._core(), connection)
        self._rooms.add(room)
        self._silent[room] = None
        loop = asyncio.get_running_loop()
        loop.call_later(FIRST_PDU_S, self._expect_setup, room)
        return room

    def _expect_setup(self, room: Room) -> None:
        if room in self._rooms and room.call is None:
            room.release("undefinedReason", CallResult.PROTOCOL_ERROR)
            room.signalling.close()

    async def _fetch(self, signalling: Address, call_id: bytes) -> None:
        """Client: our gatekeeper has a call for us, whose SETUP comes on a connection of ours."""
        try:
            connection = await connect(*signalling)
        except (OSError, TimeoutError):
            _log.info("h323_call_not_fetched", host=signalling[0])
            return
        room = self._enter(connection)
        room.core.fetch(call_id)
        room.pump()

    def fetched(self, room: Room, call_id: bytes) -> None:
        """Server: a connection for a call that waits."""
        if self.ras.to_fetch.arrived(call_id, room.signalling):
            room.is_over = True  # its connection is that call's now
            self.gone(room)
        else:
            self._guard.blame(room.signalling.host, Offence.MALFORMED, self.now())
            room.signalling.close()

    def invited(self, room: Room, caller_name: str, dialled: str) -> None:
        self._silent.pop(room, None)
        self.spawn(self._admit(room, caller_name, dialled))

    async def _admit(self, room: Room, caller_name: str, dialled: str) -> None:
        """A room is known by its static address alone; strangers all get the same answer."""
        host = room.signalling.host
        ids = room.core.ids
        known = self.ras.account_of(ids.call_id if ids is not None else b"", host)
        account = known or await self._directory.account_at(host)
        if account is None:
            self._guard.blame(host, Offence.CHALLENGED, self.now())
            room.release("noPermission", CallResult.AUTHENTICATION_FAILED)
            return
        if ids is not None:
            room.leave = Leave(ids.call_id, ids.reference, answered=True)
            try:
                await self.ras.admitted(dialled, room.leave)
            except PermissionError:
                room.release("noPermission", CallResult.DECLINED)
                return
        admitted = await self._directory.admit(account, dialled)
        if isinstance(admitted, Refusal):
            _log.info("h323_refused", host=host, code=admitted.code, number=admitted.number)
            is_no_number = admitted.code == "number_malformed"
            reason = _REFUSALS.get(admitted.sip_status, "destinationRejection")
            room.release("badFormatAddress" if is_no_number else reason, CallResult.DECLINED)
            return
        if room.is_over:  # the caller did not wait
            return
        self.hang_up(admitted.leg_id)
        call = Call(
            leg_id=admitted.leg_id,
            conference_id=admitted.conference_id,
            name=admitted.name,
            incoming=True,
            session_id=admitted.leg_id,
            state=CallState.DIALLING,
            account=account,
            remote=f"h323:{host}",
            remote_host=host,
        )
        self.announce(call.changed())
        room.core.proceed(self.now())
        room.pump()
        try:
            if admitted.self_test_contact is not None and self.self_tests is not None:
                await self.self_tests.open(call, admitted.self_test_contact)
            elif admitted.lobby is not None and self.lobbies is not None:
                await self.lobbies.open(call, admitted.lobby, caller_name)
            await room.bind(call)
            if room.is_over:
                return
            self._conferences.enter(room, admitted.bridge_role)
            room.security.begin(admitted.srtp_policy or self._settings.h323_encryption)
            if not room.security.is_possible:
                room.release("securityDenied", CallResult.NOT_ENCRYPTED)
                return
            await self._offer_control(room)
        except VideoBridgeError as error:
            _log.warning("leg_refused", leg_id=call.leg_id, code=error.code)
            room.release("gatewayResources", result_of_refusal(error.code))
            return
        except SignallingError as error:  # a half-key that betrays the secret
            _log.info("h323_refused", host=host, code=error.code)
            room.release("securityDenied", CallResult.PROTOCOL_ERROR)
            return
        with contextlib.suppress(SignallingError):  # released meanwhile
            room.answer()

    async def _offer_control(self, room: Room) -> None:
        """A port for a separate H.245 connection, should the room not tunnel."""
        traversal, is_called = room.core.traversal, room.core.state is not H225State.NULL
        if (is_called and room.core.tunnels) or traversal is Role.CLIENT:
            return  # behind a NAT nobody reaches such a port
        server = await listen(room.signalling.local[0], 0, room.take_control)
        if room.is_over:
            server.close()
            return
        room.listen_for_control(server)
        port = int(server.sockets[0].getsockname()[1])
        room.core.offer_control(room.signalling.local[0], port)
