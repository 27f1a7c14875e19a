"""What a peer asks and tells by H.243's conference messages (H.245 7.6, H.243 clauses 5 to 9)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True, order=True)
class Label:
    """A terminal of a conference: the number of its MCU and its own there, 0 to 192 each."""

    mcu: int
    terminal: int


class Ask(Enum):
    """What may be asked of who holds the conference; values are H.245's names."""

    TERMINAL_LIST = "terminalListRequest"
    TERMINAL_NAME = "requestTerminalID"
    TERMINAL_NAMES = "requestAllTerminalIDs"
    CHAIR = "makeMeChair"
    CHAIR_RELEASE = "cancelMakeMeChair"
    CHAIR_OWNER = "requestChairTokenOwner"
    DROP = "dropTerminal"
    BROADCASTER = "makeTerminalBroadcaster"
    BROADCASTER_END = "cancelMakeTerminalBroadcaster"
    MINE = "broadcastMyLogicalChannel"
    MINE_END = "cancelBroadcastMyLogicalChannel"
    SOURCE = "sendThisSource"
    SOURCE_END = "cancelSendThisSource"
    END_CONFERENCE = "dropConference"
    FLOOR = "requestForFloor"
    OWN_NAME = "enterH243TerminalID"


class Tell(Enum):
    """What who holds the conference tells its terminals; values are H.245's names."""

    NUMBER = "terminalNumberAssign"
    JOINED = "terminalJoinedConference"
    LEFT = "terminalLeftConference"
    SEEING = "terminalYouAreSeeing"
    FLOOR_ASKED = "floorRequested"
    CHAIR_WITHDRAWN = "withdrawChairToken"
    SEEN = "seenByAtLeastOneOther"
    SEEN_NOT = "cancelSeenByAtLeastOneOther"
    SEEN_BY_ALL = "seenByAll"
    SEEN_BY_ALL_NOT = "cancelSeenByAll"


@dataclass(frozen=True, slots=True)
class ConferenceAsked:
    """A wish or an order of the peer. `wants_answer`: it came as a request (7.6), not a command."""

    ask: Ask
    label: Label | None = None
    channel: int | None = None
    wants_answer: bool = False


@dataclass(frozen=True, slots=True)
class ConferenceTold:
    """An indication of the peer that holds the conference."""

    tell: Tell
    label: Label | None = None


@dataclass(frozen=True, slots=True)
class ConferenceAnswered:
    """The answer to what we asked: a decision, or terminals with their names (empty: unnamed)."""

    ask: Ask
    granted: bool = True
    terminals: tuple[tuple[Label, str], ...] = ()


ConferenceEvent = ConferenceAsked | ConferenceTold | ConferenceAnswered
