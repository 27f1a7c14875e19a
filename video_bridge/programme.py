"""One view of a conference: 25 times a second, compose, encode each rung, send to many.

Composing and encoding happen in worker threads; the event loop only waits and sends. A tick that
takes too long makes the next one late, never a queue.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from typing import Protocol

from .allocation.rungs import H264_720P, H264_1080P, RungKey
from .codecs.picture import Picture
from .codecs.video import EncodedFrame
from .datapath import Departure, FanoutTarget
from .errors import LocalMediaError
from .leg import Leg
from .punctuality import Punctuality
from .streams.outbound import Outbound
from .video.catch_up import CatchUp
from .video.compositor import Compositor, PaneView
from .video.cut import Cut
from .video.ladder import FPS, Rung, Train, timestamp_of
from .video.layouts import Layout, Seating, seated
from .video.overlay import Wording
from .video.picture import jpeg
from .video.voice_switch import VoiceSwitch

log = logging.getLogger(__name__)

TICK_S = 1 / FPS
RUNG_KEPT_S = 3.0
PACE_S = 0.005  # between groups of packets of one frame
WATCHED_FOR_S = 10.0  # after a still was asked for, legs go on being decoded
MAX_BEHIND_S = 0.5
CUT_WAITS_S = 0.8  # at most, for pictures of those whom nobody saw so far
LOOK_EVERY_S = 0.05


class ProgrammeTap(Protocol):
    """Takes the programme's encoded frames whole: a recorder, one more receiver of a rung."""

    rung: Rung | None

    def take_picture(self, frame: EncodedFrame, now: float) -> None:
        """One frame of `rung`, on the event loop."""


def _is_recorded(key: RungKey) -> bool:
    is_sized = (key.width, key.height) == (H264_720P.width, H264_720P.height)
    return key.codec == "H264" and key.packetization_mode == 1 and is_sized


class Programme:
    """One composed picture and its ladder of encodings.

    `legs()` gives the legs in the order in which they were added; `receivers(now)` those who are
    sent this picture, each with its rung. `on_show()` is called when `wanted` may have changed.
    """

    def __init__(
        self,
        pool: Executor,
        legs: Callable[[], Sequence[Leg]],
        receivers: Callable[[float], Sequence[tuple[Outbound, RungKey]]],
        on_show: Callable[[float], None],
        *,
        is_chair: bool = False,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.title = ""
        self.layout = Layout()
        self.switch: VoiceSwitch | None = None
        self.wording = Wording()
        self.placeholders: Mapping[str, PaneView] = {}
        self.wanted: frozenset[str] = frozenset()  # the legs that have to be decoded for it
        self.ticks = 0
        self.punctuality = Punctuality()
        self._pool = pool
        self._legs = legs
        self._receivers = receivers
        self._on_show = on_show
        self._is_chair = is_chair
        self._wall_clock = wall_clock
        self._compositor = Compositor()
        self._large: Compositor | None = None  # while somebody stands above 720p
        self.taps: list[ProgrammeTap] = []
        self._rungs: dict[RungKey, Rung] = {}
        self._used_at: dict[RungKey, float] = {}
        self._cut = Cut(CUT_WAITS_S)
        self._previewed: dict[str, float] = {}  # legs that a preview shows, and until when
        self._lock = asyncio.Lock()
        self._is_closed = False
        self._still_asked_at: float | None = None
        self._loop = asyncio.get_running_loop()

    def set_drill(self, *, is_drill: bool) -> None:
        self._compositor.is_drill = is_drill
        self._large = None  # made anew when it is needed

    @property
    def rungs(self) -> list[RungKey]:
        """What is encoded now."""
        return list(self._rungs)

    def seating(self) -> Seating:
        """Who sits where, as shown now."""
        return self._seat(self.layout, self.switch)

    def _seat(self, layout: Layout, switch: VoiceSwitch | None) -> Seating:
        """By the order of joining; where nobody has a picture, those who are heard have cards."""
        legs = self._legs()
        publishing = [leg.leg_id for leg in legs if leg.sends_picture]
        if not publishing:
            publishing = [leg.leg_id for leg in legs if leg.takes_part]
        return seated(layout, publishing, switch.speaker if switch is not None else None)

    async def run(self) -> None:
        """Until cancelled."""
        try:
            await self._run()
        finally:
            self.punctuality.close()

    async def close(self) -> None:
        """Give back encoders and canvas now: what is left waits for the collector, perhaps hours.

        `run` has ended before.
        """
        async with self._lock:
            self._is_closed = True
            for rung in self._rungs.values():
                rung.close()
            self._rungs.clear()
            self.taps.clear()
            self._compositor, self._large = Compositor(2, 2), None

    async def _run(self) -> None:
        due = self._loop.time()
        while True:
            due += TICK_S
            now = self._loop.time()
            if now - due > MAX_BEHIND_S:
                due = now
            if now < due:
                await asyncio.sleep(due - now)
            elif now - due > TICK_S:
                due = now
                await asyncio.sleep(0)
            self.punctuality.begin()
            try:
                await self._tick()
            except Exception:
                log.exception("picture tick failed")
            self.punctuality.end(due, self._loop.time())

    async def _tick(self) -> None:
        self.ticks += 1
        now = self._loop.time()
        standing = self._stand(now)
        still_wanted = (
            self._still_asked_at is not None and now - self._still_asked_at < WATCHED_FOR_S
        )
        seating = self._show(now, is_watched=bool(standing) or still_wanted)
        if not standing:
            return
        async with self._lock:
            rungs = [self._rungs[key] for key in standing if key.is_due(self.ticks)]
            canvases = await self._canvases(standing, seating, now)
            jobs = [
                self._loop.run_in_executor(
                    self._pool, rung.encode, canvases[rung.key.is_large], now
                )
                for rung in rungs
            ]
            encoded = await asyncio.gather(*jobs, return_exceptions=True)
        for rung, payloads in zip(rungs, encoded, strict=True):
            if isinstance(payloads, BaseException):
                log.error("rung %s failed: %r", rung.key, payloads)
                self._rungs.pop(rung.key, None)
                continue
            self._send(rung, payloads, standing[rung.key], now)
            if rung.newest is not None:
                for tap in [tap for tap in self.taps if tap.rung is rung]:
                    tap.take_picture(rung.newest, now)

    def _send(
        self, rung: Rung, payloads: list[bytes], outbounds: list[Outbound], now: float
    ) -> None:
        is_key = rung.newest is not None and rung.newest.is_key
        timestamp = timestamp_of(now)
        targets: list[FanoutTarget] = []
        newcomers: list[Outbound] = []
        for outbound in outbounds:
            if not outbound.follows(rung, is_key=is_key, timestamp=timestamp):
                newcomers.append(outbound)
            elif outbound.target is not None:
                targets.append(outbound.target)
        self._pace(rung.send(targets, payloads, now))
        for outbound in newcomers:
            if outbound.rung is rung:
                self._lead(rung, outbound, timestamp, now)

    def _lead(self, rung: Rung, outbound: Outbound, timestamp: int, now: float) -> None:
        """A newcomer between two key frames is sent what he missed, where his line takes it."""
        line_bps = outbound.picture_bps
        if outbound.catch_up is not None and outbound.catch_up.is_lost:
            outbound.catch_up = None
        if outbound.catch_up is None and rung.history.leads(line_bps, now):
            outbound.catch_up = CatchUp(rung.history)
            outbound.go_on_from(timestamp - outbound.catch_up.stamps_back)
        way = outbound.catch_up
        if way is None or outbound.target is None:
            return
        self._pace(rung.lead(outbound.target, way, line_bps, timestamp))
        if way.is_done:
            outbound.awaits_keyframe, outbound.catch_up = False, None

    def _pace(self, departure: Departure | Train) -> None:
        """The rest of a large frame, a group of packets at a time."""
        if departure.remaining:
            self._loop.call_later(PACE_S, self._send_more, departure)

    def _send_more(self, departure: Departure | Train) -> None:
        departure.send()
        self._pace(departure)

    def _stand(self, now: float) -> dict[RungKey, list[Outbound]]:
        """Put every receiver on its rung; make the rungs that are new, drop the unused."""
        standing: dict[RungKey, list[Outbound]] = {}
        deaf: set[RungKey] = set()
        for outbound, key in self._receivers(now):
            rung = self._rungs.get(key)
            if rung is None:
                rung = self._rungs[key] = Rung(key)
            outbound.move_to(rung)
            if outbound.needs_keyframe(rung.history, now):
                rung.wish.want()
            if not outbound.plan.can_ask_keyframe:
                deaf.add(key)
            standing.setdefault(key, []).append(outbound)
            self._used_at[key] = now
        self._stand_taps(standing, now)
        for key, rung in list(self._rungs.items()):
            rung.has_deaf_leg = key in deaf
            if now - self._used_at.get(key, now) > RUNG_KEPT_S:
                self._rungs.pop(key).close()
        return standing

    def _stand_taps(self, standing: dict[RungKey, list[Outbound]], now: float) -> None:
        """Recorders take the largest H.264 rung that somebody stands on, else one of 720p."""
        for tap in self.taps:
            fit = [k for k in standing if _is_recorded(k)]
            key = max(fit, key=lambda k: k.height, default=H264_720P)
            if tap.rung is not None and tap.rung.key in fit:
                key = tap.rung.key
            rung = self._rungs.get(key)
            if rung is None:
                rung = self._rungs[key] = Rung(key)
            if tap.rung is not rung:
                tap.rung = rung
                rung.wish.want()
            standing.setdefault(key, [])
            self._used_at[key] = now

    def _show(self, now: float, *, is_watched: bool) -> Seating:
        """Say who has to be decoded; who sits where."""
        by_id = {leg.leg_id: leg for leg in self._legs()}

        def is_ready(seat: str) -> bool:
            leg = by_id.get(seat)
            return leg is None or not leg.is_coming(now)

        seating = self._cut.seat(self.seating(), is_ready, now)
        self._previewed = {leg: until for leg, until in self._previewed.items() if until > now}
        shown = self._cut.coming if is_watched else frozenset()
        self.wanted = shown | self._previewed.keys()
        self._on_show(now)
        return seating

    async def _canvases(
        self, standing: Iterable[RungKey], seating: Seating, now: float
    ) -> dict[bool, Picture]:
        """The usual canvas and, under True, that of rungs above 720p, as far as they are needed."""
        wanted = {key.is_large for key in standing}
        if True not in wanted:
            self._large = None
        elif self._large is None:
            width, height = H264_1080P.width, H264_1080P.height
            self._large = Compositor(width, height, is_drill=self._compositor.is_drill)
        found = {}
        for is_large, compositor in ((False, self._compositor), (True, self._large)):
            if is_large in wanted and compositor is not None:
                found[is_large] = await self._compose(compositor, seating, now)
        return found

    async def _compose(self, compositor: Compositor, seating: Seating, now: float) -> Picture:
        by_id = {leg.leg_id: leg for leg in self._legs()}
        overlay = self.wording.at(self._wall_clock(), is_chair=self._is_chair)

        def draw() -> Picture:
            views = [self._view(by_id, seat, now) for seat in seating.seats]
            return compositor.compose(
                views, self.title, arrangement=seating.arrangement, overlay=overlay
            )

        return await self._loop.run_in_executor(self._pool, draw)

    def _view(self, by_id: Mapping[str, Leg], seat: str | None, now: float) -> PaneView:
        if seat is None:
            return PaneView()
        leg = by_id.get(seat)
        return self.placeholders.get(seat, PaneView()) if leg is None else leg.view(now)

    async def still(self, width: int) -> tuple[bytes, int, int]:
        """The picture as it is now, as JPEG: bytes, width, height."""
        now = self._loop.time()
        self._still_asked_at = now
        self._show(now, is_watched=True)
        await self._pictures_of(self.seating())
        now = self._loop.time()
        seating = self._show(now, is_watched=True)
        async with self._lock:
            if self._is_closed:
                raise LocalMediaError("conference_unknown")
            canvas = await self._compose(self._compositor, seating, now)
            return await self._loop.run_in_executor(self._pool, jpeg, canvas, width)

    async def _pictures_of(self, seating: Seating) -> None:
        """Wait until all who sit there are decoded, but not for long."""
        for _ in range(round(CUT_WAITS_S / LOOK_EVERY_S)):
            now = self._loop.time()
            seats = seating.seats
            if not any(leg.is_coming(now) for leg in self._legs() if leg.leg_id in seats):
                return
            await asyncio.sleep(LOOK_EVERY_S)

    async def preview(
        self, layout: Layout, switch: VoiceSwitch | None, width: int
    ) -> tuple[bytes, int, int]:
        """The picture that `layout` would give, as JPEG; nobody is sent it, nothing changes."""
        seating = self._seat(layout, switch)
        now = self._loop.time()
        until = now + WATCHED_FOR_S
        self._previewed.update({seat: until for seat in seating.seats if seat is not None})
        self._show(now, is_watched=bool(self._rungs))
        await self._pictures_of(seating)
        compositor = Compositor(is_drill=self._compositor.is_drill)
        canvas = await self._compose(compositor, seating, self._loop.time())
        return await self._loop.run_in_executor(self._pool, jpeg, canvas, width)
