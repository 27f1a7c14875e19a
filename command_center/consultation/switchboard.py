"""The switchboard: keeps node, gateway and database of one mind about every consultation.

Each web process has one: it holds the wires and the figures of all legs. One of them leads (a
PostgreSQL advisory lock): it alone writes what node and gateway report and sends what the roster
asks for. After a restart of node, gateway or web process nothing is left stale: snapshots are taken
and compared.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

import psycopg
import structlog
from sqlalchemy.exc import SQLAlchemyError

from sip_gateway.messages import (
    CallChanged,
    CallState,
    ConferenceAsked,
    ContentReleased,
    ContentRequested,
    DtmfPressed,
    GatewaySnapshot,
    RegistrationChanged,
    SelfTestDone,
    SourceBanned,
)
from video_bridge import NodeClient, VideoBridgeError, WireClient
from video_bridge import messages as node_words

from ..database import sync_url
from ..security import SYSTEM, Desk, Work
from ..security.work import EVENT_CHANNEL
from . import repository
from .board import LegFigures, figures
from .consultation_loop import ConsultationLoop, Wires
from .content.keeper import ContentKeeper
from .control.alarm_desk import AlarmDesk
from .control.reservation import open_due
from .errors import ConsultationError
from .lines import keep_self_test, note_ban
from .pins import pin_of
from .registrations import note_registration, note_registrations

LEADER_LOCK = 0x434C4541  # one leading switchboard per installation
STATS_EVERY_S = 1.0
RESERVATIONS_EVERY_S = 2.0
_log = structlog.get_logger("command_center.switchboard")

Push = Callable[[dict[UUID, dict[str, LegFigures]]], Awaitable[None]]


class Switchboard:
    """`start()` and `stop()` it with the process. `node` and `gateway` are the open wires."""

    def __init__(self, desk: Desk, node_socket: Path, gateway_socket: Path) -> None:
        self._desk = desk
        self.node = NodeClient(node_socket, self._on_node_event, self._on_node_link)
        self.gateway = WireClient(gateway_socket, self._on_gateway_event)
        self.content = ContentKeeper(desk, self.node, self.gateway)
        self.board: dict[UUID, dict[str, LegFigures]] = {}
        self.push: Push | None = None
        self.alarms = AlarmDesk(desk)
        self.banned: set[str] | None = None  # what the gateway holds; None: it has not told yet
        self.calls: dict[str, CallChanged] = {}  # of the gateway, by leg
        self._loops: dict[UUID, ConsultationLoop] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._leading = asyncio.Event()
        self._node_started_at: str | None = None
        self._registrations: asyncio.Queue[RegistrationChanged | GatewaySnapshot] = asyncio.Queue()

    def pin_of(self, consultation_id: UUID) -> str:
        """What a caller without a hall keys to enter."""
        return pin_of(self._desk, consultation_id)

    @property
    def is_leader(self) -> bool:
        return self._leading.is_set()

    async def start(self) -> None:
        await self.node.start()
        await self.gateway.start()
        for work in (
            self._lead(),
            self._watch_stats(),
            self._write_registrations(),
            self._open_reserved(),
            self.content.run(),
        ):
            self._spawn(work)

    async def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._stop_loops()
        await self.node.stop()
        await self.gateway.stop()

    def _spawn(self, work: Awaitable[None]) -> None:
        async def run() -> None:
            await work

        task = asyncio.create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- leading -------------------------------------------------------------------------

    async def _lead(self) -> None:
        """Hold the lock and follow the outbox; on losing the database let go and begin again."""
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    sync_url(self._desk.database.url), autocommit=True, connect_timeout=5
                ) as connection:
                    if await self._take_lead(connection):
                        await self._follow(connection)
                    else:
                        await asyncio.sleep(1.0)
            except (psycopg.Error, SQLAlchemyError, OSError, TimeoutError) as error:
                _log.warning("switchboard_interrupted", error=type(error).__name__)
                await asyncio.sleep(0.5)
            finally:
                self._leading.clear()
                await self._stop_loops()

    async def _take_lead(self, connection: psycopg.AsyncConnection[tuple[object, ...]]) -> bool:
        cursor = await connection.execute("SELECT pg_try_advisory_lock(%s)", (LEADER_LOCK,))
        row = await cursor.fetchone()
        if row and row[0]:
            self._leading.set()
        return self.is_leader

    async def _follow(self, connection: psycopg.AsyncConnection[tuple[object, ...]]) -> None:
        await connection.execute(f"LISTEN {EVENT_CHANNEL}")
        last = await self._newest(connection)
        async with self._desk.database.session() as session:
            for open_id in await repository.open_consultation_ids(session):
                self._poke(open_id)
        if self.node.is_connected:
            self._spawn(self._take_node_snapshot())
        if self.gateway.is_connected:
            self._spawn(self._take_gateway_snapshot())
        while True:
            async for _ in connection.notifies(timeout=5.0, stop_after=1):
                pass
            cursor = await connection.execute(
                "SELECT max(seq), consultation_id FROM event "
                "WHERE seq > %s AND consultation_id IS NOT NULL GROUP BY consultation_id",
                (last,),
            )
            for seq, consultation_id in await cursor.fetchall():
                last = max(last, int(str(seq)))
                self._poke(UUID(str(consultation_id)))

    async def _newest(self, connection: psycopg.AsyncConnection[tuple[object, ...]]) -> int:
        cursor = await connection.execute("SELECT coalesce(max(seq), 0) FROM event")
        row = await cursor.fetchone()
        return int(str(row[0])) if row else 0

    def _poke(self, consultation_id: UUID) -> None:
        if self.is_leader:
            self._loop(consultation_id).poke()
            self.content.poke(consultation_id)

    def _loop(self, consultation_id: UUID) -> ConsultationLoop:
        loop = self._loops.get(consultation_id)
        if loop is None:
            wires = Wires(self.node, self.gateway)
            loop = ConsultationLoop(consultation_id, self._desk, wires, self._forget)
            self._loops[consultation_id] = loop
            loop.start()
            if self.node.is_connected:
                self._spawn(self._take_node_snapshot())
            if self.gateway.is_connected:
                self._spawn(self._take_gateway_snapshot())
        return loop

    def _forget(self, consultation_id: UUID) -> None:
        """A closed consultation with nothing left to do."""
        self._loops.pop(consultation_id, None)

    async def _stop_loops(self) -> None:
        loops, self._loops = list(self._loops.values()), {}
        await asyncio.gather(*(loop.stop() for loop in loops), return_exceptions=True)

    # --- the node ------------------------------------------------------------------------

    def _on_node_event(self, event: node_words.Event) -> None:
        if isinstance(event, node_words.LegUp | node_words.LegLost | node_words.LegClosed):
            loop = self._loops.get(_uuid(event.conference_id))
            if loop is not None:
                loop.on_node_event(event)
        elif isinstance(event, node_words.DtmfPressed):
            self._on_key(event)

    def _on_key(self, event: node_words.DtmfPressed | DtmfPressed) -> None:
        loop = self._loops.get(_uuid(event.conference_id))
        if loop is not None:
            loop.on_key(event.leg_id, event.digit)

    def _on_node_link(self, is_up: bool) -> None:
        if is_up:
            self._spawn(self._take_node_snapshot())
            return
        self.board.clear()
        for loop in self._loops.values():
            loop.on_node_gone()

    async def _take_node_snapshot(self) -> None:
        taken_at = self._desk.clock()
        try:
            snapshot = await self.node.snapshot()
        except VideoBridgeError as error:
            _log.warning("node_snapshot_failed", code=error.code)
            return
        has_restarted = self._node_started_at not in (None, snapshot.started_at)
        self._node_started_at = snapshot.started_at
        known = {conference.conference_id: conference for conference in snapshot.conferences}
        for consultation_id, loop in self._loops.items():
            found = known.pop(str(consultation_id), None)
            loop.on_node_snapshot(found, taken_at, has_restarted=has_restarted)
        if self.is_leader:
            await self._close_strangers(list(known))

    async def _close_strangers(self, conference_ids: list[str]) -> None:
        """Conferences of consultations that were closed while nobody watched."""
        async with self._desk.database.session() as session:
            still_open = set(await repository.open_consultation_ids(session))
        for conference_id in conference_ids:
            if _uuid(conference_id) not in still_open:
                with contextlib.suppress(VideoBridgeError):
                    await self.node.send(node_words.ConferenceClose(conference_id=conference_id))

    async def _watch_stats(self) -> None:
        """Figures of every leg, each second, to the board and to those who watch."""
        while True:
            await asyncio.sleep(STATS_EVERY_S)
            if not self.node.is_connected:
                continue
            taken_at = self._desk.clock()
            try:
                snapshot = await self.node.stats()
            except VideoBridgeError:
                continue
            board = {_uuid(c.conference_id): figures(c) for c in snapshot.conferences}
            self.board = board
            for conference in snapshot.conferences:
                loop = self._loops.get(_uuid(conference.conference_id))
                if loop is not None:
                    loop.on_node_stats(conference, taken_at)
                    self.content.on_node(UUID(conference.conference_id), conference.content_leg_id)
            await self._feed_alarms(board)
            if self.push is not None and board:
                await self._push_board(self.push)

    async def _feed_alarms(self, board: dict[UUID, dict[str, LegFigures]]) -> None:
        try:
            await self.alarms.feed(board, self._desk.clock(), is_leader=self.is_leader)
        except (ConsultationError, SQLAlchemyError, OSError, TimeoutError) as error:
            _log.warning("alarms_not_told", error=type(error).__name__)

    async def _push_board(self, push: Push) -> None:
        try:
            await push(self.board)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            _log.warning("figures_not_pushed", error=type(error).__name__)

    async def _open_reserved(self) -> None:
        """Reservations whose time has come."""
        while True:
            await self._leading.wait()
            try:
                await open_due(self._desk)
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                _log.warning("reservations_not_opened", error=type(error).__name__)
            await asyncio.sleep(RESERVATIONS_EVERY_S)

    # --- the gateway ---------------------------------------------------------------------

    def _on_gateway_event(self, type_: str, body: dict[str, object]) -> None:
        if type_ == "hello":
            self._spawn(self._take_gateway_snapshot())
        elif type_ == "disconnected":
            self.calls.clear()
            for loop in self._loops.values():
                loop.on_gateway_gone()
        elif type_ == "call.state":
            call = CallChanged.model_validate(body)
            self._remember_call(call)
            loop_of_call = self._loops.get(_uuid(call.conference_id))
            if loop_of_call is not None:
                loop_of_call.on_call(call)
        elif type_ == "call.dtmf":
            self._on_key(DtmfPressed.model_validate(body))
        elif type_ == "conference.asked":
            asked = ConferenceAsked.model_validate(body)
            asked_of = self._loops.get(_uuid(asked.conference_id))
            if asked_of is not None:
                asked_of.on_asked(asked)
        elif type_ == "self_test.done" and self.is_leader:
            self._spawn(self._keep(lambda w: keep_self_test(w, SelfTestDone.model_validate(body))))
        elif type_ == "source.banned":
            self._on_ban(SourceBanned.model_validate(body))
        elif type_ == "content.requested" and self.is_leader:
            self.content.on_room(ContentRequested.model_validate(body))
        elif type_ == "content.released" and self.is_leader:
            self.content.on_room(ContentReleased.model_validate(body))
        elif type_ == "registration":
            self._registrations.put_nowait(RegistrationChanged.model_validate(body))

    def _remember_call(self, call: CallChanged) -> None:
        if call.state is CallState.ENDED:
            self.calls.pop(call.leg_id, None)
        else:
            self.calls[call.leg_id] = call

    def _on_ban(self, told: SourceBanned) -> None:
        self.banned = (self.banned or set()) | {told.host}
        if self.is_leader:
            self._spawn(self._keep(lambda work: note_ban(work, told)))

    async def _keep(self, write: Callable[[Work], Awaitable[None]]) -> None:
        """Write one thing the gateway told; a database that is away loses it, and the log says."""
        try:
            async with self._desk.work(SYSTEM) as work:
                await write(work)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            _log.warning("gateway_event_not_written", error=type(error).__name__)

    async def _take_gateway_snapshot(self) -> None:
        taken_at = self._desk.clock()
        try:
            body = await self.gateway.request("snapshot", {}, timeout_s=5.0)
        except VideoBridgeError as error:
            _log.warning("gateway_snapshot_failed", code=error.code)
            return
        snapshot = GatewaySnapshot.model_validate(body)
        self._registrations.put_nowait(snapshot)
        self.banned = set(snapshot.banned)
        self.calls = {call.leg_id: call for call in snapshot.calls}
        if self.is_leader:
            self.content.on_gateway(snapshot)
        for consultation_id, loop in self._loops.items():
            calls = [
                call
                for call in snapshot.calls
                if call.conference_id == str(consultation_id) and call.state is not CallState.ENDED
            ]
            loop.on_gateway_snapshot(calls, taken_at)

    async def _write_registrations(self) -> None:
        """Registrations into the directory, in their order."""
        while True:
            told = await self._registrations.get()
            await self._leading.wait()
            try:
                async with self._desk.work(SYSTEM) as work:
                    if isinstance(told, GatewaySnapshot):
                        await note_registrations(work, told.registrations)
                    else:
                        await note_registration(work, told)
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                _log.warning("registration_not_written", error=type(error).__name__)
                await asyncio.sleep(0.5)
                if self.gateway.is_connected:
                    self._spawn(self._take_gateway_snapshot())


def _uuid(text: str) -> UUID:
    """The consultation a conference belongs to; an id of nobody for what is not ours."""
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)
