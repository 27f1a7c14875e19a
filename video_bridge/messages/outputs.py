"""Recordings and live outputs: requests, and the events that tell of them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .words import Body


class RecordStart(Body):
    """Record a conference into `folder`, which the recorder makes. The same again changes nothing.

    `programme` is the composed picture with the full mix, `sites` each publishing leg's own
    pictures as received, `content` the second stream. Numbering goes on in a folder that has
    segments already. Errors: `recording_folder_refused`, `conference_unknown`.
    """

    type: Literal["recording.start"] = "recording.start"
    conference_id: str
    recording_id: str
    folder: str = Field(max_length=1000, description="absolute path on the node's machine")
    sources: list[Literal["programme", "sites", "content"]] = Field(
        default=["programme", "sites", "content"]
    )
    minimum_free_bytes: int = Field(
        default=1 << 30, ge=0, description="stop writing while the disk has less"
    )


class RecordStop(Body):
    """Close what is being written; answered when the last segment is closed. Unknown: done."""

    type: Literal["recording.stop"] = "recording.stop"
    recording_id: str


class LiveStart(Body):
    """Give the programme out. hls: `target` is a folder; rtmp: rtmp:// or rtmps:// to a host.

    The same again changes nothing. Errors: `live_target_refused`, `conference_unknown`.
    """

    type: Literal["live.start"] = "live.start"
    conference_id: str
    live_id: str
    kind: Literal["hls", "rtmp"]
    target: str = Field(max_length=1000)
    delay_s: float = Field(default=0.0, ge=0, le=300, description="held back before it goes out")


class LiveStop(Body):
    type: Literal["live.stop"] = "live.stop"
    live_id: str


class ClosedSegment(Body):
    """A line of a recording's manifest: a file that is whole and plays by itself."""

    source: str = Field(description="programme, content:LEG_ID or leg:LEG_ID")
    name: str = Field(default="", description="the site's name when the segment began")
    sequence: int
    file_name: str
    codec: str
    width: int
    height: int
    started_at_ms: int = Field(description="wall clock of its first picture, ms since 1970")
    duration_ms: int
    size_bytes: int
    head_bytes: int = Field(description="fragmented MP4: its first bytes, that open it; else 0")
    sha256: str
    sm3: str


class RecordingSegment(ClosedSegment):
    """A segment is closed, on the disk (fsync) under its name."""

    type: Literal["recording.segment"] = "recording.segment"
    conference_id: str
    recording_id: str


class RecordingFailed(Body):
    """Nothing is written at present; the conference goes on, and so does the trying.

    Codes: `recorder_died`, `disk_full`, `recorder_behind`, `recording_write_failed`.
    """

    type: Literal["recording.failed"] = "recording.failed"
    conference_id: str
    recording_id: str
    code: str
    dropped: int = Field(default=0, description="packets not written since the start")


class RecordingResumed(Body):
    """Written again after `recording.failed`."""

    type: Literal["recording.resumed"] = "recording.resumed"
    conference_id: str
    recording_id: str


class LiveFailed(Body):
    """The live output does not go out at present; it is tried again until stopped.

    Codes: `recorder_died`, `live_target_unreachable`, `disk_full`, `recording_write_failed`.
    """

    type: Literal["live.failed"] = "live.failed"
    conference_id: str
    live_id: str
    code: str


class LiveFlowing(Body):
    """The live output goes out (again)."""

    type: Literal["live.flowing"] = "live.flowing"
    conference_id: str
    live_id: str
