"""One participant of a conference: its life from connecting to exactly one close reason.

The states are a table; `SilenceWatch` judges from what was heard and when, with `now` given, so
that both can be tested without a socket. What a leg receives and sends is its `Media`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from . import messages as m
from .codecs.picture import Picture
from .errors import LocalMediaError
from .messages import CloseReason, LegKind, LegState, LegView
from .prompt import Prompt
from .video.compositor import PaneState, PaneView

CONNECT_TIMEOUT_S = 20.0
LOST_AFTER_S = 2.5
FREE_AFTER_S = 30.0
PICTURE_STALE_S = 2.5
PICTURE_KEPT_S = 10.0
CAMERA_STARTS_WITHIN_S = 5.0

TRANSITIONS: dict[LegState, frozenset[LegState]] = {
    LegState.CONNECTING: frozenset({LegState.UP, LegState.LOST, LegState.CLOSED}),
    LegState.UP: frozenset({LegState.LOST, LegState.CLOSED}),
    LegState.LOST: frozenset({LegState.UP, LegState.CLOSED}),
    LegState.CLOSED: frozenset(),
}


class Verdict(Enum):
    """What a watch finds: stay as you are, or move."""

    CONNECTING = "connecting"
    ALIVE = "alive"
    SILENT = "silent"
    NEVER_CAME = "never_came"
    GONE = "gone"


class SilenceWatch:
    """Judges a leg by when its peer was last heard. All times in seconds of one monotonic clock.

    `begin` starts the time a peer may take to connect; before it nothing is expected (a room
    that still rings).
    """

    def __init__(self) -> None:
        self.began_at: float | None = None
        self.heard_at: float | None = None
        self.is_exempt = False
        self.free_after_s: float | None = FREE_AFTER_S  # None: a source that we pull is kept

    def begin(self, now: float) -> None:
        if self.began_at is None:
            self.began_at = now

    def begin_anew(self, now: float) -> None:
        """A step towards the connection was taken: the time it may take counts from here."""
        self.began_at = now

    def heard(self, now: float) -> None:
        self.heard_at = now

    def silent_s(self, now: float) -> float:
        """How long nothing was heard; zero before the first sign."""
        return 0.0 if self.heard_at is None else max(0.0, now - self.heard_at)

    def excuse(self, now: float, *, is_exempt: bool) -> None:
        """On hold, or not expected to send: silence counts from the end of the excuse only."""
        if self.is_exempt and not is_exempt and self.heard_at is not None:
            self.heard_at = now
        self.is_exempt = is_exempt

    def verdict(self, now: float) -> Verdict:
        if self.began_at is None:
            return Verdict.CONNECTING
        if self.is_exempt:
            return Verdict.ALIVE
        if self.heard_at is None:
            waited = now - self.began_at
            return Verdict.NEVER_CAME if waited >= CONNECT_TIMEOUT_S else Verdict.CONNECTING
        silent = now - self.heard_at
        if self.free_after_s is not None and silent >= self.free_after_s:
            return Verdict.GONE
        return Verdict.SILENT if silent >= LOST_AFTER_S else Verdict.ALIVE


@dataclass(frozen=True, slots=True)
class Shown:
    """The newest picture of a leg: `serial` differs for every picture, `at` is when it came."""

    picture: Picture
    serial: int
    at: float


class Media(Protocol):
    """What a kind of leg brings: its pictures, its sound, what it is sent."""

    @property
    def has_picture(self) -> bool:
        """Sends video, or would."""

    async def close(self) -> None:
        """End tasks, sockets and processes; say goodbye to the peer."""

    def newest(self, now: float) -> Shown | None:
        """The newest picture. Called in a worker thread."""

    def set_shown(self, is_shown: bool) -> None:
        """Whether some layout shows this leg; hidden legs are not decoded."""

    def tick_audio(self, now: float) -> NDArray[np.int16] | None:
        """The next 960 samples at 48 kHz, None for silence. Called in the audio thread."""

    def poll(self, now: float, unix_s: float) -> None:
        """Deadlines and reports, every 20 ms on the event loop."""

    def stats(self, now: float) -> list[m.StreamStats]:
        """What came and what went."""


class LegOwner(Protocol):
    """What a leg tells its conference, on the event loop."""

    def leg_changed(self, leg: Leg, event: m.Event) -> None: ...


class Leg:
    """Identity, state and flags. `media` is set once before the leg is used."""

    def __init__(self, request: m.LegAdd, owner: LegOwner, now: float) -> None:
        self.leg_id = request.leg_id
        self.conference_id = request.conference_id
        self.kind: LegKind = request.kind
        self.name = request.name
        self.publish = request.publish
        self.play = request.play
        self.link = request.link
        self.max_bitrate_bps = request.max_bitrate_bps
        self.state = LegState.CONNECTING
        self.close_reason: CloseReason | None = None
        self.microphone_muted = False
        self.speaker_muted = False
        self.on_hold = False
        self.seat_view: LegView = "hall"  # which view it is sent
        self.watching: str | None = None  # the one leg that it is sent instead
        self.is_speaking = False
        self.level_dbov: int | None = None
        self.prompt: Prompt | None = None  # what this leg alone is told now
        self.watch = SilenceWatch()
        self.added_at = now
        self.up_at: float | None = None
        self._shown_at: float | None = None  # since when it is decoded; None: it is not
        self.lost_detail: str | None = None
        self._owner = owner
        self._media: Media | None = None

    @property
    def media(self) -> Media:
        if self._media is None:
            raise LocalMediaError("leg_without_media", leg_id=self.leg_id)
        return self._media

    def attach(self, media: Media) -> None:
        self._media = media

    @property
    def has_media(self) -> bool:
        return self._media is not None

    @property
    def sends_picture(self) -> bool:
        """Whether the automatic layout gives this leg a pane now."""
        return self.takes_part and self._media is not None and self._media.has_picture

    @property
    def takes_part(self) -> bool:
        """Whether it is there and may be seen or heard."""
        return self.publish and self.state in (LegState.UP, LegState.LOST)

    def _move(self, state: LegState) -> bool:
        """True when this is a change. Raises LocalMediaError for a move the table lacks."""
        if state is self.state:
            return False
        if state not in TRANSITIONS[self.state]:
            raise LocalMediaError("leg_transition_invalid", was=self.state, to=state)
        self.state = state
        return True

    def up(self, now: float) -> None:
        """Media flows (again)."""
        if self.state is LegState.CLOSED or not self._move(LegState.UP):
            return
        self.up_at = now if self.up_at is None else self.up_at
        self.lost_detail = None
        event = m.LegUp(conference_id=self.conference_id, leg_id=self.leg_id)
        self._owner.leg_changed(self, event)

    def lost(self, silent_s: float, detail: str | None = None) -> None:
        """Silent although expected to send."""
        if self.state is LegState.CLOSED or not self._move(LegState.LOST):
            return
        self.lost_detail = detail
        self._owner.leg_changed(
            self,
            m.LegLost(
                conference_id=self.conference_id,
                leg_id=self.leg_id,
                silent_s=round(silent_s, 2),
                detail=detail,
            ),
        )

    def closed(self, reason: CloseReason, detail: str | None = None) -> bool:
        """End the leg; True the first time, when its one `leg.closed` is told."""
        if not self._move(LegState.CLOSED):
            return False
        self.close_reason = reason
        self._owner.leg_changed(
            self,
            m.LegClosed(
                conference_id=self.conference_id,
                leg_id=self.leg_id,
                reason=reason,
                detail=detail,
            ),
        )
        return True

    def judge(self, now: float) -> tuple[CloseReason, str] | None:
        """Apply the watch's verdict; what to close the leg with, None while it may live."""
        verdict = self.watch.verdict(now)
        if verdict is Verdict.ALIVE:
            self.up(now)
        elif verdict is Verdict.SILENT:
            self.lost(self.watch.silent_s(now), self.lost_detail)
        elif verdict is Verdict.NEVER_CAME:
            return CloseReason.TIMED_OUT, self.lost_detail or "never_connected"
        elif verdict is Verdict.GONE:
            return CloseReason.LOST, self.lost_detail or "silent"
        return None

    def show(self, now: float, *, is_shown: bool) -> None:
        """Whether some picture shows this leg; hidden legs are not decoded."""
        if not is_shown:
            self._shown_at = None
        elif self._shown_at is None:
            self._shown_at = now
        if self._media is not None:
            self._media.set_shown(is_shown)

    def is_coming(self, now: float) -> bool:
        """Whether its picture is not there yet, but soon will be."""
        if not self.sends_picture or self._media is None or self.state is LegState.LOST:
            return False
        return self._pane_state(self._media.newest(now), now) is PaneState.WAITING

    def view(self, now: float) -> PaneView:
        """How the leg's pane looks now."""
        shown = self._media.newest(now) if self._media is not None else None
        state = self._pane_state(shown, now)
        keeps = shown is not None and now - shown.at <= PICTURE_KEPT_S
        kept = shown if state is PaneState.LIVE or keeps else None
        if state is PaneState.WAITING:
            kept = None
        return PaneView(
            state=state,
            name=self.name,
            picture=kept.picture if kept is not None else None,
            serial=kept.serial if kept is not None else 0,
            is_muted=self.microphone_muted,
            is_speaking=self.is_speaking,
        )

    def _pane_state(self, shown: Shown | None, now: float) -> PaneState:
        if self.state is LegState.CONNECTING:
            return PaneState.WAITING
        if self.state is LegState.LOST:
            return PaneState.LOST
        if self._media is not None and not self._media.has_picture:
            return PaneState.AUDIO_ONLY
        stale = None if shown is None else now - shown.at
        if stale is not None and stale <= PICTURE_STALE_S:
            return PaneState.LIVE
        since = max((at for at in (self.up_at, self._shown_at) if at is not None), default=now)
        is_fresh = now - since < CAMERA_STARTS_WITHIN_S
        if is_fresh and (shown is None or shown.at < since):
            return PaneState.WAITING  # for its first key frame
        if stale is None:
            return PaneState.NO_CAMERA
        return PaneState.INTERRUPTED if stale <= PICTURE_KEPT_S else PaneState.NO_CAMERA

    def stats(self, now: float) -> m.LegStats:
        return m.LegStats(
            leg_id=self.leg_id,
            conference_id=self.conference_id,
            kind=self.kind,
            name=self.name,
            state=self.state,
            publish=self.publish,
            play=self.play,
            microphone_muted=self.microphone_muted,
            speaker_muted=self.speaker_muted,
            level_dbov=self.level_dbov,
            link=self.link,
            max_bitrate_bps=self.max_bitrate_bps,
            view=self.seat_view,
            watch=self.watching,
            streams=self._media.stats(now) if self._media is not None else [],
        )
