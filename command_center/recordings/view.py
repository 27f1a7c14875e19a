"""Rows to what the API gives."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Literal
from urllib.parse import urlsplit

from video_bridge import PlaylistEntry, hls_playlist

from ..consultation.tables import ConsultationRow
from .schemas import BookmarkOut, LiveOutputOut, RecordingDetailOut, RecordingOut, SourceOut
from .tables import BookmarkRow, LiveOutputRow, RecordingRow, SegmentRow
from .words import alarm_text, word

Kind = Literal["programme", "site", "content"]
_KINDS: dict[str, Kind] = {"programme": "programme", "content": "content"}


def recording_out(
    row: RecordingRow, consultation: ConsultationRow, size: tuple[int, int], retention: timedelta
) -> RecordingOut:
    """`size`: bytes of all files, milliseconds of the programme."""
    return RecordingOut.model_validate(
        {
            **row.model_dump(),
            "consultation_number": consultation.number,
            "incident_id": consultation.incident_id,
            "size_bytes": size[0],
            "duration_ms": size[1],
            "kept_until": None if row.stopped_at is None else row.stopped_at + retention,
            "alarm_text": alarm_text(row.alarm_code),
        }
    )


def detail_out(
    recording: RecordingOut, segments: Sequence[SegmentRow], marks: Sequence[BookmarkRow]
) -> RecordingDetailOut:
    sources = [
        _source(name, list(found)) for name, found in groupby(segments, lambda row: row.source)
    ]
    sources.sort(key=lambda s: ({"programme": 0, "content": 1}.get(s.kind, 2), s.name))
    programme = [row for row in segments if row.source == "programme"]
    return RecordingDetailOut(
        **recording.model_dump(),
        sources=sources,
        bookmarks=[
            BookmarkOut(**mark.model_dump(), offset_ms=offset_ms(programme, mark.at))
            for mark in marks
        ],
    )


def _source(source: str, rows: list[SegmentRow]) -> SourceOut:
    first, last = rows[0], rows[-1]
    kind = _KINDS.get(source.partition(":")[0], "site")
    name = next((row.name for row in rows if row.name), "")
    return SourceOut(
        source=source,
        kind=kind,
        name=word("source", "programme") if kind == "programme" else name or source,
        codec=first.codec,
        width=last.width,
        height=last.height,
        started_at=first.started_at,
        duration_ms=sum(row.duration_ms for row in rows),
        size_bytes=sum(row.size_bytes for row in rows),
        segments=len(rows),
        is_playable=first.codec == "H264",
    )


def offset_ms(programme: Sequence[SegmentRow], at: datetime) -> int:
    """Where a moment lies in the film, whose holes are not shown."""
    offset = 0
    for row in programme:
        into = (at - row.started_at).total_seconds() * 1000
        if into < row.duration_ms:
            return offset + max(0, round(into))
        offset += row.duration_ms
    return offset


def playlist(segments: Sequence[SegmentRow], *, is_ended: bool) -> str:
    """The film of one source; its files are asked for beside the playlist."""
    entries = [
        PlaylistEntry(
            uri=f"../files/{row.file_name}",
            head_bytes=row.head_bytes,
            size_bytes=row.size_bytes,
            started_at_ms=round(row.started_at.timestamp() * 1000),
            duration_ms=row.duration_ms,
        )
        for row in segments
    ]
    first = segments[0].sequence if segments else 1
    return hls_playlist(entries, first_number=first, is_ended=is_ended)


def live_out(row: LiveOutputRow) -> LiveOutputOut:
    url = f"/api/v1/live-outputs/{row.id}/live.m3u8" if row.kind == "hls" else None
    return LiveOutputOut.model_validate(
        {
            **row.model_dump(),
            "target": without_key(row.target),
            "alarm_text": alarm_text(row.alarm_code),
            "playlist_url": url,
        }
    )


def without_key(target: str) -> str:
    """An RTMP address for people: its last part is the stream's key."""
    if not target:
        return ""
    parts = urlsplit(target)
    path = parts.path.rsplit("/", 1)[0]
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}{path}/***"
