"""Finds text in pictures by its very strokes."""

import cv2
import numpy as np
from PIL import Image, ImageDraw

from video_bridge.video.fonts import font


def written(text: str, size: int, *, bold: bool = False) -> np.ndarray:
    """The ink of `text`, cropped, as 0..1."""
    image = Image.new("L", (size * (len(text) + 2), size * 2), 0)
    ImageDraw.Draw(image).text((size, size / 2), text, fill=255, font=font(size, bold=bold))
    ink = np.asarray(image, dtype=np.float32) / 255
    rows, columns = np.nonzero(ink > 0.5)
    return ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


def best_match(luma: np.ndarray, ink: np.ndarray) -> float:
    """Highest correlation of the text's ink anywhere in a picture."""
    result = cv2.matchTemplate(luma.astype(np.float32), ink * 255, cv2.TM_CCOEFF_NORMED)
    return float(result.max())
