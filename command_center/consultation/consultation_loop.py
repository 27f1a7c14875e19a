"""One consultation's loop in the leading switchboard.

It takes what node and gateway report, writes it, reads what is wanted and sends the difference
(`reconcile`). All of that happens in one task, so that nothing overtakes anything.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from sip_gateway.messages import (
    CallChanged,
    CallState,
    ConferenceAsked,
    ConferenceTell,
    Dial,
    HangUp,
)
from video_bridge import LegKind, LegState, NodeClient, VideoBridgeError, WireClient
from video_bridge import messages as node_words

from ..database import new_id
from ..security import SYSTEM, Desk
from . import reconcile as r
from . import repository, roster
from .control import repository as orders
from .control.assembly import has_h323
from .control.clockwork import run_due
from .control.keys import Keys
from .control.room_orders import RoomOrders
from .control.scene import next_change, scene_of
from .errors import ConsultationError, LocalConsultationError
from .lines import rungs_of
from .model import SIGNALLED, MemberKind, Protocol, Seat
from .numbering.plans import dialled
from .reports import (
    Compare,
    Key,
    NodeAway,
    NodeEvent,
    Told,
    ends_leg,
    is_ending,
    legs_of,
    meaning,
    seat_of,
)
from .transitions import Event, NodeGone, Refused
from .words import pane_notes

PASSES = 6  # rounds of commands before the loop waits again
RETRY_S = 1.0
NODE_GRACE_S = 5.0  # shorter than a node keeps its legs without a control wire
REMEMBERED = 2000
DRIFT_EVERY_S = 5.0
_log = structlog.get_logger("command_center.switchboard")


@dataclass(frozen=True, slots=True)
class Wires:
    node: NodeClient
    gateway: WireClient


class ConsultationLoop:
    """`poke()` it when the roster changed; feed it what the wires tell."""

    def __init__(
        self, consultation_id: UUID, desk: Desk, wires: Wires, finished: Callable[[UUID], None]
    ) -> None:
        self._id = consultation_id
        self._desk = desk
        self._wires = wires
        self._finished = finished
        self._mirror = r.Mirror()
        self._told: list[Told] = []
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._compared_at: datetime | None = None
        self._ended: deque[str] = deque(maxlen=REMEMBERED)
        self._dialled_at: dict[str, datetime] = {}
        self._keys = Keys(desk, consultation_id, wires.node.say)
        self._room_orders = RoomOrders(desk, consultation_id, wires.gateway)

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=f"consultation {self._id}")

    async def stop(self) -> None:
        while self._task is not None and not self._task.done():
            self._task.cancel()  # again: `wait_for` loses one that comes with a wake-up
            await asyncio.wait({self._task}, timeout=1.0)

    def poke(self) -> None:
        self._wake.set()

    # --- what the wires tell (called in order on the event loop) --------------------------

    def on_node_event(self, event: NodeEvent) -> None:
        legs = dict(self._mirror.legs)
        if isinstance(event, node_words.LegClosed):
            legs.pop(event.leg_id, None)
            if event.leg_id not in self._mirror.calls:
                self._remember_ended(event.leg_id)
        else:
            state = LegState.UP if isinstance(event, node_words.LegUp) else LegState.LOST
            known = legs.get(event.leg_id) or r.NodeLeg(event.leg_id, state)
            legs[event.leg_id] = replace(known, state=state)
        self._mirror = replace(self._mirror, legs=legs)
        self._tell(event)

    def on_node_gone(self) -> None:
        self._mirror = replace(
            self._mirror, is_node_up=False, is_conference_open=False, legs={}, told={}
        )
        loop = asyncio.get_running_loop()
        loop.call_later(NODE_GRACE_S, self._tell, NodeAway())

    def on_node_snapshot(
        self,
        conference: node_words.ConferenceStats | None,
        taken_at: datetime,
        *,
        has_restarted: bool,
    ) -> None:
        self._mirror = replace(
            self._mirror,
            is_node_up=True,
            is_conference_open=conference is not None,
            legs=legs_of(conference),
            told={},
        )
        was_forgotten = conference is None  # a node that knows nothing of us is a new one
        self._tell(Compare(taken_at, has_restarted or was_forgotten))
        if has_restarted:
            # Members that came in just before the restart were passed over: look at them again.
            again = Compare(taken_at + r.SETTLING, node_restarted=True)
            loop = asyncio.get_running_loop()
            loop.call_later(r.SETTLING.total_seconds(), self._tell, again)

    def on_node_stats(self, conference: node_words.ConferenceStats, taken_at: datetime) -> None:
        """Each second: corrects drift of the mirror; now and then compares with the roster."""
        if not self._mirror.is_node_up:
            return
        self._mirror = replace(self._mirror, legs=legs_of(conference))
        last = self._compared_at
        if last is None or (taken_at - last).total_seconds() >= DRIFT_EVERY_S:
            self._compared_at = taken_at
            self._tell(Compare(taken_at, node_restarted=False))

    def on_call(self, call: CallChanged) -> None:
        calls = dict(self._mirror.calls)
        if call.state is CallState.ENDED:
            calls.pop(call.leg_id, None)
            self._remember_ended(call.leg_id)
        else:
            calls[call.leg_id] = call
        known = self._mirror.told_rooms if has_h323(calls.values()) else None
        self._mirror = replace(self._mirror, calls=calls, told_rooms=known)
        self._tell(call)

    def on_key(self, leg_id: str, key: str) -> None:
        self._tell(Key(leg_id, key))

    def on_asked(self, asked: ConferenceAsked) -> None:
        """A room asks or orders by H.243."""
        self._tell(asked)

    def _remember_ended(self, leg_id: str) -> None:
        """Told before it is written: nothing is dialled or pulled again meanwhile."""
        self._ended.append(leg_id)
        self._mirror = replace(self._mirror, ended=frozenset(self._ended))

    def on_gateway_gone(self) -> None:
        self._mirror = replace(self._mirror, is_gateway_up=False, calls={}, told_rooms=None)

    def on_gateway_snapshot(self, calls: Sequence[CallChanged], taken_at: datetime) -> None:
        younger = {
            leg_id: call
            for leg_id, call in self._mirror.calls.items()
            if self._dialled_at.get(leg_id, taken_at) > taken_at
        }
        known = {call.leg_id: call for call in calls if call.leg_id not in self._ended}
        self._mirror = replace(
            self._mirror, is_gateway_up=True, calls=younger | known, told_rooms=None
        )
        for call in known.values():
            self._tell(call)
        self._tell(Compare(taken_at, node_restarted=False))

    def _tell(self, told: Told) -> None:
        self._told.append(told)
        self._wake.set()

    # --- the task -------------------------------------------------------------------------

    async def _run(self) -> None:
        wait_s: float | None = None
        self._wake.set()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()
            self._wake.clear()
            try:
                wait_s = await self._turn()
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                _log.warning("consultation_turn_failed", error=type(error).__name__)
                wait_s = RETRY_S
            except Exception:  # noqa: BLE001 - outermost loop of the task
                _log.exception("consultation_turn_failed", consultation_id=str(self._id))
                del self._told[:1]  # what cannot be taken must not block what follows
                wait_s = RETRY_S
            if wait_s is not None and wait_s < 0:
                self._finished(self._id)
                return

    async def _turn(self) -> float | None:
        """Write what was told, then send what is wanted. Seconds until the next look is due,
        None: when poked; negative: the consultation is over."""
        while self._told:
            told = self._told[0]
            try:
                await self._take(told)
            except ConsultationError as error:  # removed meanwhile, or a pair without meaning
                _log.warning("report_dropped", code=error.code, told=type(told).__name__)
            self._told.pop(0)
        for _ in range(PASSES):
            mirror = self._mirror  # before the roster is read: what it holds was committed
            wanted = await self._read()
            if wanted.is_due(self._desk.clock()):
                await run_due(self._desk, self._id)
                continue
            commands = r.commands_for(wanted, mirror, self._desk.clock())
            if not commands:
                if not wanted.is_open and mirror.is_node_up:
                    return -1.0
                return self._until_due(wanted)
            if not await self._send_all(wanted, commands):
                return RETRY_S
        return RETRY_S

    async def _take(self, told: Told) -> None:
        if isinstance(told, Compare):
            await self._compare(told)
        elif isinstance(told, NodeAway):
            await self._show_node_away()
        elif isinstance(told, Key):
            await self._keys.pressed(told.leg_id, told.key)
        elif isinstance(told, ConferenceAsked):
            with contextlib.suppress(VideoBridgeError):  # a gateway that went took its rooms along
                await self._room_orders.asked(told)
        else:
            await self._write(told)

    def _until_due(self, wanted: r.Wanted) -> float | None:
        """Until a member is tried again or the scene changes by itself."""
        times = [m.retry_at for m in wanted.members if m.is_wanted and m.retry_at and not m.leg_id]
        if wanted.next_change is not None and wanted.is_open:
            times.append(wanted.next_change)
        if not times:
            return None
        wait_s = (min(times) - self._desk.clock()).total_seconds()
        return wait_s if wait_s > 0 else RETRY_S  # overdue: a wire is down

    async def _read(self) -> r.Wanted:
        async with self._desk.database.session() as session:
            row = await repository.consultation(session, self._id)
            members = await repository.members(session, self._id)
            control = await orders.control_of(session, row)
            floor = await orders.floor_queue(session, self._id)
        now = self._desk.clock()
        return r.Wanted(
            consultation_id=row.id,
            title=row.title,
            is_open=row.state == "open",
            is_drill=row.is_drill,
            members=[seat_of(member) for member in members],
            scene=scene_of(row, control, floor, now),
            notes=pane_notes(),
            dial_number=row.dial_number,
            next_change=next_change(control, now),
        )

    # --- writing --------------------------------------------------------------------------

    async def _write(self, told: NodeEvent | CallChanged) -> None:
        async with self._desk.work(SYSTEM) as work:
            participant = await repository.participant_of_leg(work.session, told.leg_id)
            if participant is None or participant.removed_at is not None:
                return
            row = await repository.consultation(work.session, self._id)
            is_end = ends_leg(told, Protocol(participant.protocol))
            if participant.viewer_leg_id == told.leg_id:
                if is_end:
                    participant.viewer_leg_id = None
                    work.session.add(participant)
                if participant.leg_id is not None:
                    return
            elif is_end:
                participant.leg_id = None
                work.session.add(participant)
            event = meaning(told, Protocol(participant.protocol), participant.state)
            if event is not None:
                await roster.apply(work, row, participant, event)

    async def _compare(self, told: Compare) -> None:
        mirror = self._mirror
        wanted = await self._read()
        if not wanted.is_open:
            return
        missed = r.missed_events(
            wanted.members, mirror, taken_at=told.taken_at, node_restarted=told.node_restarted
        )
        for member, event in missed:
            await self._apply(member, event)

    async def _show_node_away(self) -> None:
        wanted = await self._read()
        if self._mirror.is_node_up or not wanted.is_open:
            return
        for member, event in r.without_node(wanted.members):
            await self._apply(member, event)

    async def _apply(self, member: Seat, event: Event) -> None:
        """Apply to the member if its leg is still the one we speak of."""
        async with self._desk.work(SYSTEM) as work:
            participant = await repository.participant(
                work.session, self._id, member.participant_id
            )
            if participant.leg_id != member.leg_id:
                return
            row = await repository.consultation(work.session, self._id)
            keeps_leg = isinstance(event, NodeGone) and member.protocol in SIGNALLED
            if not keeps_leg and is_ending(event):
                participant.leg_id = None
                work.session.add(participant)
            await roster.apply(work, row, participant, event)

    # --- sending --------------------------------------------------------------------------

    async def _send_all(self, wanted: r.Wanted, commands: Sequence[r.Command]) -> bool:
        """False when a wire is down: what is left is sent when it is back."""
        for command in commands:
            try:
                await self._send(wanted, command)
            except VideoBridgeError as error:
                if error.code in ("media_node_unreachable", "media_node_timeout"):
                    return False
                _log.warning("command_refused", command=type(command).__name__, code=error.code)
                await self._refused(command, error.code)
            except LocalConsultationError as error:  # its number leads nowhere
                await self._refused(command, error.code)
        return True

    async def _send(self, wanted: r.Wanted, command: r.Command) -> None:
        node, conference_id = self._wires.node, str(self._id)
        match command:
            case r.OpenConference():
                await node.send(
                    node_words.ConferenceOpen(
                        conference_id=conference_id, title=wanted.title, is_drill=wanted.is_drill
                    )
                )
                self._mirror = replace(self._mirror, is_conference_open=True)
            case r.CloseConference():
                await node.send(node_words.ConferenceClose(conference_id=conference_id))
                self._mirror = replace(self._mirror, is_conference_open=False, legs={})
            case r.Attempt(member):
                await self._attempt(member)
            case r.PullCamera(member):
                await self._pull(member)
            case r.DialRoom(member):
                await self._dial(wanted, member)
            case r.EndCall(leg_id):
                calls = {key: c for key, c in self._mirror.calls.items() if key != leg_id}
                self._mirror = replace(self._mirror, calls=calls)
                await self._ask_gateway(HangUp(leg_id=leg_id))
            case r.RemoveLeg(leg_id, reason):
                legs = {key: leg for key, leg in self._mirror.legs.items() if key != leg_id}
                self._mirror = replace(self._mirror, legs=legs)
                await node.send(node_words.LegRemove(leg_id=leg_id, reason=reason))
            case r.MuteLeg(leg_id, microphone_muted, speaker_muted):
                await node.send(
                    node_words.LegUpdate(
                        leg_id=leg_id,
                        microphone_muted=microphone_muted,
                        speaker_muted=speaker_muted,
                    )
                )
                self._know_leg(
                    leg_id, microphone_muted=microphone_muted, speaker_muted=speaker_muted
                )
            case r.TurnLeg(leg_id, view, watch):
                await node.send(node_words.LegUpdate(leg_id=leg_id, view=view, watch=watch))
                self._know_leg(leg_id, view=view, watch=watch)
            case r.RateLeg(leg_id, link, max_bitrate_bps):
                line = node_words.LegUpdate(
                    leg_id=leg_id, link=link, max_bitrate_bps=max_bitrate_bps
                )
                await node.send(line)
                self._know_leg(leg_id, link=link, max_bitrate_bps=max_bitrate_bps)
            case r.Tell(key, words):
                await node.send(words)
                self._mirror = replace(self._mirror, told={**self._mirror.told, key: words})
            case r.TellRooms(words):
                self._mirror = replace(self._mirror, told_rooms=words)
                await self._ask_gateway(words)

    def _know_leg(self, leg_id: str, **known: Any) -> None:
        legs = dict(self._mirror.legs)
        if leg_id in legs:
            legs[leg_id] = replace(legs[leg_id], **known)
            self._mirror = replace(self._mirror, legs=legs)

    async def _attempt(self, member: Seat) -> None:
        async with self._desk.work(SYSTEM) as work:
            participant = await repository.participant(
                work.session, self._id, member.participant_id
            )
            if participant.leg_id is None and participant.is_wanted:
                participant.leg_id, participant.retry_at = str(new_id()), None
                work.session.add(participant)

    async def _pull(self, member: Seat) -> None:
        leg_id = member.leg_id or ""
        kind = LegKind.RTSP if member.protocol is Protocol.RTSP else LegKind.SYNTHETIC
        legs = dict(self._mirror.legs)
        legs.setdefault(leg_id, r.NodeLeg(leg_id, LegState.CONNECTING))
        self._mirror = replace(self._mirror, legs=legs)
        await self._wires.node.add_leg(
            node_words.LegAdd(
                conference_id=str(self._id),
                leg_id=leg_id,
                kind=kind,
                name=member.name,
                publish=True,
                play=False,
                url=member.url,
            )
        )

    async def _dial(self, wanted: r.Wanted, member: Seat) -> None:
        leg_id = member.leg_id or ""
        self._dialled_at = {
            leg: at for leg, at in self._dialled_at.items() if leg in self._mirror.calls
        }
        self._dialled_at[leg_id] = self._desk.clock()
        calls = dict(self._mirror.calls)
        calls[leg_id] = CallChanged(
            leg_id=leg_id, conference_id=str(self._id), state=CallState.DIALLING
        )
        self._mirror = replace(self._mirror, calls=calls)
        call = Dial(
            leg_id=leg_id,
            conference_id=str(self._id),
            account=member.account,
            uri=member.uri,
            number=member.number,
            name=member.name,
            caller_name=wanted.title[:120],
            caller_number=wanted.dial_number,  # a hall that calls back enters by it
            audio_only=member.kind is MemberKind.TELEPHONE,
            ladder=rungs_of(member),
            srtp_policy=member.srtp_policy,
            bridge_role=member.bridge_role,
        )
        async with self._desk.database.session() as session:
            call = await dialled(session, self._id, call)
        await self._ask_gateway(call)

    async def _ask_gateway(self, request: Dial | HangUp | ConferenceTell) -> None:
        body = request.model_dump(mode="json", exclude={"type"})
        await self._wires.gateway.request(request.type, body, timeout_s=5.0)

    async def _refused(self, command: r.Command, code: str) -> None:
        """A leg or call that was refused at once: the member is shown why."""
        match command:
            case r.PullCamera(member) | r.DialRoom(member):
                leg_id = member.leg_id or ""
                legs = {key: leg for key, leg in self._mirror.legs.items() if key != leg_id}
                calls = {key: call for key, call in self._mirror.calls.items() if key != leg_id}
                self._mirror = replace(self._mirror, legs=legs, calls=calls)
                await self._apply(member, Refused(code))
            case r.Tell(key, words):  # said once: it is said again when it changes
                self._mirror = replace(self._mirror, told={**self._mirror.told, key: words})
            case r.TurnLeg(leg_id, view, watch):
                self._know_leg(leg_id, view=view, watch=watch)
            case _:
                return
