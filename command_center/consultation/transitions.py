"""How a participant's state follows from what node, gateway and desk report: one table.

The desk turns wire events into the events below (`from_node`, `from_gateway`) and looks the next
state up. An event of a leg that is no longer the participant's never gets here.
"""

from __future__ import annotations

from dataclasses import dataclass

from sip_gateway.messages import CallChanged, CallResult, CallState
from video_bridge.messages import CloseReason, LegClosed, LegLost, LegUp

from .errors import LocalConsultationError
from .model import ParticipantState as S
from .model import Standing


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened to a participant; `reason_code` is stored beside the new state."""

    reason_code: str | None = None


class Started(Event):
    """We dial it, or it begins to join."""


class Rang(Event):
    """The far end rings."""


class Entered(Event):
    """Its media flows, or its call is answered."""


class FellSilent(Event):
    """Nothing comes any more, it may come back."""


class WentAway(Event):
    """It was silent for too long and its leg was freed."""


class Left(Event):
    """It hung up, or the desk hung up on it."""


class Refused(Event):
    """It could not be brought in."""


class FoundUnregistered(Event):
    """We dialled it, and its account had no registration."""


class AccountAbsent(Event):
    """Its account lost its registration; a call that is up does not end by that."""


class AccountPresent(Event):
    """Its account registered."""


class NodeGone(Event):
    """The media node stopped or lost us: the leg is to be made again."""


_ALWAYS: dict[type[Event], S] = {
    Started: S.DIALLING,
    Rang: S.RINGING,
    Entered: S.JOINED,
    WentAway: S.OFFLINE,
    Left: S.LEFT,
    Refused: S.FAILED,
    FoundUnregistered: S.UNREGISTERED,
    AccountAbsent: S.UNREGISTERED,
}

TRANSITIONS: dict[S, dict[type[Event], S]] = {
    S.NOT_JOINED: {**_ALWAYS, AccountPresent: S.NOT_JOINED, NodeGone: S.NOT_JOINED},
    S.DIALLING: {
        **_ALWAYS,
        FellSilent: S.DIALLING,
        AccountPresent: S.DIALLING,
        AccountAbsent: S.DIALLING,  # the call itself says how it ends
        NodeGone: S.LOST,
    },
    S.RINGING: {
        **_ALWAYS,
        FellSilent: S.RINGING,
        AccountPresent: S.RINGING,
        AccountAbsent: S.RINGING,
        NodeGone: S.LOST,
    },
    S.JOINED: {
        **_ALWAYS,
        Rang: S.JOINED,
        FellSilent: S.LOST,
        AccountPresent: S.JOINED,
        AccountAbsent: S.JOINED,
        NodeGone: S.LOST,
    },
    S.LOST: {
        **_ALWAYS,
        FellSilent: S.LOST,
        AccountPresent: S.LOST,
        AccountAbsent: S.LOST,
        NodeGone: S.LOST,
    },
    S.OFFLINE: {
        **_ALWAYS,
        FellSilent: S.OFFLINE,
        AccountPresent: S.OFFLINE,
        NodeGone: S.OFFLINE,
    },
    S.FAILED: {**_ALWAYS, AccountPresent: S.NOT_JOINED, NodeGone: S.FAILED},
    S.UNREGISTERED: {**_ALWAYS, AccountPresent: S.NOT_JOINED, NodeGone: S.UNREGISTERED},
    S.LEFT: {**_ALWAYS, AccountPresent: S.LEFT, AccountAbsent: S.LEFT, NodeGone: S.LEFT},
}

_REASONED = frozenset({S.DIALLING, S.LOST, S.OFFLINE, S.FAILED})


def step(standing: Standing, event: Event) -> Standing:
    """The standing after `event`; the same object when nothing changes.

    Raises LocalConsultationError(`transition_unknown`) for a pair that is not in the table.
    """
    following = TRANSITIONS[standing.state].get(type(event))
    if following is None:
        raise LocalConsultationError(
            "transition_unknown", state=standing.state.value, event=type(event).__name__
        )
    if following is S.JOINED or isinstance(event, AccountPresent):
        return standing if following is standing.state else Standing(following)
    if following is not standing.state:
        return Standing(following, event.reason_code)
    is_news = event.reason_code is not None and following in _REASONED
    if not is_news or (isinstance(event, NodeGone) and following is not S.LOST):
        return standing
    return Standing(following, event.reason_code)


_CLOSINGS: dict[CloseReason, type[Event] | None] = {
    CloseReason.HUNG_UP: Left,
    CloseReason.REMOVED: Left,
    CloseReason.CONFERENCE_CLOSED: Left,
    CloseReason.REPLACED: None,  # its successor speaks for the participant
    CloseReason.REJECTED: Refused,
    CloseReason.TIMED_OUT: Refused,
    CloseReason.LOST: WentAway,
    CloseReason.CONTROL_LOST: NodeGone,
    CloseReason.NODE_STOPPED: NodeGone,
    CloseReason.FAILED: Refused,
}

_RESULTS: dict[CallResult, type[Event]] = {
    CallResult.HUNG_UP: Left,
    CallResult.REMOVED: Left,
    CallResult.CANCELLED: Left,
    CallResult.BUSY: Refused,
    CallResult.DECLINED: Refused,
    CallResult.NO_ANSWER: Refused,
    CallResult.UNREACHABLE: Refused,
    CallResult.NOT_REGISTERED: FoundUnregistered,
    CallResult.NOT_FOUND: Refused,
    CallResult.NO_COMMON_CODEC: Refused,
    CallResult.NOT_ENCRYPTED: Refused,
    CallResult.AUTHENTICATION_FAILED: Refused,
    CallResult.MEDIA_FAILED: WentAway,
    CallResult.NODE_AT_CAPACITY: Refused,
    CallResult.PROTOCOL_ERROR: Refused,
}


def from_node(event: LegUp | LegLost | LegClosed) -> Event | None:
    """What a node event means for a member whose leg is the node's alone; None: nothing."""
    if isinstance(event, LegUp):
        return Entered()
    if isinstance(event, LegLost):
        return FellSilent(event.detail or "no_media")
    kind = _CLOSINGS[event.reason]
    if kind is None:
        return None
    if kind is Left:
        return Left(event.reason.value)  # how exactly it said goodbye is for the log
    return kind("node_restarted" if kind is NodeGone else event.detail or event.reason.value)


def from_node_of_room(event: LegUp | LegLost | LegClosed, state: S) -> Event | None:
    """What a node event means for a room: its call decides, the node tells of its media only."""
    if isinstance(event, LegUp):
        return Entered() if state is S.LOST else None
    if isinstance(event, LegLost):
        return FellSilent(event.detail or "no_media")
    kind = _CLOSINGS[event.reason]
    if kind is NodeGone:
        return NodeGone("node_restarted")
    if kind in (Refused, WentAway):
        return FellSilent(event.detail or event.reason.value)
    return None


def from_gateway(event: CallChanged) -> Event | None:
    """What a call's change means for the participant."""
    if event.state is CallState.DIALLING:
        return Started()
    if event.state is CallState.RINGING:
        return Rang()
    if event.state is CallState.CONNECTED:
        return Entered()
    result = event.result or CallResult.PROTOCOL_ERROR
    return _RESULTS[result](result.value)
