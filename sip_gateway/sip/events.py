"""What a `UserAgent` tells the shell above it. Bodies are raw bytes of SDP or whatever came."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .message import Request
from .transaction import Flow, Key
from .uri import SipUri


class EndCause(StrEnum):
    """Why a session is over."""

    LOCAL = "local"  # we hung up, cancelled or refused
    REMOTE = "remote"  # BYE
    CANCELLED = "cancelled"  # the caller gave up before we answered
    REFUSED = "refused"  # a final failure response, see the status
    TIMED_OUT = "timed_out"  # no response at all
    TRANSPORT = "transport"  # the transport says nobody is there
    NO_ACK = "no_ack"  # our answer was never acknowledged
    EXPIRED = "expired"  # the session timer ran out (RFC 4028)
    PROTOCOL = "protocol"  # the peer broke the protocol


@dataclass(frozen=True, slots=True)
class IncomingCall:
    """An INVITE that starts a call. Then: `ring`, `answer` or `reject`."""

    session_id: str
    request: Request
    flow: Flow


@dataclass(frozen=True, slots=True)
class RequestReceived:
    """REGISTER: the shell authenticates and answers it with `respond(key, ...)`."""

    key: Key
    request: Request
    flow: Flow


@dataclass(frozen=True, slots=True)
class CallProgress:
    """A provisional response above 100 to our INVITE."""

    session_id: str
    status: int
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class CallAnswered:
    """Our INVITE was taken; `body` is the answer to our offer. The ACK is already sent."""

    session_id: str
    body: bytes
    flow: Flow


@dataclass(frozen=True, slots=True)
class CallEstablished:
    """Our answer to an INVITE was acknowledged; `body` is the answer if the offer was ours."""

    session_id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class CallEnded:
    session_id: str
    cause: EndCause
    status: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class OfferReceived:
    """A re-INVITE or UPDATE. Then `accept_offer` or `refuse_offer`. Empty body: make an offer."""

    session_id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class AnswerReceived:
    """The answer to an offer we made inside the call, by 2xx or by ACK."""

    session_id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class OfferRefused:
    """Our re-INVITE was refused; the session goes on as it was."""

    session_id: str
    status: int


@dataclass(frozen=True, slots=True)
class InfoReceived:
    session_id: str
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class ReferReceived:
    """A room in a call asks to be sent elsewhere (RFC 3515); 202 and a first NOTIFY are out.

    Tell how it went with `notify_refer(session_id, cseq, status)`.
    """

    session_id: str
    refer_to: SipUri
    cseq: int


@dataclass(frozen=True, slots=True)
class Malformed:
    """Something that is no valid SIP came over this flow; counted by the guard."""

    flow: Flow
    code: str


Event = (
    IncomingCall
    | RequestReceived
    | CallProgress
    | CallAnswered
    | CallEstablished
    | CallEnded
    | OfferReceived
    | AnswerReceived
    | OfferRefused
    | InfoReceived
    | ReferReceived
    | Malformed
)
