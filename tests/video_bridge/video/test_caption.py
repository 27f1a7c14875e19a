"""Names are written in Chinese, whole, and where they belong: looked at pixel by pixel."""

from pathlib import Path

import numpy as np
import pytest

from tests.video_bridge.video.ink import best_match, written
from video_bridge.errors import LocalMediaError
from video_bridge.video import words
from video_bridge.video.caption import (
    alarm_badge,
    caption_size,
    drill_stripe,
    name_caption,
    placeholder,
    printable,
    shortened,
)
from video_bridge.video.fonts import find_font, font, has_glyph
from video_bridge.video.picture import blank, to_rgb


@pytest.mark.parametrize("name", ["翁源县应急管理局", "䶮村", "前方救援队 手机01"])
def test_name_is_legible_in_its_corner(name: str) -> None:
    """The very strokes of the name are found at the lower left, and nowhere else."""
    canvas = blank(640, 360, (90, 100, 150))
    name_caption(name, 640, 360).blend(canvas)
    ink = written(name.replace(" ", ""), caption_size(360)) if " " not in name else None
    if ink is not None:
        assert best_match(canvas.y[240:, :400], ink) > 0.8
        other = written("深圳市公安局", caption_size(360))
        assert best_match(canvas.y[240:, :400], other) < 0.7
    assert (canvas.y[240:, :400] > 200).sum() > 100, "white strokes"
    assert (canvas.y[:240] == 90).all(), "nothing above"
    assert (canvas.y[:, 500:] == 90).all(), "nothing to the right"


def test_rare_place_names_have_glyphs() -> None:
    """A box instead of a character hides which village calls."""
    missing = written("\U0010fffd", 40)
    for character in "䶮㙟氹圳埔邨":
        ink = written(character, 40)
        assert ink.shape != missing.shape or (np.abs(ink - missing) > 0.5).any()
        assert has_glyph(character)


def test_character_without_glyph_is_shown_by_its_number() -> None:
    """Two villages that the font cannot write must not both be boxes."""
    assert printable("\U0002a6d6村") == "〔U+2A6D6〕村"
    assert printable("\U00020000村") == "〔U+20000〕村"
    assert not has_glyph("\U0002a6d6")
    name_caption("\U0002a6d6村", 316, 178)


def test_long_name_is_cut_with_an_ellipsis() -> None:
    """Names never run out of their pane."""
    name = "佛山市南海区狮山镇人民政府应急管理办公室值班室（备用会场）"
    cut = shortened(name, 16, 200)
    assert cut.endswith(words.ELLIPSIS) and len(cut) < len(name)
    assert font(16).getlength(cut) <= 200
    patch = name_caption(name, 316, 178)
    assert patch.area.x + patch.area.width <= 316 and patch.area.y + patch.area.height <= 178


@pytest.mark.parametrize("name", ["a\nb\tc", "\u202e反", "\x00\x07", ""])
def test_strange_names_do_no_harm(name: str) -> None:
    """Names come from people: line breaks and direction marks are not drawn."""
    assert "\n" not in printable(name) and "\u202e" not in printable(name)
    name_caption(name, 320, 180)
    placeholder(name, "", 320, 180)


def test_badge_says_that_the_picture_stopped() -> None:
    """A frozen face must not pass for a patient one."""
    canvas = blank(640, 360, (90, 128, 128))
    alarm_badge(words.INTERRUPTED, 640, 360).blend(canvas)
    ink = written(words.INTERRUPTED, caption_size(360), bold=True)
    assert best_match(canvas.y[:80, 400:], ink) > 0.8
    red = to_rgb(canvas)[:60, 500:].reshape(-1, 3).astype(int)
    assert ((red[:, 0] > 150) & (red[:, 1] < 90)).sum() > 500


def test_placeholder_names_the_site_and_the_reason() -> None:
    """Who is missing, and why, is read from across the room."""
    card = placeholder("韶关市", words.WAITING, 640, 360)
    size = max(18, min(54, round(360 * 0.092)))
    assert best_match(card.y, written("韶关市", size, bold=True)) > 0.8
    assert (card.width, card.height) == (640, 360)


def test_drill_stripe_spans_the_picture_in_red() -> None:
    """Nobody may take a drill for the real thing, in whichever pane he looks."""
    rgb = to_rgb(drill_stripe(1280)).astype(int)
    red = (rgb[:, :, 0] > 130) & (rgb[:, :, 1] < 80)
    assert all(red[:, x : x + 160].mean() > 0.4 for x in range(0, 1280, 160))
    assert best_match(drill_stripe(1280).y, written(words.DRILL[0], 19, bold=True)) > 0.6


def test_missing_font_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Boxes instead of names are worse than a node that says what it needs."""
    monkeypatch.setattr("video_bridge.video.fonts._WHEEL", "no_such_package")
    with pytest.raises(LocalMediaError) as missing:
        find_font(folders=["/nonexistent"])
    assert missing.value.code == "cjk_font_missing"
    assert "fonts-noto-cjk" in str(missing.value.fields["remedy"])


def test_font_of_the_wheel_serves_where_the_system_has_none() -> None:
    """A machine with Python and make only still writes Chinese."""
    pytest.importorskip("noto_cjk_sans_otc")
    assert find_font(folders=["/nonexistent"]).name == "NotoSansCJK-Regular.ttc"
    assert Path(find_font()).is_file()
