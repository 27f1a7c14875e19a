"""How loud a frame is, in dBov (RFC 6464 appendix A): 0 loudest, -127 silence."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SILENCE_DBOV = -127
_FULL_SCALE = 32768.0**2


def level_dbov(frame: NDArray[np.int16]) -> int:
    if not len(frame):
        return SILENCE_DBOV
    samples = frame.astype(np.float32)
    power = float(samples @ samples) / len(frame) / _FULL_SCALE
    if power <= 0.0:
        return SILENCE_DBOV
    return max(SILENCE_DBOV, min(0, round(10.0 * float(np.log10(power)))))
