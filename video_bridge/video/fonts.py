"""Which font writes Chinese: the system's Noto CJK, else the one from the wheel.

Fonts that look right on common text but lack rare place-name characters are not accepted as a
silent substitute: a site whose name shows as boxes cannot be told from another.
"""

from __future__ import annotations

import functools
import importlib.resources
from collections.abc import Sequence
from pathlib import Path

from PIL import ImageFont

from ..errors import LocalMediaError

SIMPLIFIED_CHINESE_INDEX = 2  # in the Noto Sans CJK collections: JP, KR, SC, TC, HK
_COLLECTIONS = (
    "/usr/share/fonts/opentype/noto",
    "/usr/share/fonts/noto-cjk",
    "/usr/share/fonts/google-noto-cjk",
    "/usr/share/fonts/google-noto-sans-cjk-fonts",
    "/usr/local/share/fonts",
)
_REGULAR = "NotoSansCJK-Regular.ttc"
_BOLD = "NotoSansCJK-Bold.ttc"
_WHEEL = "noto_cjk_sans_otc"
_PROBE_SIZE = 24
_NOWHERE = "\U0010fffd"  # a private character that no font has


def find_font(*, bold: bool = False, folders: Sequence[str] = _COLLECTIONS) -> Path:
    """The file of a CJK collection. Raises LocalMediaError `cjk_font_missing`."""
    names = (_BOLD, _REGULAR) if bold else (_REGULAR,)
    for name in names:
        for folder in folders:
            path = Path(folder) / name
            if path.is_file():
                return path
    try:
        wheel = importlib.resources.files(_WHEEL)
    except ModuleNotFoundError:
        raise LocalMediaError(
            "cjk_font_missing",
            looked_in=list(folders),
            remedy="apt-get install fonts-noto-cjk, or pip install noto-cjk-sans-otc",
        ) from None
    return Path(str(wheel.joinpath(_REGULAR)))


@functools.lru_cache(maxsize=64)
def font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """The caption font `size` pixels high. Raises LocalMediaError `cjk_font_missing`."""
    return ImageFont.truetype(str(find_font(bold=bold)), size, index=SIMPLIFIED_CHINESE_INDEX)


@functools.lru_cache(maxsize=8192)
def has_glyph(character: str) -> bool:
    """Whether the font can write it; else it would draw the box of a missing character."""
    face = font(_PROBE_SIZE)
    return _ink(face, character) != _ink(face, _NOWHERE)


def _ink(face: ImageFont.FreeTypeFont, character: str) -> tuple[tuple[int, int], bytes]:
    mask = face.getmask(character)
    return mask.size, bytes(mask)
