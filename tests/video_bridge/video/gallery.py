"""Renders every arrangement with 1, 4, 9, 16 and 25 sites for docs/layouts.md.

`python -m tests.video_bridge.video.gallery docs/screenshots` draws them anew.
"""

from __future__ import annotations

import functools
import sys
from pathlib import Path

from PIL import Image, ImageDraw

from video_bridge.ingest.synthetic import SyntheticMedia
from video_bridge.video.compositor import Compositor, PaneState, PaneView
from video_bridge.video.fonts import font
from video_bridge.video.layouts import ARRANGEMENTS, Layout, seated
from video_bridge.video.overlay import Overlay, Wording
from video_bridge.video.picture import to_rgb

SITES = (
    "广东省应急指挥中心", "韶关市应急管理局", "翁源县应急管理局", "仁化县应急管理局",
    "前方救援队 手机01", "始兴县应急管理局", "新丰县应急管理局", "乳源瑶族自治县应急管理局",
    "南雄市应急管理局", "乐昌市应急管理局", "曲江区应急管理局", "武江区应急管理局",
    "浈江区应急管理局", "官渡化工园区东门", "清远市应急管理局", "英德市应急管理局",
    "河源市应急管理局", "惠州市应急管理局", "广州市应急管理局", "深圳市应急管理局",
    "珠海市应急管理局", "汕头市应急管理局", "佛山市应急管理局", "江门市应急管理局",
    "湛江市应急管理局",
)  # fmt: skip
COUNTS = (1, 4, 9, 16, 25)
SPEAKER = 1
NOON = 1_799_985_600.0  # 2027-01-15 12:00:00 in Beijing
SHEET_COLUMNS, TILE, GAP, LABEL = 4, (400, 224), 10, 30
_PICTURELESS = {
    3: (PaneState.AUDIO_ONLY, ""),
    6: (PaneState.LOST, ""),
    7: (PaneState.ABSENT, "未入会"),
    11: (PaneState.WAITING, ""),
    18: (PaneState.NO_CAMERA, ""),
    22: (PaneState.ABSENT, "呼叫中"),
}


@functools.cache
def site(number: int) -> PaneView:
    """A site as a wall shows it: most are live, some are not, one speaks."""
    name = SITES[number]
    is_muted = number % 5 == 2
    if number in _PICTURELESS:
        state, note = _PICTURELESS[number]
        return PaneView(state, name, is_muted=state is PaneState.AUDIO_ONLY, note=note)
    shown = SyntheticMedia(name, has_tone=False, wall_clock=lambda: NOON).newest(number * 0.9)
    assert shown is not None
    state = PaneState.INTERRUPTED if number == 13 else PaneState.LIVE
    return PaneView(state, name, shown.picture, number + 1, is_muted, number == SPEAKER)


def render(arrangement: str, sites: int, overlay: Overlay | None = None) -> Image.Image:
    """One picture of this arrangement with so many sites in the conference."""
    views = {name: site(number) for number, name in enumerate(SITES[:sites])}
    seats = seated(Layout(arrangement), list(views)).seats
    panes = [PaneView() if seat is None else views[seat] for seat in seats]
    canvas = Compositor().compose(panes, "会商", arrangement=arrangement, overlay=overlay)
    return Image.fromarray(to_rgb(canvas))


def sheet(sites: int) -> Image.Image:
    """All arrangements with so many sites, labelled."""
    rows = -(-len(ARRANGEMENTS) // SHEET_COLUMNS)
    width = SHEET_COLUMNS * (TILE[0] + GAP) + GAP
    image = Image.new("RGB", (width, rows * (TILE[1] + LABEL + GAP) + GAP), (238, 241, 245))
    draw = ImageDraw.Draw(image)
    for index, name in enumerate(ARRANGEMENTS):
        row, column = divmod(index, SHEET_COLUMNS)
        x, y = GAP + column * (TILE[0] + GAP), GAP + row * (TILE[1] + LABEL + GAP)
        image.paste(render(name, sites).resize(TILE, Image.Resampling.LANCZOS), (x, y))
        label = f"{name}  ·  {sites} 会场"
        draw.text((x, y + TILE[1] + 6), label, fill=(40, 52, 70), font=font(18))
    return image


def chair() -> Image.Image:
    """The chair's view with everything that may be written over it."""
    wording = Wording(
        "翁源县官渡化工园区氯气泄漏应急会商",
        "请各会场关闭麦克风，十二时三十分起逐一点名。",
        clock=True,
        countdown_to_ms=round((NOON + 1798) * 1000),
    )
    return render("1+7", 9, wording.at(NOON, is_chair=True))


def main(folder: Path) -> None:
    for sites in COUNTS:
        _save(sheet(sites), folder / f"layouts-{sites}-sites.jpg", 72)
    _save(render("25", 25), folder / "layouts-25.jpg", 80)
    _save(render("13", 16), folder / "layouts-13.jpg", 80)
    _save(chair(), folder / "layouts-chair.jpg", 84)


def _save(image: Image.Image, path: Path, quality: int) -> None:
    image.save(path, quality=quality, optimize=True, progressive=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
