"""The picture side of a conference: 25 times a second, compose, encode each rung, send to many.

Composing and encoding happen in worker threads; the event loop only waits and sends. A tick that
takes too long makes the next one late, never a queue.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Protocol

from .allocation.rungs import H264_720P, RungKey
from .codecs.picture import Picture
from .codecs.video import EncodedFrame
from .datapath import Departure, FanoutTarget
from .leg import Leg
from .messages import LegState
from .places import Places
from .streams.outbound import Outbound
from .video.compositor import Compositor, PaneView
from .video.ladder import FPS, Rung
from .video.layouts import Layout, Seating, seated
from .video.picture import jpeg

log = logging.getLogger(__name__)

TICK_S = 1 / FPS
RUNG_KEPT_S = 3.0
PACE_S = 0.005  # between groups of packets of one frame
WATCHED_FOR_S = 10.0  # after a still was asked for, legs go on being decoded
MAX_BEHIND_S = 0.5


class ProgrammeTap(Protocol):
    """Takes the programme's encoded frames whole: a recorder, one more receiver of a rung."""

    rung: Rung | None

    def take_picture(self, frame: EncodedFrame, now: float) -> None:
        """One frame of `rung`, on the event loop."""


def _is_recorded(key: RungKey) -> bool:
    return key.codec == "H264" and key.packetization_mode == 1 and key.height >= H264_720P.height


class Programme:
    """One conference's composed picture and its ladder of encodings.

    `legs()` gives the legs in the order in which they were added; `receivers()` those to whom a
    picture is sent, with their outbound stream.
    """

    def __init__(
        self,
        pool: Executor,
        legs: Callable[[], Sequence[Leg]],
        receivers: Callable[[], Sequence[tuple[Leg, Outbound]]],
        places: Places,
    ) -> None:
        self.title = ""
        self.layout = Layout()
        self.ticks = 0
        self.late_ticks = 0
        self._pool = pool
        self._legs = legs
        self._receivers = receivers
        self._compositor = Compositor()
        self.taps: list[ProgrammeTap] = []
        self._rungs: dict[RungKey, Rung] = {}
        self._used_at: dict[RungKey, float] = {}
        self._places = places
        self._lock = asyncio.Lock()
        self._still_asked_at: float | None = None
        self._loop = asyncio.get_running_loop()

    def set_drill(self, *, is_drill: bool) -> None:
        self._compositor.is_drill = is_drill

    @property
    def rungs(self) -> list[RungKey]:
        """What is encoded now."""
        return list(self._rungs)

    def seating(self) -> Seating:
        """Who sits where, as shown now."""
        publishing = [leg.leg_id for leg in self._legs() if leg.sends_picture]
        return seated(self.layout, publishing)

    async def run(self) -> None:
        """Until cancelled."""
        due = self._loop.time()
        while True:
            due += TICK_S
            now = self._loop.time()
            if now - due > MAX_BEHIND_S:
                due = now
            if now < due:
                await asyncio.sleep(due - now)
            elif now - due > TICK_S:
                self.late_ticks += 1
                due = now
                await asyncio.sleep(0)
            try:
                await self._tick()
            except Exception:
                log.exception("picture tick failed")

    async def _tick(self) -> None:
        self.ticks += 1
        now = self._loop.time()
        standing = self._stand(now)
        still_wanted = (
            self._still_asked_at is not None and now - self._still_asked_at < WATCHED_FOR_S
        )
        shown = self._show(is_watched=bool(standing) or still_wanted)
        if not standing:
            return
        async with self._lock:
            canvas = await self._compose(shown, now)
            rungs = [self._rungs[key] for key in standing if key.is_due(self.ticks)]
            jobs = [
                self._loop.run_in_executor(self._pool, rung.encode, canvas, now) for rung in rungs
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
        targets: list[FanoutTarget] = []
        for outbound in outbounds:
            if outbound.target is not None:
                targets.append(outbound.target)
        self._pace(rung.send(targets, payloads, now))
        sent_at = self._loop.time()
        for outbound in outbounds:
            outbound.count_sent(sent_at)

    def _pace(self, departure: Departure) -> None:
        """The rest of a large frame, a group of packets at a time."""
        if departure.remaining:
            self._loop.call_later(PACE_S, self._send_more, departure)

    def _send_more(self, departure: Departure) -> None:
        departure.send()
        self._pace(departure)

    def _stand(self, now: float) -> dict[RungKey, list[Outbound]]:
        """Put every receiver on its rung; make the rungs that are new, drop the unused."""
        standing: dict[RungKey, list[Outbound]] = {}
        deaf: set[RungKey] = set()
        receivers = self._receivers()
        self._places.refresh(receivers, now)
        for leg, outbound in receivers:
            key = self._places.rung_of(leg.leg_id)
            if key is None:
                continue
            rung = self._rungs.get(key)
            if rung is None:
                rung = self._rungs[key] = Rung(key)
            if outbound.rung is not rung:
                outbound.rung = rung
                rung.wish.want()
            if not outbound.plan.can_ask_keyframe:
                deaf.add(key)
            standing.setdefault(key, []).append(outbound)
            self._used_at[key] = now
        self._stand_taps(standing, now)
        for key, rung in list(self._rungs.items()):
            rung.has_deaf_leg = key in deaf
            if now - self._used_at.get(key, now) > RUNG_KEPT_S:
                del self._rungs[key]
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

    def _show(self, *, is_watched: bool) -> list[Leg | None]:
        """Tell legs whether they are decoded; the legs in pane order."""
        by_id = {leg.leg_id: leg for leg in self._legs()}
        seats = self.seating().seats
        sitting = [by_id.get(seat) if seat is not None else None for seat in seats]
        shown = {leg.leg_id for leg in sitting if leg is not None} if is_watched else set()
        for leg in by_id.values():
            if leg.has_media:
                # One that just comes is decoded from its first key frame: some send few of them.
                leg.media.set_shown(leg.leg_id in shown or leg.state is LegState.CONNECTING)
        return sitting

    async def _compose(self, sitting: list[Leg | None], now: float) -> Picture:
        arrangement = self.seating().arrangement

        def draw() -> Picture:
            views = [PaneView() if leg is None else leg.view(now) for leg in sitting]
            return self._compositor.compose(views, self.title, arrangement=arrangement)

        return await self._loop.run_in_executor(self._pool, draw)

    async def still(self, width: int) -> tuple[bytes, int, int]:
        """The programme as it is now, as JPEG: bytes, width, height."""
        now = self._loop.time()
        is_first = self._still_asked_at is None or now - self._still_asked_at > WATCHED_FOR_S
        self._still_asked_at = now
        if is_first and not self._rungs:
            self._show(is_watched=True)
            await asyncio.sleep(0.4)  # decoders begin at a key frame
        shown = self._show(is_watched=True)
        async with self._lock:
            canvas = await self._compose(shown, self._loop.time())
            return await self._loop.run_in_executor(self._pool, jpeg, canvas, width)
