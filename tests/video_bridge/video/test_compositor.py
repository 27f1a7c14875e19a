"""One canvas for all: right picture in the right pane, and nothing drawn twice."""

import dataclasses

import numpy as np
import pytest

from tests.video_bridge.video.ink import best_match, written
from video_bridge.codecs.picture import Picture
from video_bridge.video.compositor import Compositor, PaneState, PaneView
from video_bridge.video.layouts import ARRANGEMENTS, arrangement_for, pane_count, panes_of
from video_bridge.video.picture import (
    blank,
    from_rgb,
    jpeg,
    scaled,
    to_rgb,
)


def live(name: str, colour: tuple[int, int, int], serial: int = 1, **more: object) -> PaneView:
    return PaneView(PaneState.LIVE, name, blank(1280, 720, colour), serial, **more)


def test_each_pane_shows_its_own_picture() -> None:
    """Two sites swapped would put words into the wrong mouth."""
    colours = [(60 + 6 * n, 80 + 4 * n, 200 - 5 * n) for n in range(25)]
    for name in ARRANGEMENTS:
        views = [live(f"会场{n}", colours[n]) for n in range(pane_count(name))]
        canvas = Compositor().compose(views, arrangement=name)
        for pane, colour in zip(panes_of(name), colours, strict=False):
            x, y = pane.x + pane.width // 2, pane.y + pane.height // 3
            got = (canvas.y[y, x], canvas.u[y // 2, x // 2], canvas.v[y // 2, x // 2])
            assert got == colour


def test_unchanged_panes_are_not_drawn_again() -> None:
    """Nine sites at 25 pictures a second leave no time for idle work."""
    compositor = Compositor()
    views = [live("甲", (90, 90, 90)), live("乙", (120, 120, 120))]
    compositor.compose(views)
    compositor.compose(views)
    assert compositor.tiles_drawn == 2
    compositor.compose([views[0], dataclasses.replace(views[1], serial=2)])
    assert compositor.tiles_drawn == 3
    compositor.compose([dataclasses.replace(views[0], is_muted=True), views[1]])
    assert compositor.tiles_drawn == 5


def test_caption_does_not_thicken_while_the_picture_stands() -> None:
    """Blending the same caption again and again would blacken it."""
    compositor = Compositor()
    view = live("翁源县", (120, 128, 128))
    first = compositor.compose([view]).y.copy()
    for _ in range(5):
        again = compositor.compose([view])
    assert (again.y == first).all()


def test_upright_phone_gets_bars_not_a_stretched_face() -> None:
    """Portrait pictures keep their shape."""
    phone = PaneView(PaneState.LIVE, "", blank(360, 640, (150, 128, 128)), 1)
    canvas = Compositor().compose([phone])
    assert canvas.y[360, 640] == 150
    assert canvas.y[360, 100] == canvas.y[360, 1180] == 16


def test_missing_picture_shows_the_name_and_its_reason() -> None:
    """An empty black pane says nothing; a card says who and why."""
    compositor = Compositor()
    shots = []
    for state in (PaneState.WAITING, PaneState.NO_CAMERA, PaneState.INTERRUPTED):
        compositor.compose([PaneView(state, "韶关市"), live("乙", (90, 90, 90))])
        shots.append(compositor.canvas.y[180:540, :640].copy())
        assert (shots[-1] > 200).sum() > 300, "the name in white"
    assert not (shots[0] == shots[1]).all() and not (shots[1] == shots[2]).all()


@pytest.mark.parametrize("name", ARRANGEMENTS)
def test_no_pane_is_ever_black(name: str) -> None:
    """Black reads as broken: every pane without a picture says whose it is, and why."""
    states = [PaneState.WAITING, PaneState.NO_CAMERA, PaneState.LOST, PaneState.AUDIO_ONLY]
    views = [PaneView(states[n % 4], "翁源县") for n in range(pane_count(name))]
    views[-1] = PaneView(PaneState.ABSENT, "仁化县", note="未入会") if len(views) > 1 else views[-1]
    canvas = Compositor().compose(views, arrangement=name)
    for pane, shown in zip(panes_of(name), views, strict=True):
        size = max(18, min(54, round(pane.height * 0.092)))
        tile = canvas.y[pane.y : pane.y + pane.height, pane.x : pane.x + pane.width]
        assert tile.mean() > 20
        assert best_match(tile, written(shown.name, size, bold=True)) > 0.8
        note = written(shown.reason, max(14, round(size * 0.56)))
        assert best_match(tile, note) > 0.75


def test_empty_pane_is_calm_ground() -> None:
    """A seat that nobody has is no fault."""
    canvas = Compositor().compose([live("甲", (90, 90, 90)), PaneView()])
    pane = panes_of("2")[1]
    tile = canvas.y[pane.y + 8 : pane.y + pane.height - 8, pane.x + 8 : pane.x + pane.width - 8]
    assert 20 < tile.mean() < 70 and tile.max() < 80


def test_desk_muting_is_told_where_there_is_no_picture() -> None:
    """会控闭音 stands on a telephone's card as it does on a picture."""
    view = PaneView(PaneState.AUDIO_ONLY, "韶关市", is_muted=True)
    assert view.reason == "仅语音 · 会控闭音"
    assert PaneView(PaneState.LIVE, "甲", is_muted=True).reason == "会控闭音"


def test_inset_stays_over_a_moving_picture() -> None:
    """Picture-in-picture: the main picture must not wipe the small one away."""
    compositor = Compositor()
    main, inset = live("甲", (90, 90, 90)), live("乙", (200, 128, 128))
    for serial in (1, 2, 3):
        main = dataclasses.replace(main, serial=serial)
        canvas = compositor.compose([main, inset], arrangement="pip")
        pane = panes_of("pip")[1]
        assert canvas.y[pane.y + 80, pane.x + 160] == 200
    alone = compositor.compose([main, PaneView()], arrangement="pip")
    assert alone.y[pane.y + 80, pane.x + 160] == 90, "no inset for nobody"


def test_drill_stripe_lies_over_every_layout() -> None:
    """A layout change must not lose the mark."""
    compositor = Compositor(is_drill=True)
    for views in ([live("甲", (90, 90, 90))], [live("甲", (90, 90, 90), 2)] * 4, [PaneView()]):
        canvas = compositor.compose(views, "演练会商")
        rgb = to_rgb(canvas)[4:24].astype(int)
        assert ((rgb[:, :, 0] > 130) & (rgb[:, :, 1] < 80)).mean() > 0.5


def test_empty_conference_shows_its_title() -> None:
    """Who comes first should see that he is in the right place."""
    canvas = Compositor().compose([PaneView()], "翁源县化工园区泄漏事故会商")
    assert (canvas.y[300:420] > 200).sum() > 1000


def test_speaker_is_framed_where_there_are_several() -> None:
    """In a full wall one sees who speaks; a single picture needs no frame."""
    quiet, loud = live("甲", (90, 90, 90)), live("乙", (90, 90, 90), is_speaking=True)
    pane = panes_of(arrangement_for(2))[1]
    canvas = Compositor().compose([quiet, loud])
    assert canvas.y[pane.y + 1, pane.x + 100] == 170
    assert Compositor().compose([loud]).y[1, 100] == 90


@pytest.mark.parametrize("size", [(353, 289), (176, 144), (1920, 1080)])
def test_any_source_size_fits(size: tuple[int, int]) -> None:
    """Old rooms send CIF, cameras odd sizes."""
    view = PaneView(PaneState.LIVE, "甲", Picture.blank(*size, 100, 100, 100), 1)
    assert Compositor().compose([view, view]).y[360, 300] == 100


def test_pictures_survive_the_round_trip_to_rgb() -> None:
    """Captions and stills pass through RGB: colours must come back."""
    rgb = np.zeros((64, 96, 3), np.uint8)
    rgb[:, :48] = (200, 40, 90)
    rgb[:, 48:] = (20, 180, 220)
    back = to_rgb(from_rgb(rgb))
    assert np.abs(back.astype(int) - rgb)[:, 4:44].max() <= 4
    data, width, height = jpeg(scaled(from_rgb(rgb), 128, 64), 100)
    assert (width, height) == (100, 50) and data[:2] == b"\xff\xd8"


def test_picture_that_cannot_be_drawn_leaves_the_others() -> None:
    """One broken decoder must not stop the whole wall."""
    empty = np.zeros((0, 0), np.uint8)
    broken = PaneView(PaneState.LIVE, "坏", Picture(empty, empty, np.zeros((3, 0), np.uint8)), 1)
    tiny = PaneView(PaneState.LIVE, "小", Picture.blank(2, 2, 99, 99, 99), 1)
    for bad in (tiny, broken):
        canvas = Compositor().compose([bad, live("甲", (120, 90, 200))])
        assert canvas.y[360, 960] == 120
