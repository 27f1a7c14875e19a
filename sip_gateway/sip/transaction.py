"""The four transaction machines of RFC 3261 clause 17 (with RFC 6026's Accepted) as tables.

A table maps (state, event) to a `Step`: the next state and what to do on the way. What is not in
the table is our own mistake and raises LocalSipError; a test shows that no table has a gap for
anything a peer can send. `transactions.py` runs the machines.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from ..errors import LocalSipError
from .message import Request, Response


@dataclass(frozen=True, slots=True)
class Flow:
    """A path to a peer: transport, the peer's address, and the connection it came over.

    `connection` is 0 for datagrams and for connections still to be opened.
    """

    transport: str
    host: str
    port: int
    connection: int = 0

    @property
    def is_reliable(self) -> bool:
        return self.transport != "udp"


@dataclass(frozen=True, slots=True)
class Timing:
    """Base times in seconds (RFC 3261 table 4)."""

    t1: float = 0.5
    t2: float = 4.0
    t4: float = 5.0

    @property
    def lifetime(self) -> float:
        """64*T1: timers B, F, H, J, L, M."""
        return 64 * self.t1


class Kind(StrEnum):
    INVITE_CLIENT = "invite_client"
    CLIENT = "client"
    INVITE_SERVER = "invite_server"
    SERVER = "server"


class State(StrEnum):
    CALLING = "calling"
    TRYING = "trying"
    PROCEEDING = "proceeding"
    ACCEPTED = "accepted"
    COMPLETED = "completed"
    CONFIRMED = "confirmed"
    TERMINATED = "terminated"


class Event(StrEnum):
    PROVISIONAL = "provisional"  # received by a client, sent by a server
    SUCCESS = "success"
    FAILURE = "failure"
    REQUEST = "request"  # a retransmission reached a server
    ACK = "ack"
    RETRANSMIT_DUE = "retransmit_due"  # timers A, E, G
    GIVE_UP_DUE = "give_up_due"  # timers B, F, H
    LINGER_DUE = "linger_due"  # timers D, I, J, K, L, M
    TRANSPORT_FAILED = "transport_failed"


class Action(StrEnum):
    PASS_UP = "pass_up"  # noqa: S105 - no secret: hand the message to the transaction user
    SEND = "send"  # the request, or the newest response
    SEND_ACK = "send_ack"  # ACK of a failure, part of the transaction
    BACK_OFF = "back_off"  # arm the retransmission timer, doubled, without ceiling
    BACK_OFF_T2 = "back_off_t2"  # the same, at most T2
    SLOW_DOWN = "slow_down"  # retransmit every T2 from now on
    STOP_RETRANSMITTING = "stop_retransmitting"
    STOP_GIVING_UP = "stop_giving_up"
    ARM_GIVE_UP = "arm_give_up"
    LINGER = "linger"  # arm D, I, J, K, L or M
    REPORT_TIMEOUT = "report_timeout"
    REPORT_TRANSPORT = "report_transport"


@dataclass(frozen=True, slots=True)
class Step:
    state: State
    actions: tuple[Action, ...] = ()


_STOP = (Action.STOP_RETRANSMITTING, Action.STOP_GIVING_UP)
_DEAD = Step(State.TERMINATED, (Action.REPORT_TRANSPORT,))
_LATE = Step(State.TERMINATED, (Action.REPORT_TIMEOUT,))
_END = Step(State.TERMINATED)
Table = dict[State, dict[Event, Step]]

INVITE_CLIENT: Table = {
    State.CALLING: {
        Event.RETRANSMIT_DUE: Step(State.CALLING, (Action.SEND, Action.BACK_OFF)),
        Event.GIVE_UP_DUE: _LATE,
        Event.PROVISIONAL: Step(State.PROCEEDING, (*_STOP, Action.PASS_UP)),
        Event.SUCCESS: Step(State.ACCEPTED, (*_STOP, Action.PASS_UP, Action.LINGER)),
        Event.FAILURE: Step(
            State.COMPLETED, (*_STOP, Action.SEND_ACK, Action.PASS_UP, Action.LINGER)
        ),
        Event.TRANSPORT_FAILED: _DEAD,
    },
    State.PROCEEDING: {
        Event.PROVISIONAL: Step(State.PROCEEDING, (Action.PASS_UP,)),
        Event.SUCCESS: Step(State.ACCEPTED, (Action.PASS_UP, Action.LINGER)),
        Event.FAILURE: Step(State.COMPLETED, (Action.SEND_ACK, Action.PASS_UP, Action.LINGER)),
        Event.TRANSPORT_FAILED: _DEAD,
    },
    State.ACCEPTED: {
        Event.PROVISIONAL: Step(State.ACCEPTED),
        Event.SUCCESS: Step(State.ACCEPTED, (Action.PASS_UP,)),
        Event.FAILURE: Step(State.ACCEPTED),
        Event.LINGER_DUE: _END,
        Event.TRANSPORT_FAILED: Step(State.ACCEPTED),
    },
    State.COMPLETED: {
        Event.PROVISIONAL: Step(State.COMPLETED),
        Event.SUCCESS: Step(State.COMPLETED),
        Event.FAILURE: Step(State.COMPLETED, (Action.SEND_ACK,)),
        Event.LINGER_DUE: _END,
        Event.TRANSPORT_FAILED: _END,
    },
}

CLIENT: Table = {
    State.TRYING: {
        Event.RETRANSMIT_DUE: Step(State.TRYING, (Action.SEND, Action.BACK_OFF_T2)),
        Event.GIVE_UP_DUE: _LATE,
        Event.PROVISIONAL: Step(State.PROCEEDING, (Action.PASS_UP,)),
        Event.SUCCESS: Step(State.COMPLETED, (*_STOP, Action.PASS_UP, Action.LINGER)),
        Event.FAILURE: Step(State.COMPLETED, (*_STOP, Action.PASS_UP, Action.LINGER)),
        Event.TRANSPORT_FAILED: _DEAD,
    },
    State.PROCEEDING: {
        Event.RETRANSMIT_DUE: Step(State.PROCEEDING, (Action.SEND, Action.SLOW_DOWN)),
        Event.GIVE_UP_DUE: _LATE,
        Event.PROVISIONAL: Step(State.PROCEEDING, (Action.PASS_UP,)),
        Event.SUCCESS: Step(State.COMPLETED, (*_STOP, Action.PASS_UP, Action.LINGER)),
        Event.FAILURE: Step(State.COMPLETED, (*_STOP, Action.PASS_UP, Action.LINGER)),
        Event.TRANSPORT_FAILED: _DEAD,
    },
    State.COMPLETED: {
        Event.PROVISIONAL: Step(State.COMPLETED),
        Event.SUCCESS: Step(State.COMPLETED),
        Event.FAILURE: Step(State.COMPLETED),
        Event.LINGER_DUE: _END,
        Event.TRANSPORT_FAILED: _END,
    },
}

INVITE_SERVER: Table = {
    State.PROCEEDING: {
        Event.REQUEST: Step(State.PROCEEDING, (Action.SEND,)),
        Event.ACK: Step(State.PROCEEDING),  # a peer's mistake: nothing to acknowledge yet
        Event.PROVISIONAL: Step(State.PROCEEDING, (Action.SEND,)),
        Event.SUCCESS: Step(State.ACCEPTED, (Action.SEND, Action.LINGER)),
        Event.FAILURE: Step(State.COMPLETED, (Action.SEND, Action.BACK_OFF_T2, Action.ARM_GIVE_UP)),
        Event.TRANSPORT_FAILED: _DEAD,
    },
    State.ACCEPTED: {
        Event.REQUEST: Step(State.ACCEPTED),  # RFC 6026: the user repeats its 2xx by itself
        Event.SUCCESS: Step(State.ACCEPTED, (Action.SEND,)),
        Event.ACK: Step(State.ACCEPTED, (Action.PASS_UP,)),
        Event.LINGER_DUE: _END,
        Event.TRANSPORT_FAILED: Step(State.ACCEPTED),
    },
    State.COMPLETED: {
        Event.REQUEST: Step(State.COMPLETED, (Action.SEND,)),
        Event.RETRANSMIT_DUE: Step(State.COMPLETED, (Action.SEND, Action.BACK_OFF_T2)),
        Event.GIVE_UP_DUE: _END,
        Event.ACK: Step(State.CONFIRMED, (*_STOP, Action.LINGER)),
        Event.TRANSPORT_FAILED: _END,
    },
    State.CONFIRMED: {
        Event.REQUEST: Step(State.CONFIRMED),
        Event.ACK: Step(State.CONFIRMED),
        Event.LINGER_DUE: _END,
        Event.TRANSPORT_FAILED: _END,
    },
}

SERVER: Table = {
    State.TRYING: {
        Event.REQUEST: Step(State.TRYING),
        Event.PROVISIONAL: Step(State.PROCEEDING, (Action.SEND,)),
        Event.SUCCESS: Step(State.COMPLETED, (Action.SEND, Action.LINGER)),
        Event.FAILURE: Step(State.COMPLETED, (Action.SEND, Action.LINGER)),
        Event.TRANSPORT_FAILED: _DEAD,
    },
    State.PROCEEDING: {
        Event.REQUEST: Step(State.PROCEEDING, (Action.SEND,)),
        Event.PROVISIONAL: Step(State.PROCEEDING, (Action.SEND,)),
        Event.SUCCESS: Step(State.COMPLETED, (Action.SEND, Action.LINGER)),
        Event.FAILURE: Step(State.COMPLETED, (Action.SEND, Action.LINGER)),
        Event.TRANSPORT_FAILED: _DEAD,
    },
    State.COMPLETED: {
        Event.REQUEST: Step(State.COMPLETED, (Action.SEND,)),
        Event.LINGER_DUE: _END,
        Event.TRANSPORT_FAILED: _END,
    },
}

TABLES: dict[Kind, Table] = {
    Kind.INVITE_CLIENT: INVITE_CLIENT,
    Kind.CLIENT: CLIENT,
    Kind.INVITE_SERVER: INVITE_SERVER,
    Kind.SERVER: SERVER,
}
FIRST_STATE = {
    Kind.INVITE_CLIENT: State.CALLING,
    Kind.CLIENT: State.TRYING,
    Kind.INVITE_SERVER: State.PROCEEDING,
    Kind.SERVER: State.TRYING,
}


def linger_s(kind: Kind, state: State, timing: Timing, *, is_reliable: bool) -> float:
    """How long an answered transaction stays to absorb repetitions: timers D, I, J, K, L, M."""
    if state is State.ACCEPTED:
        return timing.lifetime  # L and M
    if is_reliable:
        return 0.0
    if state is State.CONFIRMED or kind is Kind.CLIENT:
        return timing.t4  # I and K
    return max(32.0, timing.lifetime) if kind is Kind.INVITE_CLIENT else timing.lifetime  # D, J


def event_of_status(status: int) -> Event:
    if status < 200:
        return Event.PROVISIONAL
    return Event.SUCCESS if status < 300 else Event.FAILURE


Key = tuple[str, ...]


@dataclass(slots=True)
class Transaction:
    """One running machine. `key` finds it again when a message of its own arrives."""

    key: Key
    kind: Kind
    request: Request
    flow: Flow
    state: State
    response: Response | None = None
    interval_s: float = 0.0
    failed_flow: bool = field(default=False)

    def step(self, event: Event) -> tuple[Action, ...]:
        """Advance; returns what to do. Raises LocalSipError for what the table does not know."""
        step = TABLES[self.kind].get(self.state, {}).get(event)
        if step is None:
            raise LocalSipError(
                "transaction_event_unexpected", kind=self.kind, state=self.state, event=event
            )
        self.state = step.state
        return step.actions

    @property
    def is_client(self) -> bool:
        return self.kind in (Kind.CLIENT, Kind.INVITE_CLIENT)
