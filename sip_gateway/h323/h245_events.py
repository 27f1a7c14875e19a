"""What an H.245 session tells its owner."""

from __future__ import annotations

from dataclasses import dataclass

from .capability import CapabilitySet, MediaCapability
from .h243_events import ConferenceEvent
from .h460_per import TraversalParameters

Address = tuple[str, int]  # IPv4 dotted, port


@dataclass(frozen=True, slots=True)
class CapabilitiesReceived:
    """The peer declared (again) what it receives; an empty set means: stop sending (8.4.1)."""

    capabilities: CapabilitySet


@dataclass(frozen=True, slots=True)
class RoleDecided:
    is_master: bool


@dataclass(frozen=True, slots=True)
class ChannelOffered:
    """The peer wants to send. Answer with `accept_channel` or `reject_channel`."""

    number: int
    capability: MediaCapability | None  # None: nothing that we speak
    session: int
    rtcp: Address | None
    payload_type: int | None
    is_encrypted: bool = False  # H.235.6; the key is the session's `key_of`
    traversal: TraversalParameters | None = None  # where a client's keep-alives go (H.460.19)


@dataclass(frozen=True, slots=True)
class ChannelOpen:
    """Our channel was accepted: send media to `rtp`."""

    number: int
    session: int
    rtp: Address
    rtcp: Address | None
    payload_type: int | None
    traversal: TraversalParameters | None = None  # what the client's keep-alives look like


@dataclass(frozen=True, slots=True)
class FastStarted:
    """Channels opened by fast start: ours with what they carry, and the peer's."""

    sending: tuple[tuple[ChannelOpen, MediaCapability], ...]
    receiving: tuple[ChannelOffered, ...]


@dataclass(frozen=True, slots=True)
class ChannelRefused:
    number: int
    cause: str


@dataclass(frozen=True, slots=True)
class ChannelClosed:
    number: int
    by_us: bool


@dataclass(frozen=True, slots=True)
class CloseAsked:
    """The peer asks us to close a channel that we send (requestChannelClose)."""

    number: int


@dataclass(frozen=True, slots=True)
class KeyframeAsked:
    number: int


@dataclass(frozen=True, slots=True)
class FlowControlled:
    """Send at most this; None: no restriction any more. Number None: the whole call."""

    number: int | None
    bitrate_bps: int | None


@dataclass(frozen=True, slots=True)
class UserInput:
    digits: str


@dataclass(frozen=True, slots=True)
class TokenAsked:
    """H.239: the peer wants to present. Answer with `token_response`."""

    channel: int
    terminal: int


@dataclass(frozen=True, slots=True)
class TokenAnswered:
    granted: bool


@dataclass(frozen=True, slots=True)
class TokenReleased:
    pass


@dataclass(frozen=True, slots=True)
class TokenOwner:
    """The peer says whose content is shown (indicateOwner)."""

    terminal: int


@dataclass(frozen=True, slots=True)
class RoundTripMeasured:
    seconds: float


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """endSessionCommand, or the peer no longer answers (`reason` round_trip_timeout)."""

    reason: str


ControlEvent = (
    CapabilitiesReceived
    | RoleDecided
    | ChannelOffered
    | ChannelOpen
    | FastStarted
    | ChannelRefused
    | ChannelClosed
    | CloseAsked
    | KeyframeAsked
    | FlowControlled
    | UserInput
    | TokenAsked
    | TokenAnswered
    | TokenReleased
    | TokenOwner
    | RoundTripMeasured
    | SessionEnded
    | ConferenceEvent
)
