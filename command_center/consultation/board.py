"""What the node last told of each consultation's legs: shown, pushed, never stored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from video_bridge.messages import ConferenceStats, LegStats, StreamStats

from .schemas import DirectionOut, ParticipantStatsOut


@dataclass(frozen=True, slots=True)
class LegFigures:
    stats: ParticipantStatsOut
    is_in_picture: bool


def _of(
    streams: Iterable[StreamStats], media: str, way: Literal["in", "out"]
) -> StreamStats | None:
    return next((s for s in streams if s.media == media and s.direction == way), None)


def _direction(leg: LegStats, way: Literal["in", "out"]) -> DirectionOut | None:
    """Video is the headline where there is any; the loss is the worse of both."""
    video, audio = _of(leg.streams, "video", way), _of(leg.streams, "audio", way)
    if video is None and audio is None:
        return None
    head = video or audio
    total = sum(s.bitrate_bps for s in (video, audio) if s is not None)
    streams = [stream for stream in (video, audio) if stream is not None]
    loss = max(stream.loss_pct for stream in streams)
    jitter = max((s.jitter_ms for s in streams if s.jitter_ms is not None), default=None)
    trip = max((s.round_trip_ms for s in streams if s.round_trip_ms is not None), default=None)
    return DirectionOut(
        codec=head.codec if head else None,
        bitrate_bps=total,
        loss_pct=round(loss, 2),
        jitter_ms=None if jitter is None else round(jitter, 1),
        round_trip_ms=None if trip is None else round(trip, 1),
        width=video.width if video else None,
        height=video.height if video else None,
        frame_rate=video.frame_rate if video else None,
        audio_codec=audio.codec if audio else None,
        audio_loss_pct=round(audio.loss_pct, 2) if audio else None,
    )


def figures(conference: ConferenceStats) -> dict[str, LegFigures]:
    """Leg id -> what the roster shows of it."""
    seen = {seat for seat in conference.seats if seat is not None}
    found = {}
    for leg in conference.legs:
        incoming, outgoing = _direction(leg, "in"), _direction(leg, "out")
        head = incoming or outgoing or DirectionOut()
        found[leg.leg_id] = LegFigures(
            ParticipantStatsOut.model_validate(
                {
                    **head.model_dump(),
                    "level_dbov": leg.level_dbov,
                    "in": incoming,
                    "out": outgoing,
                }
            ),
            leg.leg_id in seen,
        )
    return found
