"""The pictures of docs/layouts.md: each site is named in its pane, whatever the arrangement."""

import numpy as np
import pytest

from tests.video_bridge.video.gallery import SITES, render, site
from tests.video_bridge.video.ink import best_match, written
from video_bridge.video.caption import caption_size, shortened
from video_bridge.video.layouts import ARRANGEMENTS, Layout, Pane, panes_of, seated


def stands_in(tile: np.ndarray, number: int, pane: Pane) -> bool:
    """Whether the name of a site, as far as it fits, is written in its pane."""
    name = SITES[number].replace(" ", "")
    if site(number).picture is None:
        size = max(18, min(54, round(pane.height * 0.092)))
        return best_match(tile, written(name, size, bold=True)) > 0.75
    size = caption_size(pane.height)
    shown = shortened(name, size, pane.width - 12 - round(size * 2.6))
    # Captions are half transparent: what moves under them weakens the match.
    return best_match(tile[tile.shape[0] * 2 // 3 :], written(shown[:4], size)) > 0.6


@pytest.mark.parametrize("sites", [4, 25])
@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
def test_each_site_is_named_in_its_pane(arrangement: str, sites: int) -> None:
    """A wall of 25 panes is only as good as the names on it."""
    luma = np.asarray(render(arrangement, sites).convert("L"))
    names = [str(number) for number in range(sites)]
    seats = seated(Layout(arrangement), names).seats
    panes = panes_of(arrangement)
    for index, (pane, seat) in enumerate(zip(panes, seats, strict=True)):
        if seat is None or (arrangement == "pip" and index == 0):
            continue
        tile = luma[pane.y : pane.y + pane.height, pane.x : pane.x + pane.width]
        assert stands_in(tile, int(seat), pane), SITES[int(seat)]
