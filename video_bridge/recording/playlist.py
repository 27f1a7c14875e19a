"""HLS media playlists (RFC 8216) over fragmented MP4 segments that open themselves.

Each segment is one file: its first `head_bytes` are its EXT-X-MAP, the rest the segment proper.
Times inside are absolute, so segments that follow each other need no discontinuity.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

GAP_MS = 200


@dataclass(frozen=True, slots=True)
class PlaylistEntry:
    uri: str
    head_bytes: int
    size_bytes: int
    started_at_ms: int
    duration_ms: int


def hls_playlist(
    entries: Sequence[PlaylistEntry], *, first_number: int = 0, is_ended: bool = False
) -> str:
    """The playlist's text. After a hole the wall clock is told, and a discontinuity."""
    longest_ms = max((entry.duration_ms for entry in entries), default=1000)
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{-(-longest_ms // 1000)}",
        f"#EXT-X-MEDIA-SEQUENCE:{first_number}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    ]
    if is_ended:
        lines.append("#EXT-X-PLAYLIST-TYPE:VOD")
    end_ms: int | None = None
    for entry in entries:
        if end_ms is None or abs(entry.started_at_ms - end_ms) > GAP_MS:
            if end_ms is not None:
                lines.append("#EXT-X-DISCONTINUITY")
            began = datetime.fromtimestamp(entry.started_at_ms / 1000, UTC)
            lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{began.isoformat(timespec='milliseconds')}")
        lines += [
            f'#EXT-X-MAP:URI="{entry.uri}",BYTERANGE="{entry.head_bytes}@0"',
            f"#EXTINF:{entry.duration_ms / 1000:.3f},",
            f"#EXT-X-BYTERANGE:{entry.size_bytes - entry.head_bytes}@{entry.head_bytes}",
            entry.uri,
        ]
        end_ms = entry.started_at_ms + entry.duration_ms
    if is_ended:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"
