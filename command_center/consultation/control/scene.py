"""From rows to the scene: what the desk ordered, as `staging` wants it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from video_bridge.messages import Arrangement, SpeakerSwitch

from ..tables import ConsultationRow
from .polling import next_look, round_of
from .staging import Overlay, Picture, Scene
from .tables import ControlRow, FloorRow


def scene_of(
    row: ConsultationRow, control: ControlRow, floor: Sequence[FloorRow], now: datetime
) -> Scene:
    """The orders of a consultation at `now`."""
    granted = [request for request in floor if request.state == "granted"]
    running = round_of(control)
    chair = control.chair_layout
    return Scene(
        halls=_picture(
            {
                "arrangement": control.arrangement,
                "panes": row.panes,
                "seats": row.seats,
                "speaker": control.speaker,
            }
        ),
        chair=None if chair is None else _picture(chair),
        chair_id=control.chair_id,
        broadcast_id=control.broadcast_id if control.broadcast == "site" else None,
        is_mosaic_broadcast=control.broadcast == "mosaic",
        roll_call_id=control.roll_call_id,
        polling_id=None if running is None else running.turn.site,
        polling_view="hall" if running is None else running.view,
        speakers=frozenset(request.participant_id for request in granted),
        waiting=tuple(r.participant_id for r in floor if r.state == "waiting"),
        is_floor_exclusive=any(request.is_exclusive for request in granted),
        overlay=_overlay(control.overlay or {}, now),
    )


def _picture(stored: dict[str, Any]) -> Picture:
    seats, speaker = stored.get("seats"), stored.get("speaker")
    return Picture(
        arrangement=cast("Arrangement | None", stored.get("arrangement")),
        panes=stored.get("panes"),
        seats=None if seats is None else tuple(UUID(s) if s else None for s in seats),
        speaker=None if speaker is None else SpeakerSwitch.model_validate(speaker),
    )


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _overlay(stored: dict[str, Any], now: datetime) -> Overlay:
    until, countdown = _instant(stored.get("message_until")), _instant(stored.get("countdown_to"))
    is_over = until is not None and now >= until
    return Overlay(
        banner=stored.get("banner", ""),
        message="" if is_over else stored.get("message", ""),
        clock=bool(stored.get("clock", False)),
        countdown_to_ms=None if countdown is None else round(countdown.timestamp() * 1000),
        names=bool(stored.get("names", True)),
    )


def next_change(control: ControlRow, now: datetime) -> datetime | None:
    """When the scene changes by itself: a turn of polling, a message's end, the meeting's end."""
    until = _instant((control.overlay or {}).get("message_until"))
    times = [next_look(control, now)]
    times.append(until if until is not None and until > now else None)
    times.append(control.ends_at if control.ends_by_itself else None)
    return min((time for time in times if time is not None), default=None)
