"""One conference: its legs, who sits where, and who ends when.

The conference owns its legs: it judges them, closes them, and closing itself closes them all.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from . import messages as m
from .audio.mixer import Frame
from .content import ContentShow
from .leg import Leg
from .messages import CloseReason, LegState, MediaKind
from .places import EncoderBudget
from .recording.outputs import Outputs
from .sound import Sound
from .streams.outbound import Outbound
from .streams.session import RtpSession
from .views import Views

log = logging.getLogger(__name__)

POLL_S = 0.02
JUDGE_EVERY = 10  # polls


@dataclass(frozen=True, slots=True)
class Workers:
    """The node's threads: decoding, encoding (and composing), sound; and what encoders may cost."""

    decode: Executor
    encode: Executor
    audio: Executor
    budget: EncoderBudget


class Conference:
    """Add legs with `join`, end them with `close_leg`; `run` until `close`."""

    def __init__(
        self, opening: m.ConferenceOpen, workers: Workers, emit: Callable[[m.Event], None]
    ) -> None:
        self.conference_id = opening.conference_id
        self.legs: dict[str, Leg] = {}
        self._emit = emit
        self._closing: dict[str, asyncio.Task[None]] = {}
        self.views = Views(
            opening.conference_id,
            workers.encode,
            self._all,
            lambda: self._receivers("video"),
            workers.budget,
        )
        self._sound = Sound(
            workers.audio, self._all, lambda: self._receivers("audio"), self.views.hear
        )
        self.outputs = Outputs(opening.conference_id, self.views.hall, self._sound, self._all, emit)
        self.content = ContentShow(opening.conference_id, workers.encode, self._all, emit)
        self.views.page_for = self.content.page_for
        self._tasks: list[asyncio.Task[None]] = []
        self._loop = asyncio.get_running_loop()
        self.reopen(opening)

    @property
    def sound_taps(self) -> list[Callable[[Frame, float], None]]:
        """Who listens to the full mix, each tick."""
        return self._sound.taps

    def reopen(self, opening: m.ConferenceOpen) -> None:
        """Title and mark; the rest stays."""
        self.title = opening.title
        self.is_drill = opening.is_drill
        self.views.describe(opening.title, is_drill=opening.is_drill)

    def start(self) -> None:
        self.views.start()
        for job in (self._sound.run, self.content.run, self._poll):
            task = asyncio.create_task(job())
            task.add_done_callback(_report)
            self._tasks.append(task)

    # --- legs ---------------------------------------------------------------------------------

    def join(self, leg: Leg) -> None:
        self.legs[leg.leg_id] = leg

    def leg_changed(self, leg: Leg, event: m.Event) -> None:
        """`LegOwner`: every change of a leg's state is told."""
        del leg
        self._emit(event)

    def end_leg(self, leg_id: str, reason: CloseReason, detail: str | None = None) -> None:
        """Close a leg from a callback; the conference owns the task."""
        if leg_id in self.legs and leg_id not in self._closing:
            self._closing[leg_id] = asyncio.create_task(self.close_leg(leg_id, reason, detail))
            self._closing[leg_id].add_done_callback(_report)
            self._closing[leg_id].add_done_callback(lambda _: self._closing.pop(leg_id, None))

    async def close_leg(self, leg_id: str, reason: CloseReason, detail: str | None = None) -> None:
        """End a leg: out of picture and sound at once, told once, then its transports."""
        leg = self.legs.pop(leg_id, None)
        if leg is None or not leg.closed(reason, detail):
            return
        self.content.forget(leg_id)
        self.views.forget(leg_id)
        if leg.has_media:
            await leg.media.close()

    async def close(self, reason: CloseReason = CloseReason.CONFERENCE_CLOSED) -> None:
        """End all legs, then the tasks."""
        await asyncio.gather(*(self.close_leg(leg_id, reason) for leg_id in list(self.legs)))
        await asyncio.gather(*self._closing.values(), return_exceptions=True)
        await self.outputs.close()
        await self.views.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _all(self) -> Sequence[Leg]:
        return list(self.legs.values())

    def _receivers(self, media: MediaKind) -> list[tuple[Leg, Outbound]]:
        found = []
        for leg in self.legs.values():
            session = _session(leg) if leg.play else None
            if session is None:
                continue
            outbound = session.out.get(media)
            if outbound is not None and outbound.target is not None:
                found.append((leg, outbound))
        return found

    async def _poll(self) -> None:
        """Deadlines of all legs, and the watch over their silence."""
        ticks = 0
        while True:
            await asyncio.sleep(POLL_S)
            ticks += 1
            now, unix_s = self._loop.time(), time.time()
            if ticks % JUDGE_EVERY == 0:
                self.outputs.poll()
            for index, leg in enumerate(self._all()):
                is_judged = (ticks + index) % JUDGE_EVERY == 0
                if not is_judged:
                    session = _session(leg)
                    if session is not None and not session.is_shown:
                        continue  # its deadlines are those of reports alone
                try:
                    self._look_after(leg, now, unix_s, is_judged=is_judged)
                except Exception:  # one leg's fault must not leave the others unwatched
                    log.exception("leg %s failed", leg.leg_id)
                    self.end_leg(leg.leg_id, CloseReason.FAILED)

    def _look_after(self, leg: Leg, now: float, unix_s: float, *, is_judged: bool) -> None:
        if leg.has_media:
            leg.media.poll(now, unix_s)
        if is_judged:
            verdict = leg.judge(now)
            if verdict is not None:
                self.end_leg(leg.leg_id, *verdict)

    @property
    def ticks(self) -> tuple[int, int]:
        """Pictures so far: made, and late or starved."""
        found = self.views.hall.punctuality
        return found.ticks, found.late_ticks + found.starved_ticks

    def stats(self, now: float) -> m.ConferenceStats:
        seating, chair = self.views.seating()
        return m.ConferenceStats(
            conference_id=self.conference_id,
            title=self.title,
            panes=len(seating.seats),
            seats=list(seating.seats),
            arrangement=seating.arrangement,
            chair_arrangement=None if chair is None else chair.arrangement,
            chair_seats=None if chair is None else list(chair.seats),
            speaker_leg_id=self._sound.speaker,
            content_leg_id=self.content.leg_id,
            ticks=self.views.hall.punctuality.ticks,
            late_ticks=self.views.hall.punctuality.late_ticks,
            starved_ticks=self.views.hall.punctuality.starved_ticks,
            recording_ids=self.outputs.recording_ids,
            live_ids=self.outputs.live_ids,
            legs=[leg.stats(now) for leg in self._all() if leg.state is not LegState.CLOSED],
        )


def _session(leg: Leg) -> RtpSession | None:
    """Of a leg that speaks RTP. Asked of all legs at each tick: `isinstance` would cost more."""
    session: RtpSession | None = getattr(leg.media, "session", None) if leg.has_media else None
    return session


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("task of a conference failed", exc_info=task.exception())
