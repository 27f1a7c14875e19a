"""Which encoding of the second stream a receiver gets, and how a page is fitted into it."""

from __future__ import annotations

import pytest

from video_bridge.codecs.picture import Picture
from video_bridge.content import CIF_BPS, THIN_BPS, content_rung, fitted_page
from video_bridge.streams.plan import MediaPlan

PAGE, FINE_PAGE = (1280, 800), (1920, 1080)


def plan(codec: str, **fields: object) -> MediaPlan:
    return MediaPlan("content", codec, 98, 90_000, True, False, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("receiver", "source", "height"),
    [
        (plan("H264", profile_level_id="428028"), FINE_PAGE, 1080),
        (plan("H264", profile_level_id="42801f"), FINE_PAGE, 720),
        (plan("H264", profile_level_id="42801f", allows_asymmetric_level=True), FINE_PAGE, 1080),
        (plan("H264", profile_level_id="428028"), (1280, 720), 720),
        (plan("H264", profile_level_id="428028", max_bitrate_bps=1_000_000), FINE_PAGE, 720),
        (plan("H264"), FINE_PAGE, 720),
        (plan("VP8"), FINE_PAGE, 1080),
        (plan("H263"), FINE_PAGE, 288),
        (plan("H261"), FINE_PAGE, 288),
    ],
)
def test_page_is_as_large_as_source_level_and_line_allow(
    receiver: MediaPlan, source: tuple[int, int], height: int
) -> None:
    """Sharpness first, and nothing that a room's decoder would choke on."""
    key = content_rung(receiver, source)
    assert key is not None and key.height == height


def test_thin_line_gets_a_thin_page_and_unknown_codec_none() -> None:
    """A satellite line must not be flooded by a slide."""
    thin = content_rung(plan("H264", max_bitrate_bps=512_000), PAGE)
    assert thin is not None and thin.bitrate_bps == THIN_BPS
    old = content_rung(plan("H263"), PAGE)
    assert old is not None and old.bitrate_bps == CIF_BPS
    assert content_rung(plan("opus"), PAGE) is None


@pytest.mark.parametrize("size", [(1920, 1080), (1024, 768), (640, 480), (800, 1600), (2, 2)])
def test_page_keeps_its_shape_on_the_ground(size: tuple[int, int]) -> None:
    """A map that is stretched lies about distances."""
    page = fitted_page(Picture.blank(*size, 200), 1280, 720)
    assert (page.width, page.height) == (1280, 720)
    lit = page.y > 100
    width, height = int(lit.any(0).sum()), int(lit.any(1).sum())
    assert abs(width / height - size[0] / size[1]) < 0.02 * size[0] / size[1] + 0.01
