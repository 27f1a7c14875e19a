"""Which picture each receiver of a conference is sent: the halls', the chair's, or one site's.

Each picture is a `Programme`. The chair's is made only while it differs from the halls'; that of
one site (观看会场) while it is watched; the halls' without one site for an MCU above us, which
must not be sent its own picture back; that with the presenter's page while something is presented,
for those who have no content line. Who is seen in none of them is not decoded.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor

from . import messages as m
from .allocation.rungs import RungKey
from .content import PAGE_SEAT, with_page
from .errors import LocalMediaError
from .forwarding import FORWARDED, Forward
from .ingest.session_media import SessionMedia
from .leg import Leg
from .messages import LegState
from .places import EncoderBudget, Places
from .programme import Programme
from .rest import Rests, name_of
from .streams.outbound import Outbound
from .video.compositor import PaneState, PaneView
from .video.layouts import Layout, Seating, arrangement_for
from .video.overlay import Wording
from .video.voice_switch import VoiceSwitch

log = logging.getLogger(__name__)

HALL, CHAIR, PAGE = "hall", "chair", "page"
SOLO_KEPT_S = 3.0

Receivers = Sequence[tuple[Leg, Outbound]]


class Views:
    """`start` once, `close` at the end. `receivers()` are all who are sent a picture."""

    def __init__(
        self,
        conference_id: str,
        pool: Executor,
        legs: Callable[[], Sequence[Leg]],
        receivers: Callable[[], Receivers],
        budget: EncoderBudget,
    ) -> None:
        self._pool = pool
        self._legs = legs
        self._all_receivers = receivers
        self._places = Places(conference_id, budget, self.view_of)
        self._title, self._is_drill = "", False
        self.hall = self._programme(HALL)
        self._chair = self._programme(CHAIR, is_chair=True)
        self._page = self._programme(PAGE)
        self.page_for: Callable[[Leg], PaneView | None] = lambda leg: None
        self._has_chair_layout = False
        self._rests = Rests(self._without)
        self._solos: dict[str, Programme] = {}
        self._solo_used_at: dict[str, float] = {}
        self._forwards: dict[str, Forward] = {}  # by the leg that is watched
        self._expecting: set[str] = set()  # legs that wait for the key frame of such a stream
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ending: list[asyncio.Task[None]] = []
        self._loop = asyncio.get_running_loop()

    def start(self) -> None:
        self._run(HALL, self.hall)

    async def close(self) -> None:
        tasks = [*self._tasks.values(), *self._ending, *self._rests.tasks()]
        self._tasks.clear()
        for forward in self._forwards.values():
            forward.close()
        self._forwards.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for programme in self._programmes:
            await programme.close()

    def _start_chair(self) -> None:
        if CHAIR not in self._tasks:
            self._run(CHAIR, self._chair)

    def _run(self, name: str, programme: Programme) -> None:
        task = asyncio.create_task(programme.run())
        task.add_done_callback(_report)
        self._tasks[name] = task

    def _programme(self, name: str, *, is_chair: bool = False) -> Programme:
        return Programme(
            self._pool,
            self._legs,
            lambda now: self._receivers_of(name, now),
            self._show,
            is_chair=is_chair,
        )

    @property
    def _programmes(self) -> list[Programme]:
        return [self.hall, self._chair, self._page, *self._rests, *self._solos.values()]

    # --- what the desk sets -------------------------------------------------------------------

    def describe(self, title: str, *, is_drill: bool) -> None:
        """Title and mark of every picture."""
        self._title, self._is_drill = title, is_drill
        for programme in self._programmes:
            self._describe(programme)

    def _describe(self, programme: Programme) -> None:
        programme.title = self._title
        programme.set_drill(is_drill=self._is_drill)

    def set_layout(self, request: m.LayoutSet) -> None:
        """Panes, seats and voice switching of one view; the chair's follows the halls' till set."""
        layout, switch = _layout(request)
        if request.view == CHAIR:
            self._has_chair_layout = True
            self._start_chair()
            self._chair.layout, self._chair.switch = layout, _kept(self._chair.switch, switch)
            return
        self.hall.layout, self.hall.switch = layout, _kept(self.hall.switch, switch)
        if not self._has_chair_layout:
            self._chair.layout, self._chair.switch = self.hall.layout, self.hall.switch

    def set_overlay(self, request: m.OverlaySet) -> None:
        wording = Wording(
            request.banner,
            request.message,
            request.clock,
            request.countdown_to_ms,
            request.names,
        )
        for programme in self._programmes:
            programme.wording = wording
        if self._chair_differs:
            self._start_chair()

    def set_placeholders(self, request: m.PlaceholdersSet) -> None:
        cards = {
            item.seat_id: PaneView(PaneState.ABSENT, item.name, note=item.note)
            for item in request.items
        }
        self.hall.placeholders = self._chair.placeholders = cards

    def watch(self, leg: Leg, watched: str) -> None:
        """观看会场, ended by an empty id. Raises LocalMediaError `leg_unknown`."""
        if watched and all(other.leg_id != watched for other in self._legs()):
            raise LocalMediaError("leg_unknown", leg_id=watched)
        leg.watching = watched or None

    def forget(self, leg_id: str) -> None:
        """The leg left: who watched it is back in his view."""
        for leg in self._legs():
            if leg.watching == leg_id:
                leg.watching = None
        for switch in {self.hall.switch, self._chair.switch}:
            if switch is not None:
                switch.forget(leg_id)

    def hear(self, levels_dbov: Mapping[str, int], now: float) -> None:
        """Each audio tick's levels of those who may be heard."""
        seen = {leg.leg_id for leg in self._legs() if leg.sends_picture}
        visible = {leg_id: level for leg_id, level in levels_dbov.items() if leg_id in seen}
        for switch in {self.hall.switch, self._chair.switch}:
            if switch is not None:
                switch.hear(visible, now)

    # --- who is sent what ---------------------------------------------------------------------

    def view_of(self, leg: Leg) -> str:
        """The name of the picture that a leg is sent: hall, chair, or the leg that it watches.

        Until the first key frame of a stream that will be sent on unchanged, it keeps its view.
        """
        if leg.watching is not None and leg.leg_id not in self._expecting:
            return leg.watching
        if leg.seat_view == "rest":
            return name_of(leg.leg_id)
        if self.page_for(leg) is not None:
            return PAGE
        return CHAIR if leg.seat_view == CHAIR and self._chair_differs else HALL

    @property
    def _chair_differs(self) -> bool:
        return self._has_chair_layout or self._chair.wording.has_clocks

    def _receivers_of(self, name: str, now: float) -> list[tuple[Outbound, RungKey]]:
        receivers = [pair for pair in self._all_receivers() if not self._is_forwarded(*pair)]
        self._places.refresh(receivers, now)
        found = []
        for leg, outbound in receivers:
            key = self._places.rung_of(leg.leg_id)
            if key is not None and self.view_of(leg) == name:
                found.append((outbound, key))
        return found

    def _show(self, now: float) -> None:
        """Decode whom some picture shows, and who just comes: some send few key frames."""
        if self._solos or self._forwards or any(leg.watching for leg in self._legs()):
            self._keep_watched(now)
        self._keep_page()
        self._rests.keep([leg for leg, _ in self._all_receivers()], self.hall)
        wanted = frozenset[str]().union(*(programme.wanted for programme in self._programmes))
        for leg in self._legs():
            is_new = leg.state is LegState.CONNECTING
            leg.show(now, is_shown=leg.leg_id in wanted or is_new)

    def _is_forwarded(self, leg: Leg, outbound: Outbound) -> bool:
        forward = self._forwards.get(leg.watching or "")
        return forward is not None and outbound in forward.members

    def _keep_watched(self, now: float) -> None:
        """Send watched sites on, or make pictures of them alone; drop what nobody watches."""
        watchers: dict[str, list[Outbound]] = {}
        self._expecting.clear()
        for leg, outbound in self._all_receivers():
            watched = leg.watching
            if watched is None:
                continue
            watchers.setdefault(watched, []).append(outbound)
            forward = self._forward_of(watched)
            if forward is not None and forward.suits(outbound, now):
                if not forward.admit(outbound, now):
                    self._expecting.add(leg.leg_id)
                continue
            if forward is not None:
                forward.dismiss(outbound)
            self._keep_solo(watched, now)
        for watched, forward in list(self._forwards.items()):
            self._tend(watched, forward, watchers.get(watched, []), now)
        for watched in list(self._solos):
            if now - self._solo_used_at[watched] > SOLO_KEPT_S:
                del self._solos[watched], self._solo_used_at[watched]
                task = self._tasks.pop(watched)
                task.cancel()
                self._ending = [ending for ending in self._ending if not ending.done()] + [task]

    def _keep_page(self) -> None:
        """Draw the newest page; its picture follows the seats of the halls'."""
        pages = (self.page_for(leg) for leg, _ in self._all_receivers())
        page = next((page for page in pages if page is not None), None)
        if page is None:
            return
        self._page.layout = with_page(self.hall.seating())
        self._page.placeholders = {**self.hall.placeholders, PAGE_SEAT: page}
        if PAGE not in self._tasks:
            self._run(PAGE, self._page)

    def _without(self, leg_id: str) -> Programme:
        """The halls' picture for a bridge above us."""
        rest = Programme(
            self._pool,
            lambda: [leg for leg in self._legs() if leg.leg_id != leg_id],
            lambda now: self._receivers_of(name_of(leg_id), now),
            self._show,
        )
        self._describe(rest)
        return rest

    def _keep_solo(self, watched: str, now: float) -> None:
        """The picture of one site alone, for those who cannot be sent its own stream."""
        self._solo_used_at[watched] = now
        if watched not in self._solos:
            solo = self._solos[watched] = self._programme(watched)
            solo.layout, solo.wording = Layout("1", (watched,)), self.hall.wording
            self._describe(solo)
            self._run(watched, solo)

    def _source_of(self, leg_id: str) -> SessionMedia | None:
        """Whose stream may be sent on: in a drill none, for it would lack the drill's stripe."""
        if self._is_drill:
            return None
        for leg in self._legs():
            if leg.leg_id == leg_id and leg.has_media and isinstance(leg.media, SessionMedia):
                video = leg.media.session.video_in
                if video is not None and video.plan.codec in FORWARDED:
                    return leg.media
        return None

    def _forward_of(self, watched: str) -> Forward | None:
        media = self._source_of(watched)
        video = None if media is None else media.session.video_in
        forward = self._forwards.get(watched)
        if forward is not None and forward.source is not video:  # negotiated anew, or gone
            self._forwards.pop(watched).close()
            forward = None
        if forward is None and media is not None and video is not None:
            forward = self._forwards[watched] = Forward(video, media.session.ask_keyframe)
        return forward

    def _tend(self, watched: str, forward: Forward, watchers: list[Outbound], now: float) -> None:
        forward.keep(watchers)
        forward.poll(now)
        if not watchers:
            self._forwards.pop(watched).close()

    # --- what is seen -------------------------------------------------------------------------

    async def picture(self, request: m.PictureGet) -> tuple[bytes, int, int]:
        """A view as it is now, or a layout's preview. Raises LocalMediaError."""
        preview = request.preview
        if preview is not None:
            if preview.conference_id != request.conference_id:
                raise LocalMediaError("preview_elsewhere", conference_id=preview.conference_id)
            shown = self._chair if preview.view == CHAIR else self.hall
            layout, switch = _layout(preview)
            return await shown.preview(layout, _kept(shown.switch, switch), request.width)
        is_chair = request.view == CHAIR and self._chair_differs
        return await (self._chair if is_chair else self.hall).still(request.width)

    def seating(self) -> tuple[Seating, Seating | None]:
        """Of the halls and of the chair; None where the chair sees what the halls see."""
        chair = self._chair.seating() if self._chair_differs else None
        return self.hall.seating(), chair


def _layout(request: m.LayoutSet) -> tuple[Layout, VoiceSwitch | None]:
    arrangement: str | None = request.arrangement
    if arrangement in (None, "auto"):
        arrangement = arrangement_for(request.panes) if request.panes is not None else None
    seats = None if request.seats is None else tuple(request.seats)
    speaker = request.speaker
    switch = None if speaker is None else VoiceSwitch(speaker.sensitivity_db, speaker.hold_s)
    return Layout(arrangement, seats, follows_voice=switch is not None), switch


def _kept(before: VoiceSwitch | None, wanted: VoiceSwitch | None) -> VoiceSwitch | None:
    """Setting a layout again does not throw the speaker out of his pane."""
    if before is None or wanted is None:
        return wanted
    if (before.threshold_dbov, before.hold_s) == (wanted.threshold_dbov, wanted.hold_s):
        return before
    wanted.speaker = before.speaker
    return wanted


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("a picture's task ended", exc_info=task.exception())
