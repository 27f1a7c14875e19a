"""How the other rooms speak to a media node."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from . import messages as m
from .wire import Json, WireClient

_EVENTS: dict[str, type[m.Event]] = {
    "leg.up": m.LegUp,
    "leg.lost": m.LegLost,
    "leg.closed": m.LegClosed,
    "dtmf": m.DtmfPressed,
    "keyframe_wanted": m.KeyframeWanted,
    "content.flowing": m.ContentFlowing,
    "content.stopped": m.ContentStopped,
    "recording.segment": m.RecordingSegment,
    "recording.failed": m.RecordingFailed,
    "recording.resumed": m.RecordingResumed,
    "live.failed": m.LiveFailed,
    "live.flowing": m.LiveFlowing,
}


class NodeClient:
    """A media node, spoken to over its control wire.

    `on_event` gets every typed event in order; `on_link(True)` after each (re)connection - ask
    for `snapshot()` then and reconcile - and `on_link(False)` when the node went away.
    """

    def __init__(
        self,
        path: Path,
        on_event: Callable[[m.Event], None],
        on_link: Callable[[bool], None] | None = None,
    ) -> None:
        self._on_event = on_event
        self._on_link = on_link or (lambda up: None)
        self._wire = WireClient(path, self._take)

    @property
    def is_connected(self) -> bool:
        return self._wire.is_connected

    async def start(self) -> None:
        await self._wire.start()

    async def stop(self) -> None:
        await self._wire.stop()

    async def wait_connected(self, timeout_s: float) -> None:
        await self._wire.wait_connected(timeout_s)

    async def send(self, request: m.Request, *, timeout_s: float = 10.0) -> None:
        """Any request whose reply is empty. Raises LocalMediaError, NodeUnreachableError."""
        await self._ask(request, timeout_s)

    async def add_leg(self, request: m.LegAdd, *, timeout_s: float = 15.0) -> m.LegAdded:
        return m.LegAdded.model_validate(await self._ask(request, timeout_s))

    async def say(self, leg_id: str, prompt: str) -> float:
        """Say a recording to one leg. Returns its seconds; raises VideoBridgeError."""
        answer = await self._ask(m.PromptPlay(leg_id=leg_id, name=prompt), 5.0)
        return m.PromptPlaying.model_validate(answer).duration_s

    async def stats(self, conference_id: str | None = None) -> m.Snapshot:
        return m.Snapshot.model_validate(
            await self._ask(m.StatsGet(conference_id=conference_id), 5.0)
        )

    async def snapshot(self) -> m.Snapshot:
        return m.Snapshot.model_validate(await self._ask(m.SnapshotGet(), 5.0))

    async def capacity(self) -> m.Capacity:
        return m.Capacity.model_validate(await self._ask(m.CapacityGet(), 2.0))

    async def picture(
        self,
        conference_id: str,
        width: int = 640,
        *,
        view: m.View = "hall",
        preview: m.LayoutSet | None = None,
    ) -> m.Picture:
        """A view as it is now, or as `preview` would make it."""
        request = m.PictureGet(conference_id=conference_id, width=width, view=view, preview=preview)
        return m.Picture.model_validate(await self._ask(request, 5.0))

    async def _ask(self, request: m.Request, timeout_s: float) -> Json:
        body = request.model_dump(mode="json", exclude={"type"})
        return await self._wire.request(request.type, body, timeout_s=timeout_s)

    def _take(self, type_: str, body: Json) -> None:
        if type_ == "hello":
            self._on_link(True)
        elif type_ == "disconnected":
            self._on_link(False)
        elif type_ in _EVENTS:
            self._on_event(_EVENTS[type_].model_validate(body))
