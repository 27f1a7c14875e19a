"""What the node holds and uses: snapshot, statistics, capacity."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ..allocation.links import Link
from .words import Body, LegKind, LegState, LegView, MediaKind


class StatsGet(Body):
    type: Literal["stats"] = "stats"
    conference_id: str | None = None


class SnapshotGet(Body):
    type: Literal["snapshot"] = "snapshot"


class CapacityGet(Body):
    """How much of the node is used, without the figures of every leg."""

    type: Literal["capacity"] = "capacity"


class StreamStats(Body):
    """One media in one direction."""

    media: MediaKind
    direction: Literal["in", "out"]
    codec: str | None = None
    bitrate_bps: int = 0
    packets: int = 0
    loss_pct: float = 0.0
    jitter_ms: float | None = None
    round_trip_ms: float | None = None
    width: int | None = None
    height: int | None = None
    frame_rate: float | None = None
    pictures: int | None = Field(default=None, description="video in: decoded since it is seen")
    longest_gap_ms: int | None = Field(
        default=None, description="video in: between two pictures, of the last 10 s"
    )
    slots_played: int | None = Field(default=None, description="audio in: 20 ms slots that came")
    slots_concealed: int | None = Field(default=None, description="lost and made up, 60 ms at most")
    slots_empty: int | None = Field(default=None, description="neither: silence or a hole")


class LegStats(Body):
    leg_id: str
    conference_id: str
    kind: LegKind
    name: str
    state: LegState
    publish: bool
    play: bool
    microphone_muted: bool
    speaker_muted: bool
    level_dbov: int | None = Field(default=None, description="0 loudest .. -127 silence")
    link: Link = "internet"
    max_bitrate_bps: int | None = None
    view: LegView = "hall"
    watch: str | None = Field(default=None, description="the leg that it watches alone")
    streams: list[StreamStats] = Field(default=[])


class ConferenceStats(Body):
    conference_id: str
    title: str
    panes: int
    seats: list[str | None]
    arrangement: str = Field(default="auto", description="of the halls, never 'auto' when told")
    chair_arrangement: str | None = Field(default=None, description="None: as the halls")
    chair_seats: list[str | None] | None = None
    speaker_leg_id: str | None = Field(default=None, description="who speaks now")
    recording_ids: list[str] = Field(default=[], description="recordings that run")
    live_ids: list[str] = Field(default=[], description="live outputs that run")
    content_leg_id: str | None = Field(
        default=None, description="whose second stream is shown, as content.set named it"
    )
    ticks: int = Field(default=0, description="pictures that were due so far")
    late_ticks: int = Field(default=0, description="of them, that ended over 40 ms late")
    starved_ticks: int = Field(default=0, description="of them, that waited for a processor")
    legs: list[LegStats] = Field(default=[])


class Capacity(Body):
    """What the node may use and uses, in milliseconds of a reference core each second."""

    cores: int
    speed: float = Field(description="1.0 is the reference machine, measured at the start")
    promised_ms_per_s: int
    used_ms_per_s: int
    encoders_ms_per_s: int

    @property
    def used_pct(self) -> int:
        return round(100 * self.used_ms_per_s / max(1, self.promised_ms_per_s))


class Snapshot(Body):
    """All that the node holds: the answer to `snapshot` and `stats`."""

    node_id: str
    started_at: str
    conferences: list[ConferenceStats] = Field(default=[])
    capacity: Capacity | None = None
