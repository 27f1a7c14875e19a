"""A decoded picture: three planes of YUV 4:2:0, never BGR."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Picture:
    """`y` is (height, width); `u` and `v` are half of it each way, rounded up."""

    y: Plane
    u: Plane
    v: Plane

    @property
    def width(self) -> int:
        return int(self.y.shape[1])

    @property
    def height(self) -> int:
        return int(self.y.shape[0])

    @classmethod
    def blank(cls, width: int, height: int, y: int = 16, u: int = 128, v: int = 128) -> Picture:
        """A picture of one colour; black by default."""
        chroma = ((height + 1) // 2, (width + 1) // 2)
        return cls(
            np.full((height, width), y, np.uint8),
            np.full(chroma, u, np.uint8),
            np.full(chroma, v, np.uint8),
        )
