"""Loss concealment for codecs that have none: repeat the last pitch period and fade to silence."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .resample import Samples

RATE = 48_000
_MIN_PERIOD = RATE // 400  # 400 Hz, the highest voice pitch looked for
_MAX_PERIOD = RATE // 66
_HISTORY = 2 * _MAX_PERIOD
_OVERLAP = RATE // 400  # 2.5 ms cross-fade back into real sound
_FADE_S = 0.060  # silence after this much loss (G.711 appendix I)


class PitchRepeater:
    """Keep it fed with what was played; ask it for what was lost."""

    def __init__(self) -> None:
        self._history: NDArray[np.float32] = np.zeros(_HISTORY, np.float32)
        self._period: NDArray[np.float32] | None = None
        self._position = 0
        self._lost = 0

    def played(self, samples: Samples) -> Samples:
        """Good sound: smooth its start if it follows a concealed part, and remember it."""
        out = samples
        if self._period is not None and len(samples) >= _OVERLAP:
            ghost = self._repeat(_OVERLAP)
            ramp = np.linspace(0.0, 1.0, _OVERLAP, dtype=np.float32)
            mixed = samples.astype(np.float32)
            mixed[:_OVERLAP] = ghost * (1 - ramp) + mixed[:_OVERLAP] * ramp
            out = mixed.astype(np.int16)
        self._period = None
        self._lost = self._position = 0
        self._remember(out.astype(np.float32))
        return out

    def conceal(self, count: int) -> Samples:
        """`count` samples in place of lost ones."""
        if self._period is None:
            self._period = self._find_period()
        lost = self._repeat(count)
        self._remember(lost)
        return lost.astype(np.int16)

    def _remember(self, samples: NDArray[np.float32]) -> None:
        self._history = np.concatenate((self._history, samples))[-_HISTORY:]

    def _repeat(self, count: int) -> NDArray[np.float32]:
        period = self._period if self._period is not None else np.zeros(1, np.float32)
        index = (self._position + np.arange(count)) % len(period)
        gain = 1.0 - (self._lost + np.arange(count)) / (_FADE_S * RATE)
        self._position += count
        self._lost += count
        return (period[index] * np.clip(gain, 0.0, 1.0)).astype(np.float32)

    def _find_period(self) -> NDArray[np.float32]:
        """The lag with the best normalised correlation, searched at a quarter of the rate."""
        coarse = self._history[::4]
        window = len(coarse) // 2
        recent = coarse[-window:]
        lags = range(_MIN_PERIOD // 4, _MAX_PERIOD // 4 + 1)
        best_lag, best = _MAX_PERIOD // 4, -1.0
        for lag in lags:
            earlier = coarse[-window - lag : -lag]
            power = float(earlier @ earlier)
            if power > 0.0:
                score = float(recent @ earlier) / power**0.5
                if score > best:
                    best, best_lag = score, lag
        return self._smooth(best_lag * 4)

    def _smooth(self, lag: int) -> NDArray[np.float32]:
        """The last period, its end bent towards what stood before its start, so that it loops."""
        period = self._history[-lag:].copy()
        overlap = lag // 4
        ramp = np.linspace(0.0, 1.0, overlap, dtype=np.float32)
        before = self._history[-lag - overlap : -lag]
        period[-overlap:] = period[-overlap:] * (1 - ramp) + before * ramp
        return period
