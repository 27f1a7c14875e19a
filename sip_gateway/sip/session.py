"""One call as SIP sees it: its states as a table, and what has to be remembered of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from ..errors import LocalSipError
from .dialog import Dialog
from .message import Headers, Request, Response
from .session_timer import Interval
from .transaction import Flow, Key


class SessionState(StrEnum):
    CALLING = "calling"  # our INVITE is out, nothing came back
    PROCEEDING = "proceeding"  # a provisional response came back
    CANCELLING = "cancelling"  # we gave up; a 2xx may still cross our CANCEL
    RECEIVED = "received"  # their INVITE waits for our answer
    ANSWERED = "answered"  # our 2xx waits for its ACK
    CONFIRMED = "confirmed"
    ENDING = "ending"  # our BYE waits for its response
    ENDED = "ended"


class SessionEvent(StrEnum):
    PROVISIONAL = "provisional"
    TAKEN = "taken"  # 2xx received
    REFUSED = "refused"  # final failure, time-out or transport failure of our INVITE
    GIVE_UP = "give_up"  # we hang up before an answer
    ANSWER = "answer"  # we send 2xx
    REJECT = "reject"  # we send a final failure, also after CANCEL
    ACKNOWLEDGED = "acknowledged"
    HANG_UP = "hang_up"  # we send BYE
    REMOTE_BYE = "remote_bye"
    OVER = "over"  # BYE answered, or nothing more to wait for


S, E = SessionState, SessionEvent
TRANSITIONS: dict[SessionState, dict[SessionEvent, SessionState]] = {
    S.CALLING: {
        E.PROVISIONAL: S.PROCEEDING,
        E.TAKEN: S.CONFIRMED,
        E.REFUSED: S.ENDED,
        E.GIVE_UP: S.CANCELLING,
    },
    S.PROCEEDING: {
        E.PROVISIONAL: S.PROCEEDING,
        E.TAKEN: S.CONFIRMED,
        E.REFUSED: S.ENDED,
        E.GIVE_UP: S.CANCELLING,
    },
    S.CANCELLING: {
        E.PROVISIONAL: S.CANCELLING,
        E.TAKEN: S.ENDING,
        E.REFUSED: S.ENDED,
        E.OVER: S.ENDED,
    },
    S.RECEIVED: {E.ANSWER: S.ANSWERED, E.REJECT: S.ENDED},
    S.ANSWERED: {
        E.ACKNOWLEDGED: S.CONFIRMED,
        E.HANG_UP: S.ENDING,
        E.REMOTE_BYE: S.ENDED,
    },
    S.CONFIRMED: {
        E.ACKNOWLEDGED: S.CONFIRMED,
        E.HANG_UP: S.ENDING,
        E.REMOTE_BYE: S.ENDED,
    },
    S.ENDING: {E.OVER: S.ENDED, E.REMOTE_BYE: S.ENDED},
    S.ENDED: {},
}


@dataclass(slots=True)
class Unacknowledged:
    """A 2xx of ours that is repeated until its ACK comes (RFC 3261 clause 13.3.1.4)."""

    key: Key
    response: Response
    cseq: int
    interval_s: float
    holds_offer: bool  # the ACK has to bring the answer


@dataclass(slots=True)
class ReliableProvisional:
    """A 18x of ours that is repeated until its PRACK comes (RFC 3262 clause 3)."""

    number: int  # RSeq
    headers: Headers
    interval_s: float
    gives_up_at: float


@dataclass(slots=True)
class PendingOffer:
    """A re-INVITE or UPDATE of the far end that we have not answered yet."""

    key: Key
    request: Request


@dataclass(slots=True)
class Session:
    """`invite` and `invite_key` are those of the newest INVITE that starts the call."""

    id: str
    is_outgoing: bool
    state: SessionState
    invite: Request
    invite_key: Key
    flow: Flow
    local_tag: str
    dialog: Dialog | None = None
    username: str | None = None
    password: str | None = None
    attempts: int = 1
    cancel_is_sent: bool = False
    bye_is_wanted: bool = False
    is_reported: bool = False  # CallEnded has been given
    acks: dict[str, Request] = field(default_factory=dict)  # by the remote tag and CSeq
    unacknowledged: Unacknowledged | None = None
    pending_offer: PendingOffer | None = None
    own_offer: Key | None = None  # our re-INVITE under way
    requests: list[Key] = field(default_factory=list)  # client transactions started for it
    local_body: bytes = b""  # our newest description, repeated by a refresh
    interval: Interval | None = None
    allows_update: bool = False
    retry_offer: bytes | None = None  # our re-INVITE after 491
    is_probe_answered: bool = False  # something came back for our OPTIONS
    reliable: ReliableProvisional | None = None
    early: dict[str, Dialog] = field(default_factory=dict)  # by remote tag, while we call
    early_numbers: dict[str, int] = field(default_factory=dict)  # the RSeq last acknowledged
    early_answer: bytes = b""  # an answer that came in a reliable 18x

    def step(self, event: SessionEvent) -> None:
        """Raises LocalSipError for what the table does not know."""
        following = TRANSITIONS[self.state].get(event)
        if following is None:
            raise LocalSipError("session_event_unexpected", state=self.state, event=event)
        self.state = following

    def allows(self, event: SessionEvent) -> bool:
        return event in TRANSITIONS[self.state]
