"""横幅, 短消息 and the chair's clocks: written whole, in their place, and gone when taken away."""

import pytest

from tests.video_bridge.video.ink import best_match, written
from video_bridge.video import words
from video_bridge.video.compositor import Compositor, PaneState, PaneView
from video_bridge.video.fonts import font
from video_bridge.video.layouts import Pane
from video_bridge.video.overlay import Overlay, Wording, strips, wrapped
from video_bridge.video.picture import blank

NINE_O_CLOCK = 1_799_974_800.0  # 2027-01-15 09:00:00 in Beijing


def live(name: str, serial: int = 1, y: int = 90, **more: object) -> PaneView:
    return PaneView(PaneState.LIVE, name, blank(1280, 720, (y, 128, 128)), serial, **more)


def test_chair_sees_beijing_time_and_what_is_left() -> None:
    """Statutory clocks are the command's business; halls have theirs on the wall."""
    wording = Wording("横幅", "短消息", clock=True, countdown_to_ms=int(NINE_O_CLOCK + 3661) * 1000)
    chair = wording.at(NINE_O_CLOCK, is_chair=True)
    assert chair.clock == "2027-01-15 09:00:00"
    assert chair.countdown == f"{words.COUNTDOWN} 01:01:01"
    hall = wording.at(NINE_O_CLOCK, is_chair=False)
    assert (hall.clock, hall.countdown) == ("", "")
    assert (hall.banner, hall.message) == ("横幅", "短消息")


@pytest.mark.parametrize(
    ("left_s", "text", "is_overdue"),
    [
        (59.2, "00:01:00", False),
        (0.0, "00:00:00", False),
        (-0.5, "00:00:00", True),
        (-61.0, "00:01:01", True),
        (100 * 3600, "100:00:00", False),
    ],
)
def test_countdown_says_when_it_is_over(left_s: float, text: str, is_overdue: bool) -> None:
    """A late step is shown red, never hidden."""
    wording = Wording(countdown_to_ms=round((NINE_O_CLOCK + left_s) * 1000))
    overlay = wording.at(NINE_O_CLOCK, is_chair=True)
    assert overlay.countdown.endswith(text)
    assert overlay.is_overdue is is_overdue
    assert overlay.countdown.startswith(words.OVERDUE if is_overdue else words.COUNTDOWN)


def area_of(overlay: Overlay, **more: bool) -> list[Pane]:
    return [strip.area for strip in strips(overlay, 1280, 720, **more)]


def test_strips_lie_inside_the_canvas_and_apart() -> None:
    """Texts over one another can be read by nobody; the drill's stripe is covered by none."""
    overlay = Overlay(
        "会商" * 30, "请各会场做好准备" * 15, "2027-01-15 09:00:00", "倒计时 01:00:00"
    )
    areas = area_of(overlay, is_drill=True)
    assert len(areas) == 5
    for index, area in enumerate(areas):
        assert area.x >= 0 and area.x + area.width <= 1280
        assert area.y >= 0 and area.y + area.height <= 720
        assert not any(area.overlaps(other) for other in areas[index + 1 :])


def test_banner_is_written_in_its_strokes() -> None:
    """What the chair types is what all read."""
    (banner,) = strips(Overlay(banner="翁源县氯气泄漏事故应急会商"), 1280, 720)
    size = round(banner.area.height * 0.62)
    assert best_match(banner.picture.y, written("翁源县氯气泄漏事故", size, bold=True)) > 0.8
    assert best_match(banner.picture.y, written("韶关市仁化县火灾", size, bold=True)) < 0.7


def test_long_message_has_two_lines_and_an_ellipsis() -> None:
    """A message grows to two lines at most: the pictures are what the meeting is for."""
    text = "各会场请注意，省指挥部将于十五时整点名，" * 6
    lines = wrapped(text, 28, 1000, 2)
    assert len(lines) == 2 and lines[1].endswith(words.ELLIPSIS)
    assert all(font(28).getlength(line) <= 1000 for line in lines)
    assert wrapped("短", 28, 1000, 2) == ["短"]
    (foot,) = strips(Overlay(message=text), 1280, 720)
    assert foot.area.y + foot.area.height == 720 and foot.area.height < 100
    assert not foot.is_on_top


def test_what_is_taken_away_leaves_no_trace() -> None:
    """A banner of the last meeting over this one's pictures would mislead."""
    views = [live("甲"), live("乙"), live("丙"), live("丁")]
    plain = Compositor().compose(views).y.copy()
    compositor = Compositor()
    full = Overlay("横幅", "短消息", "2027-01-15 09:00:00")
    assert (compositor.compose(views, overlay=full).y != plain).mean() > 0.05
    assert (compositor.compose(views, overlay=Overlay()).y == plain).all()


def test_names_and_badges_keep_clear_of_the_strips() -> None:
    """A message must not hide which site speaks under it, a banner not that a site is lost."""
    views = [PaneView(PaneState.LOST, "甲", blank(640, 360, (90, 128, 128)), 1)] * 4
    canvas = Compositor().compose(views, overlay=Overlay("横幅", "短消息")).y
    clear = Compositor().compose(views).y
    message, banner = strips(Overlay("横幅", "短消息"), 1280, 720)[::-1]
    foot, top = message.area.y, banner.area.y + banner.area.height
    assert (canvas[foot - 40 : foot - 6, 8:40] > 200).sum() > 20, "the name above the message"
    assert (clear[680:714, 8:40] > 200).sum() > 20, "at the foot without one"
    assert (canvas[top + 6 : top + 36, 540:634] > 200).sum() > 50, "the badge under the banner"


def test_clock_ticks_without_drawing_a_pane() -> None:
    """A clock costs its own strip each second, not 25 rescaled pictures."""
    compositor = Compositor()
    views = [live("甲"), live("乙"), live("丙"), live("丁")]
    first = compositor.compose(views, overlay=Overlay(clock="2027-01-15 09:00:00")).y.copy()
    second = compositor.compose(views, overlay=Overlay(clock="2027-01-15 09:00:01")).y
    assert compositor.tiles_drawn == 4
    assert (first != second).any()


def test_strip_lies_over_a_pane_drawn_again() -> None:
    """The live picture moves under the banner, never over it."""
    compositor = Compositor()
    overlay = Overlay("横幅")
    before = compositor.compose([live("甲")], overlay=overlay).y[:40].copy()
    after = compositor.compose([live("甲", 2, y=200)], overlay=overlay).y
    assert (after[:40] == before).all() and after[300, 640] == 200


def test_names_can_be_switched_off_but_not_the_mute_mark() -> None:
    """Without names a closed microphone is still seen: its owner may be talking."""
    named = Compositor().compose([live("翁源县"), live("乙")]).y.copy()
    bare = Compositor().compose([live("翁源县"), live("乙")], overlay=Overlay(names=False)).y.copy()
    assert (named[480:536, 8:200] > 200).sum() > 100
    assert (bare[480:536, 8:200] > 200).sum() == 0
    muted = Compositor().compose(
        [live("翁源县", is_muted=True), live("乙")], overlay=Overlay(names=False)
    )
    assert (muted.y[480:536, 8:60] != bare[480:536, 8:60]).sum() > 50


def test_strips_are_drawn_once() -> None:
    """Equal texts are equal bitmaps: nothing is rendered 25 times a second."""
    first, second = (strips(Overlay("横幅", "短消息"), 1280, 720) for _ in range(2))
    assert all(a.picture is b.picture for a, b in zip(first, second, strict=True))
