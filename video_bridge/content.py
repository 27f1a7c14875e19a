"""The second stream of a conference: one leg's content, decoded once, encoded once a rung, sent to
every other leg that has a content line. Who has none sees it large in his own picture.

Sharp before smooth: ten pictures a second at most, and a page that stands still is sent again once
a second only. Who has just come gets a key frame by its rung's wish.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor

import cv2

from . import messages as m
from .allocation.rungs import CIF, RungKey
from .codecs.picture import Picture
from .datapath import Departure
from .errors import LocalMediaError
from .ingest.rtp import RoomMedia
from .ingest.session_media import SessionMedia
from .leg import Leg, Shown
from .payload.h264 import ProfileLevelId
from .streams.outbound import Outbound
from .streams.plan import MediaPlan
from .video import words
from .video.compositor import PaneState, PaneView
from .video.ladder import KeyframeWish, Rung, timestamp_of
from .video.layouts import Layout, Pane, Seating, fitted
from .video.picture import blank, planes, scale_into, view

log = logging.getLogger(__name__)

CONTENT_FPS = 10
TICK_S = 1 / CONTENT_FPS
REFINED_TICKS = 5  # after a change the encoder sharpens the page in a few more pictures
STILL_S = 1.0
RUNG_KEPT_S = 3.0
PACE_S = 0.005
LARGE, NORMAL = (1920, 1080), (1280, 720)
LARGE_BPS, NORMAL_BPS, THIN_BPS = 2_000_000, 1_200_000, 400_000
CIF_BPS = 384_000
PAGE_SEAT = "content"  # stands for a leg id in seats: legs' ids are UUIDs


def content_rung(plan: MediaPlan, source: tuple[int, int]) -> RungKey | None:
    """The encoding of content for a receiver; None for a codec that we do not send.

    1080 lines only where the source has them, the receiver decodes them (its H.264 level at five
    pictures a second, ITU-T H.264 table A-1) and its line carries them.
    """
    if plan.codec in ("H263", "H263-1998", "H261"):
        return RungKey(plan.codec, *CIF, CIF_BPS, fps=CONTENT_FPS)
    if plan.codec not in ("H264", "VP8"):
        return None
    mode = plan.packetization_mode if plan.codec == "H264" else 1
    cap_bps = plan.max_bitrate_bps or LARGE_BPS
    is_fine = source[0] > NORMAL[0] or source[1] > NORMAL[1]
    if is_fine and cap_bps >= LARGE_BPS and _decodes_large(plan):
        return RungKey(plan.codec, *LARGE, LARGE_BPS, mode, CONTENT_FPS)
    rate_bps = NORMAL_BPS if cap_bps >= NORMAL_BPS else THIN_BPS
    return RungKey(plan.codec, *NORMAL, rate_bps, mode, CONTENT_FPS)


def with_page(seating: Seating) -> Layout:
    """The page large, whoever sits in the halls' picture small beside it."""
    sites = [seat for seat in seating.seats if seat is not None]
    return Layout("1+5" if len(sites) <= 5 else "1+7", (PAGE_SEAT, *sites[:7]))


def _decodes_large(plan: MediaPlan) -> bool:
    if plan.codec == "VP8" or plan.allows_asymmetric_level:
        return True
    level = plan.profile_level_id
    return level is not None and ProfileLevelId.parse(level).allows(*LARGE, 5)


class _Wish(KeyframeWish):
    """Looked at before a picture is encoded: a page that stands still may have to be."""

    @property
    def is_wanted(self) -> bool:
        return self._is_wanted


class _ContentRung(Rung):
    def __init__(self, key: RungKey) -> None:
        super().__init__(key)
        self.wish: _Wish = _Wish()


def fitted_page(picture: Picture, width: int, height: int) -> Picture:
    """The page undistorted on a ground of this size; small letters are averaged, not skipped."""
    page = blank(width, height)
    area = fitted(picture.width, picture.height, Pane(0, 0, width, height), 0.005)
    target = view(page, area)
    if picture.width <= area.width:
        scale_into(picture, target)
        return page
    for source, plane in zip(planes(picture), planes(target), strict=True):
        plane[:] = cv2.resize(source, plane.shape[::-1], interpolation=cv2.INTER_AREA)
    return page


class ContentShow:
    """Who presents, and what the others are sent. `run` until cancelled.

    `legs()` gives the conference's legs; `emit` takes `content.flowing` and `content.stopped`.
    """

    def __init__(
        self,
        conference_id: str,
        pool: Executor,
        legs: Callable[[], Sequence[Leg]],
        emit: Callable[[m.Event], None],
    ) -> None:
        self.leg_id: str | None = None
        self._conference_id = conference_id
        self._pool = pool
        self._legs = legs
        self._emit = emit
        self._is_flowing = False
        self._rungs: dict[RungKey, _ContentRung] = {}
        self._used_at: dict[RungKey, float] = {}
        self._sent_at: dict[RungKey, float] = {}
        self._serial = 0
        self._ticks_to_refine = 0
        self._loop = asyncio.get_running_loop()

    @property
    def rungs(self) -> list[RungKey]:
        """What is encoded now."""
        return list(self._rungs)

    def set(self, leg_id: str | None) -> None:
        """Name the presenter. Raises LocalMediaError `leg_unknown`, `content_not_negotiated`.

        A room may open its content channel after it was named (H.239), a browser may not.
        """
        if leg_id == self.leg_id:
            return
        presenter = None
        if leg_id is not None:
            presenter = self._media(leg_id)
            if presenter is None:
                raise LocalMediaError("leg_unknown", leg_id=leg_id)
            is_open = "content" in presenter.session.pictures
            if not is_open and not isinstance(presenter, RoomMedia):
                raise LocalMediaError("content_not_negotiated", leg_id=leg_id)
        self._end("cleared")
        self.leg_id = leg_id
        if presenter is not None:
            presenter.session.set_shown(True, "content")

    def forget(self, leg_id: str) -> None:
        """The leg left the conference."""
        if leg_id == self.leg_id:
            self._end("left")

    def _end(self, reason: str) -> None:
        leg_id, self.leg_id = self.leg_id, None
        if leg_id is None:
            return
        before = self._media(leg_id)
        if before is not None:
            before.session.set_shown(False, "content")
        if self._is_flowing:
            self._is_flowing = False
            self._emit(
                m.ContentStopped(
                    conference_id=self._conference_id,
                    leg_id=leg_id,
                    reason="left" if reason == "left" else "cleared",
                )
            )

    def _media(self, leg_id: str) -> SessionMedia | None:
        for leg in self._legs():
            if leg.leg_id == leg_id and leg.has_media and isinstance(leg.media, SessionMedia):
                return leg.media
        return None

    def newest(self) -> Shown | None:
        """The presenter's newest page."""
        media = None if self.leg_id is None else self._media(self.leg_id)
        stream = None if media is None else media.session.pictures.get("content")
        return None if stream is None else stream.newest

    def receivers(self) -> list[Outbound]:
        """Content lines of everybody but the presenter."""
        found = []
        for leg in self._legs():
            if leg.leg_id == self.leg_id or not leg.play or not leg.has_media:
                continue
            if isinstance(leg.media, SessionMedia):
                outbound = leg.media.session.out.get("content")
                if outbound is not None and outbound.target is not None:
                    found.append(outbound)
        return found

    def page_for(self, leg: Leg) -> PaneView | None:
        """What this leg's own picture has to show large: it has no content line.

        None: nothing is presented, the leg presents itself, or gets content as its own stream.
        """
        shown = self.newest() if self._is_flowing and leg.leg_id != self.leg_id else None
        if shown is None or not isinstance(leg.media, SessionMedia):
            return None
        if "content" in leg.media.session.out:
            return None
        name = next((one.name for one in self._legs() if one.leg_id == self.leg_id), "")
        caption = words.PRESENTING.format(name=name)
        return PaneView(PaneState.LIVE, caption, shown.picture, shown.serial)

    # --- sending ------------------------------------------------------------------------------

    async def run(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            try:
                await self._tick()
            except Exception:
                log.exception("content tick failed")

    async def _tick(self) -> None:
        now = self._loop.time()
        shown = self.newest()
        if shown is None:
            self._drop_rungs(now)
            return
        if not self._is_flowing and self.leg_id is not None:
            self._is_flowing = True
            self._emit(
                m.ContentFlowing(
                    conference_id=self._conference_id,
                    leg_id=self.leg_id,
                    width=shown.picture.width,
                    height=shown.picture.height,
                )
            )
        standing = self._stand(shown.picture, now)
        due = self._due(shown, standing, now)
        jobs = [
            self._loop.run_in_executor(self._pool, _encoded, rung, shown.picture, now)
            for rung in due
        ]
        for rung, payloads in zip(
            due, await asyncio.gather(*jobs, return_exceptions=True), strict=True
        ):
            if isinstance(payloads, BaseException):
                log.error("content rung %s failed: %r", rung.key, payloads)
                self._rungs.pop(rung.key, None)
                continue
            self._send(rung, payloads, standing[rung.key], now)

    def _due(
        self, shown: Shown, standing: dict[RungKey, list[Outbound]], now: float
    ) -> list[_ContentRung]:
        """Rungs that have something to send: the page changed, or someone needs it again."""
        if shown.serial != self._serial:
            self._serial, self._ticks_to_refine = shown.serial, REFINED_TICKS
        else:
            self._ticks_to_refine = max(0, self._ticks_to_refine - 1)
        return [
            rung
            for key, rung in self._rungs.items()
            if key in standing
            and (
                self._ticks_to_refine
                or rung.wish.is_wanted
                or now - self._sent_at.get(key, 0.0) >= STILL_S
            )
        ]

    def _stand(self, page: Picture, now: float) -> dict[RungKey, list[Outbound]]:
        standing: dict[RungKey, list[Outbound]] = {}
        deaf: set[RungKey] = set()
        for outbound in self.receivers():
            key = content_rung(outbound.plan, (page.width, page.height))
            if key is None:
                continue
            rung = self._rungs.get(key)
            if rung is None:
                rung = self._rungs[key] = _ContentRung(key)
            outbound.move_to(rung)
            if outbound.awaits_keyframe:
                rung.wish.want()
            if not outbound.plan.can_ask_keyframe:
                deaf.add(key)
            standing.setdefault(key, []).append(outbound)
            self._used_at[key] = now
        for key, rung in self._rungs.items():
            rung.has_deaf_leg = key in deaf
        self._drop_rungs(now)
        return standing

    def _drop_rungs(self, now: float) -> None:
        for key in list(self._rungs):
            if now - self._used_at.get(key, now) > RUNG_KEPT_S:
                del self._rungs[key]

    def _send(
        self, rung: Rung, payloads: list[bytes], outbounds: list[Outbound], now: float
    ) -> None:
        is_key = rung.newest is not None and rung.newest.is_key
        stamp = timestamp_of(now)
        outbounds = [o for o in outbounds if o.follows(rung, is_key=is_key, timestamp=stamp)]
        targets = [o.target for o in outbounds if o.target is not None]
        self._pace(rung.send(targets, payloads, now))
        self._sent_at[rung.key] = now

    def _pace(self, departure: Departure) -> None:
        if departure.remaining:
            self._loop.call_later(PACE_S, self._send_more, departure)

    def _send_more(self, departure: Departure) -> None:
        departure.send()
        self._pace(departure)


def _encoded(rung: Rung, page: Picture, now: float) -> list[bytes]:
    """In a worker thread."""
    size = (rung.key.width, rung.key.height)
    width, height = NORMAL if size == CIF else size
    return rung.encode(fitted_page(page, width, height), now)
