"""A leg lives by a table and a clock: shown lost in time, freed in time, ended once."""

import pytest

from video_bridge import messages as m
from video_bridge.codecs.picture import Picture
from video_bridge.errors import LocalMediaError
from video_bridge.leg import (
    CONNECT_TIMEOUT_S,
    FREE_AFTER_S,
    LOST_AFTER_S,
    TRANSITIONS,
    Leg,
    Shown,
    SilenceWatch,
    Verdict,
)
from video_bridge.messages import CloseReason, LegKind, LegState
from video_bridge.video.compositor import PaneState


class Desk:
    """Hears what a leg tells."""

    def __init__(self) -> None:
        self.told: list[m.Event] = []

    def leg_changed(self, leg: Leg, event: m.Event) -> None:
        self.told.append(event)


class Camera:
    """Media with one picture."""

    has_picture = True

    def __init__(self, at: float | None = None) -> None:
        self.at = at

    def newest(self, now: float) -> Shown | None:
        return None if self.at is None else Shown(Picture.blank(64, 36), 1, self.at)

    def stats(self, now: float) -> list[m.StreamStats]:
        return []


def new_leg() -> tuple[Leg, Desk]:
    desk = Desk()
    request = m.LegAdd(conference_id="c", leg_id="l", kind=LegKind.WEBRTC, name="翁源县")
    return Leg(request, desk, 0.0), desk


def test_silence_is_told_within_three_seconds_and_freed_after_thirty() -> None:
    """aiortc alone takes 32 s to notice: nobody waits that long for an answer."""
    watch = SilenceWatch()
    watch.begin(0.0)
    watch.heard(10.0)
    assert watch.verdict(10.0 + LOST_AFTER_S - 0.01) is Verdict.ALIVE
    assert watch.verdict(10.0 + LOST_AFTER_S) is Verdict.SILENT
    assert LOST_AFTER_S <= 2.8
    assert watch.verdict(10.0 + FREE_AFTER_S) is Verdict.GONE
    watch.heard(41.0)
    assert watch.verdict(41.0) is Verdict.ALIVE


def test_ringing_has_no_time_limit_but_connecting_has() -> None:
    """A room may ring for minutes; one that answered must come."""
    watch = SilenceWatch()
    assert watch.verdict(1000.0) is Verdict.CONNECTING
    watch.begin(1000.0)
    assert watch.verdict(1000.0 + CONNECT_TIMEOUT_S - 0.1) is Verdict.CONNECTING
    assert watch.verdict(1000.0 + CONNECT_TIMEOUT_S) is Verdict.NEVER_CAME
    watch.begin_anew(1010.0)
    assert watch.verdict(1010.0 + CONNECT_TIMEOUT_S - 0.1) is Verdict.CONNECTING
    assert watch.verdict(1010.0 + CONNECT_TIMEOUT_S) is Verdict.NEVER_CAME


def test_leg_on_hold_may_be_silent_and_is_judged_anew_afterwards() -> None:
    """Hold for an hour, and the first second after it is not an hour of silence."""
    watch = SilenceWatch()
    watch.begin(0.0)
    watch.heard(1.0)
    watch.excuse(2.0, is_exempt=True)
    assert watch.verdict(3600.0) is Verdict.ALIVE
    watch.excuse(3600.0, is_exempt=False)
    assert watch.verdict(3601.0) is Verdict.ALIVE
    assert watch.verdict(3600.0 + LOST_AFTER_S) is Verdict.SILENT


def test_source_that_we_pull_is_never_freed() -> None:
    """A camera may be away for a night and is back in the morning."""
    watch = SilenceWatch()
    watch.begin(0.0)
    watch.free_after_s = None
    watch.heard(1.0)
    assert watch.verdict(100_000.0) is Verdict.SILENT


def test_leg_is_told_up_lost_up_and_closed_once() -> None:
    """The roster follows these events; each must come exactly once."""
    leg, desk = new_leg()
    leg.watch.begin(0.0)
    leg.watch.heard(1.0)
    for now in (1.0, 1.2, 4.0, 4.2, 5.0):
        if now == 5.0:
            leg.watch.heard(5.0)
        assert leg.judge(now) is None
    assert [type(e) for e in desk.told] == [m.LegUp, m.LegLost, m.LegUp]
    assert leg.judge(40.0) == (CloseReason.LOST, "silent")
    assert leg.closed(CloseReason.LOST, "silent")
    assert not leg.closed(CloseReason.REMOVED)
    leg.up(41.0)
    leg.lost(3.0)
    assert [e.reason for e in desk.told if isinstance(e, m.LegClosed)] == [CloseReason.LOST]
    assert leg.close_reason is CloseReason.LOST


def test_table_has_a_way_out_of_every_state_and_none_out_of_closed() -> None:
    """Whatever happens, a leg can be ended; ended, it stays so."""
    assert set(TRANSITIONS) == set(LegState)
    for state, targets in TRANSITIONS.items():
        assert (LegState.CLOSED in targets) == (state is not LegState.CLOSED)


def test_leg_without_media_says_so() -> None:
    """Our own mistake has a code, not an attribute error."""
    leg, _ = new_leg()
    with pytest.raises(LocalMediaError):
        _ = leg.media


@pytest.mark.parametrize(
    ("state", "picture_at", "now", "pane"),
    [
        (LegState.CONNECTING, None, 0.0, PaneState.WAITING),
        (LegState.CONNECTING, 0.0, 0.0, PaneState.WAITING),
        (LegState.UP, None, 1.0, PaneState.WAITING),
        (LegState.UP, None, 9.0, PaneState.NO_CAMERA),
        (LegState.UP, 9.0, 9.5, PaneState.LIVE),
        (LegState.UP, 1.0, 5.0, PaneState.INTERRUPTED),
        (LegState.UP, 1.0, 50.0, PaneState.NO_CAMERA),
        (LegState.LOST, 1.0, 5.0, PaneState.LOST),
    ],
)
def test_pane_tells_how_the_picture_is(
    state: LegState, picture_at: float | None, now: float, pane: PaneState
) -> None:
    """Waiting, live, stopped, none: four things that an operator acts on differently."""
    leg, _ = new_leg()
    leg.attach(Camera(picture_at))
    if state is not LegState.CONNECTING:
        leg.up(0.0)
    if state is LegState.LOST:
        leg.lost(2.5)
    view = leg.view(now)
    assert view.state is pane
    shows_picture = pane is PaneState.LIVE or (
        pane in (PaneState.INTERRUPTED, PaneState.LOST) and now < 10
    )
    assert (view.picture is not None) == shows_picture


def test_lost_leg_keeps_its_pane_and_a_hall_without_camera_has_none() -> None:
    """A seat that jumps away at each drop-out makes the wall flicker."""
    leg, _ = new_leg()
    leg.attach(Camera())
    assert not leg.sends_picture, "not there yet"
    leg.up(0.0)
    leg.lost(2.5)
    assert leg.sends_picture
    leg.media.has_picture = False
    assert not leg.sends_picture
