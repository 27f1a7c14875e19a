"""A room's part in H.243: its wishes become events, the roof's decisions and news H.245 messages.

The roof owns chair, broadcast and floor (`conference.*` of `messages.py`). Over rooms, and over the
bridges below us, we hold the conference; below another MCU we are a terminal of its own, and are
given no news to tell it, but obey its orders as far as the roof does.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import structlog

from .call import Call
from .h323.h243_assembly import OWN_MCU, Assembly, Terminal, news
from .h323.h243_events import (
    Ask,
    ConferenceAnswered,
    ConferenceAsked,
    ConferenceEvent,
    ConferenceTold,
    Label,
    Tell,
)
from .h323.h245 import ControlSession
from .messages import Body, BridgeRole, ConferenceDecide, ConferenceOrder, ConferenceTell
from .messages import ConferenceAsked as AskedByRoom

_log = structlog.get_logger("sip_gateway.h323")

# H.323 table 1: who is master. 240: an active MC; 190: an MCU; 50: a terminal without an MC.
TERMINAL_TYPES = {None: 190, BridgeRole.LOWER: 240, BridgeRole.UPPER: 50}

_ORDERS = {
    Ask.CHAIR: ConferenceOrder.CHAIR,
    Ask.CHAIR_RELEASE: ConferenceOrder.CHAIR_RELEASE,
    Ask.FLOOR: ConferenceOrder.FLOOR,
    Ask.BROADCASTER: ConferenceOrder.BROADCAST,
    Ask.BROADCASTER_END: ConferenceOrder.BROADCAST_END,
    Ask.MINE: ConferenceOrder.BROADCAST,
    Ask.MINE_END: ConferenceOrder.BROADCAST_END,
    Ask.SOURCE: ConferenceOrder.WATCH,
    Ask.SOURCE_END: ConferenceOrder.WATCH_END,
    Ask.DROP: ConferenceOrder.DROP,
}
_NAMING = {Ask.BROADCASTER, Ask.SOURCE, Ask.DROP}


class Room(Protocol):
    """What its part in the conference needs of a room."""

    call: Call | None

    @property
    def session(self) -> ControlSession: ...
    @property
    def own_name(self) -> str: ...
    @property
    def video_channel(self) -> int | None: ...
    def announce(self, body: Body) -> None: ...
    def pump(self) -> None: ...


class Membership:
    """`role` is set before the call is answered; None: a room."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.role: BridgeRole | None = None
        self._assembly, self._told = Assembly(), Assembly()
        self._pending: dict[ConferenceOrder, ConferenceAsked] = {}
        self._gave_back = False
        self._forced_on: int | None = None  # our channel that the bridge below broadcasts

    # --- what the roof says -----------------------------------------------------------------

    def tell(self, assembly: Assembly) -> None:
        self._assembly = assembly
        self.follow()

    def decide(self, order: ConferenceOrder, *, granted: bool) -> None:
        asked = self._pending.pop(order, None)
        if asked is not None:
            self._room.session.conference_decide(asked, granted=granted)

    def follow(self) -> None:
        """Say what is new, once roles are settled; what is said before is not understood."""
        call, session = self._room.call, self._room.session
        if call is None or session.is_master is None or session.ended:
            return
        if self.role is not BridgeRole.UPPER:
            for tell, label in news(self._told, self._assembly, call.leg_id):
                if tell is not Tell.CHAIR_WITHDRAWN or not self._gave_back:
                    session.conference_tell(tell, label)
            self._told = self._assembly
        if self.role is BridgeRole.LOWER:
            self._force(call, session)

    def _force(self, call: Call, session: ControlSession) -> None:
        """The bridge below is ordered to show us to all its rooms while something is broadcast."""
        me = self._assembly.of_leg(call.leg_id)
        is_shown = me is not None and me.id == self._assembly.shown
        is_wanted = self._assembly.is_forced and not is_shown
        channel = self._room.video_channel if is_wanted else None
        if channel == self._forced_on:
            return
        if channel is not None:
            session.conference_order(Ask.MINE, channel=channel)
        elif not is_wanted and self._forced_on is not None:
            session.conference_order(Ask.MINE_END, channel=self._forced_on)
        self._forced_on = channel

    # --- what the room says -----------------------------------------------------------------

    def take(self, event: ConferenceEvent) -> None:
        match event:
            case ConferenceAsked():
                self._asked(event)
            case ConferenceTold() | ConferenceAnswered():
                _log.debug("h243_told", told=str(event))

    def _asked(self, asked: ConferenceAsked) -> None:
        session, known = self._room.session, self._assembly
        match asked.ask:
            case Ask.TERMINAL_LIST:
                session.conference_list(one.label for one in known.present)
            case Ask.TERMINAL_NAMES:
                session.conference_names((one.label, one.name) for one in known.present)
            case Ask.TERMINAL_NAME:
                self._name(Ask.TERMINAL_NAME, known.labelled(asked.label))
            case Ask.CHAIR_OWNER:
                self._name(Ask.CHAIR_OWNER, known.named(known.chair))
            case Ask.OWN_NAME:
                session.conference_name(Ask.OWN_NAME, Label(OWN_MCU, 0), self._room.own_name)
            case _:
                self._wish(asked)

    def _name(self, ask: Ask, terminal: Terminal | None) -> None:
        """H.245 has no word for nobody: label 0/0, as in H.243's <M=0><T=0>."""
        label, name = (terminal.label, terminal.name) if terminal else (Label(0, 0), "-")
        self._room.session.conference_name(ask, label, name)

    def _wish(self, asked: ConferenceAsked) -> None:
        """The roof decides; what names a terminal that is not in is refused here."""
        call, order = self._room.call, _ORDERS.get(asked.ask)
        target = self._assembly.labelled(asked.label)
        if call is None or order is None or (asked.ask in _NAMING and target is None):
            self._room.session.conference_decide(asked, granted=False)
            return
        self._pending[order] = asked
        self._gave_back = order is ConferenceOrder.CHAIR_RELEASE
        self._room.announce(
            AskedByRoom(
                leg_id=call.leg_id,
                conference_id=call.conference_id,
                order=order,
                terminal_id=target.id if target is not None and asked.ask in _NAMING else None,
            )
        )


class MemberRoom(Room, Protocol):
    @property
    def membership(self) -> Membership: ...


class Conferences:
    """The conferences of all rooms, as the roof told them last."""

    def __init__(self) -> None:
        self._assemblies: dict[str, Assembly] = {}

    def tell(self, told: ConferenceTell, rooms: Iterable[MemberRoom]) -> None:
        """Keep it for rooms that come later, and tell those that are in."""
        terminals = tuple(Terminal(t.id, t.number, t.name, t.leg_id) for t in told.terminals)
        assembly = Assembly(terminals, told.chair, told.shown, told.is_forced, tuple(told.floor))
        self._assemblies[told.conference_id] = assembly
        for room in rooms:
            if room.call is not None and room.call.conference_id == told.conference_id:
                room.membership.tell(assembly)
                room.pump()

    def enter(self, room: MemberRoom, role: BridgeRole | None) -> None:
        """A room has its call: it is told once it can be."""
        room.membership.role = role
        room.session.terminal_type = TERMINAL_TYPES[role]
        if room.call is not None:
            room.membership.tell(self._assemblies.get(room.call.conference_id, Assembly()))

    def leave(self, conference_id: str, rooms: Iterable[MemberRoom]) -> None:
        """A room is gone; a conference without rooms is forgotten."""
        if all(r.call is None or r.call.conference_id != conference_id for r in rooms):
            self._assemblies.pop(conference_id, None)

    @staticmethod
    def decide(decision: ConferenceDecide, room: MemberRoom | None) -> None:
        if room is not None:
            room.membership.decide(decision.order, granted=decision.granted)
            room.pump()
