"""Keeps node and gateway of the token's mind: the row says who presents, they follow.

One task in the leading switchboard. It is poked when a consultation changed, and hears what rooms
ask; a holder that is lost, gone or came back by another leg loses the token here.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from sip_gateway.messages import (
    ContentDecide,
    ContentOffer,
    ContentReleased,
    ContentRequested,
    ContentRevoke,
    GatewaySnapshot,
)
from video_bridge import NodeClient, VideoBridgeError, WireClient
from video_bridge import messages as node_words

from ...security import SYSTEM, Desk
from .. import repository as rosters
from ..errors import ConsultationError
from ..model import SIGNALLED, ParticipantState, Protocol
from ..tables import ParticipantRow
from . import repository, service
from .tables import ContentRow
from .token import Token

RETRY_S = 1.0
FAILING = (SQLAlchemyError, OSError, TimeoutError)  # the database is away: tried again
REFUSED = frozenset({"content_not_negotiated", "leg_unknown"})
_log = structlog.get_logger("command_center.content")


@dataclass(frozen=True, slots=True)
class Room:
    """What the gateway was told of one room."""

    is_holder: bool = False
    is_waiting: bool = False
    is_offered: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """One consultation's token and its members, read together."""

    token: Token
    leg_id: str | None
    members: Sequence[ParticipantRow]

    def gone(self) -> list[UUID]:
        """Who holds the token or waits for it and can present no more."""
        here = {m.id: m.leg_id for m in self.members if m.state == ParticipantState.JOINED.value}
        found = [one for one in self.token.queue if here.get(one) is None]
        holder = self.token.holder
        if holder is not None and (self.leg_id is None or here.get(holder) != self.leg_id):
            found.insert(0, holder)
        return found


class ContentKeeper:
    """`run` it; feed it from the wires; it asks `node` and `gateway`."""

    def __init__(self, desk: Desk, node: NodeClient, gateway: WireClient) -> None:
        self._desk = desk
        self._node = node
        self._gateway = gateway
        self._wanted: dict[UUID, str | None] = {}
        self._shown: dict[UUID, str | None] = {}  # as the node told last
        self._rooms: dict[UUID, dict[str, Room]] = {}
        self._told: deque[ContentRequested | ContentReleased] = deque()
        self._pending: set[UUID] = set()
        self._wake = asyncio.Event()

    # --- what is told (on the event loop) --------------------------------------------------

    def poke(self, consultation_id: UUID) -> None:
        self._pending.add(consultation_id)
        self._wake.set()

    def on_room(self, told: ContentRequested | ContentReleased) -> None:
        self._told.append(told)
        self._wake.set()

    def on_node(self, consultation_id: UUID, leg_id: str | None) -> None:
        """Each second, whom the node shows: one that is of another mind is told again."""
        self._shown[consultation_id] = leg_id
        if self._wanted.get(consultation_id) != leg_id:
            self.poke(consultation_id)

    def on_gateway(self, snapshot: GatewaySnapshot) -> None:
        """The gateway was connected (again): what it holds is compared with the token."""
        self._rooms.clear()
        for call in snapshot.calls:
            consultation_id = UUID(call.conference_id)
            if call.leg_id in snapshot.contents:
                rooms = self._rooms.setdefault(consultation_id, {})
                rooms[call.leg_id] = Room(is_holder=True)
            self.poke(consultation_id)

    # --- the task ----------------------------------------------------------------------------

    async def run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._turn()
            except FAILING as error:
                _log.warning("content_turn_failed", error=type(error).__name__)
                asyncio.get_running_loop().call_later(RETRY_S, self._wake.set)
            except Exception:  # noqa: BLE001 - outermost loop of the task
                _log.exception("content_turn_failed")

    async def _turn(self) -> None:
        while self._told:
            told = self._told.popleft()
            try:
                await self._obey(told)
            except FAILING:
                self._told.appendleft(told)
                raise
        while self._pending:
            consultation_id = self._pending.pop()
            try:
                await self._look_after(consultation_id)
            except ConsultationError as error:  # closed or removed meanwhile
                _log.info("content_not_kept", code=error.code)
            except FAILING:
                self._pending.add(consultation_id)
                raise

    async def _obey(self, told: ContentRequested | ContentReleased) -> None:
        async with self._desk.database.session() as session:
            member = await rosters.participant_of_leg(session, told.leg_id)
        if member is None:
            return
        rooms = self._rooms.setdefault(member.consultation_id, {})
        room = rooms.get(told.leg_id, Room())
        try:
            async with self._desk.work(SYSTEM) as work:
                if isinstance(told, ContentReleased):
                    rooms[told.leg_id] = replace(room, is_holder=False, is_waiting=False)
                    await service.release_content_for(work, member.consultation_id, member.id)
                    return
                content = await service.request_content_for(
                    work, member.consultation_id, member.id, can_wait=told.can_wait
                )
        except ConsultationError as error:
            holder = str(error.fields.get("holder", ""))
            await self._ask(ContentDecide(leg_id=told.leg_id, granted=False, holder=holder))
            return
        waiting = [one.participant_id for one in content.queue]
        is_holder = content.holder is not None and content.holder.participant_id == member.id
        place = waiting.index(member.id) + 1 if member.id in waiting else None
        rooms[told.leg_id] = replace(room, is_holder=is_holder, is_waiting=place is not None)
        holder = "" if content.holder is None else content.holder.name
        await self._ask(
            ContentDecide(leg_id=told.leg_id, granted=is_holder, queue_place=place, holder=holder)
        )

    async def _look_after(self, consultation_id: UUID) -> None:
        found = await self._read(consultation_id)
        if found is None:
            self._wanted.pop(consultation_id, None)
            self._rooms.pop(consultation_id, None)
            return
        for participant_id in found.gone():
            async with self._desk.work(SYSTEM) as work:
                await service.release_content_for(work, consultation_id, participant_id)
        found = await self._read(consultation_id) or found
        await self._show(consultation_id, found)
        await self._tell_rooms(consultation_id, found)

    async def _read(self, consultation_id: UUID) -> Standing | None:
        """None: over, or nobody ever presented."""
        async with self._desk.database.session() as session:
            row: ContentRow | None = await repository.content_of(session, consultation_id)
            if row is None:
                return None
            consultation = await rosters.consultation(session, consultation_id)
            if consultation.state != "open":
                return None
            members = await rosters.participants(session, consultation_id)
        return Standing(service.token_of(row), row.leg_id, members)

    async def _show(self, consultation_id: UUID, found: Standing) -> None:
        wanted = found.leg_id if found.token.holder is not None else None
        self._wanted[consultation_id] = wanted
        if self._shown.get(consultation_id) == wanted or not self._node.is_connected:
            return
        try:
            await self._node.send(
                node_words.ContentSet(conference_id=str(consultation_id), leg_id=wanted)
            )
        except VideoBridgeError as error:
            _log.warning("content_not_shown", code=error.code)
            if error.code in REFUSED and found.token.holder is not None:
                async with self._desk.work(SYSTEM) as work:
                    await service.release_content_for(work, consultation_id, found.token.holder)
            return
        self._shown[consultation_id] = wanted

    async def _tell_rooms(self, consultation_id: UUID, found: Standing) -> None:
        known = self._rooms.get(consultation_id, {})
        present = {
            member.leg_id: member
            for member in found.members
            if member.leg_id is not None
            and Protocol(member.protocol) in SIGNALLED
            and member.state == ParticipantState.JOINED.value
        }
        rooms = {leg_id: known.get(leg_id, Room()) for leg_id in present}
        self._rooms[consultation_id] = rooms
        holder = next((m for m in found.members if m.id == found.token.holder), None)
        name = "" if holder is None else holder.name
        for leg_id, room in list(rooms.items()):
            who = present[leg_id].id
            rooms[leg_id] = Room(
                is_holder=found.token.holder == who,
                is_waiting=found.token.place(who) is not None,
                is_offered=holder is not None and holder.id != who,
            )
            for words in _difference(leg_id, room, rooms[leg_id], name):
                await self._ask(words)

    async def _ask(self, words: ContentDecide | ContentRevoke | ContentOffer) -> None:
        try:
            body = words.model_dump(mode="json", exclude={"type"})
            await self._gateway.request(words.type, body, timeout_s=5.0)
        except VideoBridgeError as error:
            _log.warning("room_not_told", type=words.type, code=error.code)


def _difference(
    leg_id: str, told: Room, now: Room, holder: str
) -> list[ContentDecide | ContentRevoke | ContentOffer]:
    """What to say to a room that was told `told`."""
    found: list[ContentDecide | ContentRevoke | ContentOffer] = []
    if told.is_holder and not now.is_holder:
        found.append(ContentRevoke(leg_id=leg_id))
    elif told.is_waiting and not now.is_waiting:
        found.append(ContentDecide(leg_id=leg_id, granted=now.is_holder, holder=holder))
    if told.is_offered != now.is_offered:
        found.append(ContentOffer(leg_id=leg_id, on=now.is_offered, holder=holder))
    return found
