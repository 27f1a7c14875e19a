"""The words of the media node's control wire: requests, replies, events and close reasons.

Everything here is plain data. Bodies are pydantic models that refuse unknown fields; ids are
UUIDv7 strings minted by the caller, so that a retried request is the same request.
"""

from __future__ import annotations

from ..allocation.links import Link
from .conferences import (
    Arrangement,
    ConferenceClose,
    ConferenceOpen,
    ContentSet,
    LayoutSet,
    OverlaySet,
    Picture,
    PictureGet,
    Placeholder,
    PlaceholdersSet,
    SpeakerSwitch,
)
from .events import (
    ContentFlowing,
    ContentStopped,
    DtmfPressed,
    KeyframeWanted,
    LegClosed,
    LegLost,
    LegUp,
)
from .figures import (
    Capacity,
    CapacityGet,
    ConferenceStats,
    LegStats,
    Snapshot,
    SnapshotGet,
    StatsGet,
    StreamStats,
)
from .legs import (
    DtlsTerms,
    KeepAlive,
    KeyframeRequest,
    LegAdd,
    LegAdded,
    LegAnswer,
    LegRemove,
    LegUpdate,
    PromptPlay,
    PromptPlaying,
    RtpStream,
    SrtpKeys,
)
from .outputs import (
    ClosedSegment,
    LiveFailed,
    LiveFlowing,
    LiveStart,
    LiveStop,
    RecordingFailed,
    RecordingResumed,
    RecordingSegment,
    RecordStart,
    RecordStop,
)
from .words import (
    WIRE_VERSION,
    Body,
    CloseReason,
    Codec,
    Done,
    LegKind,
    LegState,
    LegView,
    MediaKind,
    VideoCodec,
    View,
)

Request = (
    ConferenceOpen
    | ConferenceClose
    | LayoutSet
    | OverlaySet
    | PlaceholdersSet
    | LegAdd
    | LegAnswer
    | LegUpdate
    | LegRemove
    | KeyframeRequest
    | PromptPlay
    | ContentSet
    | RecordStart
    | RecordStop
    | LiveStart
    | LiveStop
    | StatsGet
    | PictureGet
    | CapacityGet
    | SnapshotGet
)
Event = (
    LegUp
    | LegLost
    | LegClosed
    | DtmfPressed
    | KeyframeWanted
    | ContentFlowing
    | ContentStopped
    | RecordingSegment
    | RecordingFailed
    | RecordingResumed
    | LiveFailed
    | LiveFlowing
)

__all__ = [
    "WIRE_VERSION",
    "Arrangement",
    "Body",
    "Capacity",
    "CapacityGet",
    "CloseReason",
    "ClosedSegment",
    "Codec",
    "ConferenceClose",
    "ConferenceOpen",
    "ConferenceStats",
    "ContentFlowing",
    "ContentSet",
    "ContentStopped",
    "Done",
    "DtlsTerms",
    "DtmfPressed",
    "Event",
    "KeepAlive",
    "KeyframeRequest",
    "KeyframeWanted",
    "LayoutSet",
    "LegAdd",
    "LegAdded",
    "LegAnswer",
    "LegClosed",
    "LegKind",
    "LegLost",
    "LegRemove",
    "LegState",
    "LegStats",
    "LegUp",
    "LegUpdate",
    "LegView",
    "Link",
    "LiveFailed",
    "LiveFlowing",
    "LiveStart",
    "LiveStop",
    "MediaKind",
    "OverlaySet",
    "Picture",
    "PictureGet",
    "Placeholder",
    "PlaceholdersSet",
    "PromptPlay",
    "PromptPlaying",
    "RecordStart",
    "RecordStop",
    "RecordingFailed",
    "RecordingResumed",
    "RecordingSegment",
    "Request",
    "RtpStream",
    "Snapshot",
    "SnapshotGet",
    "SpeakerSwitch",
    "SrtpKeys",
    "StatsGet",
    "StreamStats",
    "VideoCodec",
    "View",
]
