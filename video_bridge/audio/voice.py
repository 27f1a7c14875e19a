"""One leg's voice before the mix: a gate against the hall's own noise, then automatic gain.

Both look at the level of 20 ms frames only. Nothing is looked ahead, so no delay is added.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .level import level_dbov

Frame = NDArray[np.int16]

TARGET_DBOV = -23.0  # active speech level (ITU-T P.56) that every leg is brought to
MOST_GAIN_DB, LEAST_GAIN_DB = 15.0, -12.0
RISE_DB, FALL_DB = 0.06, 0.4  # per frame: 3 dB a second up, 20 down
LEVEL_SHARE = 0.03  # of a frame in the speech level: about 0.7 s
PEAK = 30_000.0

QUIETEST_DBOV = -60.0  # below this nobody speaks, however quiet the hall
NOISIEST_DBOV = -45.0  # a louder steady sound is taken for one that is meant to be heard
ABOVE_NOISE_DB = 9.0
NOISE_RISE_DB, NOISE_FALL_DB = 0.02, 0.5  # per frame: a floor found in a second, forgotten in ten
HOLD_FRAMES = 15  # 300 ms: the ends of words


class NoiseGate:
    """Learns the floor of a hall's noise; open while somebody speaks above it."""

    def __init__(self) -> None:
        self.floor_dbov = QUIETEST_DBOV
        self._held = 0

    def is_open(self, level: float) -> bool:
        step = level - self.floor_dbov
        self.floor_dbov += max(-NOISE_FALL_DB, min(NOISE_RISE_DB, step))
        self.floor_dbov = max(-127.0, min(NOISIEST_DBOV, self.floor_dbov))
        if self.is_voice(level):
            self._held = HOLD_FRAMES
        else:
            self._held = max(0, self._held - 1)
        return self._held > 0

    def is_voice(self, level: float) -> bool:
        return level > max(QUIETEST_DBOV, self.floor_dbov + ABOVE_NOISE_DB)


class AutomaticGain:
    """Brings quiet and loud speakers to one level; learns from speech only, never from pauses."""

    def __init__(self) -> None:
        self.gain_db = 0.0
        self._speech_dbov: float | None = None

    def learn(self, level: float) -> None:
        """One more frame of speech."""
        if self._speech_dbov is None:
            self._speech_dbov = level
        self._speech_dbov += LEVEL_SHARE * (level - self._speech_dbov)
        wanted = max(LEAST_GAIN_DB, min(MOST_GAIN_DB, TARGET_DBOV - self._speech_dbov))
        self.gain_db += max(-FALL_DB, min(RISE_DB, wanted - self.gain_db))


class Voice:
    """`process` each decoded frame of one leg in turn."""

    def __init__(self) -> None:
        self.gate = NoiseGate()
        self.gain = AutomaticGain()
        self._was_open = False
        self._factor = 1.0
        self._ramps: dict[int, NDArray[np.float32]] = {}

    def process(self, frame: Frame) -> tuple[Frame | None, int]:
        """What goes into the mix (None: nothing) and how loud the frame was as it came."""
        level = level_dbov(frame)
        is_open = self.gate.is_open(level)
        was_open, self._was_open = self._was_open, is_open
        if not is_open and not was_open:
            return None, level
        if self.gate.is_voice(level):
            self.gain.learn(level)
        factor = 10.0 ** (self.gain.gain_db / 20.0) if is_open else 0.0
        if is_open:
            peak = float(np.abs(frame.astype(np.int32)).max(initial=1))
            factor = min(factor, max(1.0, PEAK / peak)) if peak else factor
        return self._amplified(frame, factor), level

    def _amplified(self, frame: Frame, factor: float) -> Frame:
        """From the factor of the last frame to this one's in a straight line: nothing clicks."""
        before, self._factor = self._factor, factor if factor else 1.0
        if before == factor == 1.0:
            return frame
        ramp = self._ramps.get(len(frame))
        if ramp is None:
            ramp = self._ramps[len(frame)] = np.linspace(0.0, 1.0, len(frame), dtype=np.float32)
        scaled = frame.astype(np.float32) * (before + (factor - before) * ramp)
        return np.clip(scaled, -32768.0, 32767.0).astype(np.int16)
