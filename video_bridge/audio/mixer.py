"""The N-1 mix: everybody hears everybody but himself.

The loudest `MAX_SPEAKERS` legs are mixed; one that just spoke keeps its place for a moment, and
comes and goes by a ramp over one frame, so nothing clicks. Who contributes nothing hears the
shared mix: one frame object, so that the caller encodes it once per codec for all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .level import SILENCE_DBOV, level_dbov

Frame = NDArray[np.int16]

FRAME_SAMPLES = 960
MAX_SPEAKERS = 8
HOLD_TICKS = 15  # 300 ms: pauses between syllables do not cost a speaker his place
GATE_DBOV = -60  # quieter than this is nobody speaking
_KNEE = 24_000.0  # soft clipping begins here, -2.7 dBFS


@dataclass(frozen=True, slots=True)
class MixResult:
    """`for_leg(id)` is what a leg hears; `listeners` is one object for all pure listeners."""

    listeners: Frame
    speakers: dict[str, Frame]
    levels_dbov: dict[str, int]

    def for_leg(self, leg_id: str) -> Frame:
        return self.speakers.get(leg_id, self.listeners)

    def is_shared(self, leg_id: str) -> bool:
        """Whether the leg hears the shared mix, encoded once for all."""
        return leg_id not in self.speakers


def soft_clip(mixed: NDArray[np.float32]) -> Frame:
    """Straight up to the knee, then bent so that no sum leaves 16 bits."""
    magnitude = np.abs(mixed)
    if float(magnitude.max(initial=0.0)) > _KNEE:
        room = 32767.0 - _KNEE
        over = np.maximum(magnitude - _KNEE, 0.0)
        bent = np.minimum(magnitude, _KNEE) + room * np.tanh(over / room)
        mixed = np.copysign(bent, mixed)
    return mixed.astype(np.int16)


class Mixer:
    """One conference's mixer; call `tick` every 20 ms."""

    def __init__(self, max_speakers: int = MAX_SPEAKERS) -> None:
        self._max_speakers = max_speakers
        self._gains: dict[str, float] = {}  # gain at the end of the last frame
        self._held: dict[str, int] = {}  # ticks a speaker may keep his place
        self._ramp = np.linspace(0.0, 1.0, FRAME_SAMPLES, dtype=np.float32)

    def tick(self, inputs: Mapping[str, Frame | None], muted: Collection[str] = ()) -> MixResult:
        """Mix one frame of each leg; None: it has nothing to say. Muted legs are not heard at all.

        Levels are told for all legs that sent a frame, muted ones too.
        """
        levels: dict[str, int] = {}
        heard: dict[str, Frame] = {}
        for leg_id, frame in inputs.items():
            if frame is None:
                continue
            levels[leg_id] = level_dbov(frame)
            if leg_id not in muted:
                heard[leg_id] = frame
        chosen = self._choose(heard, levels)
        parts = self._ramped(heard, chosen)
        if not parts:
            return MixResult(np.zeros(FRAME_SAMPLES, np.int16), {}, levels)
        total = np.zeros(FRAME_SAMPLES, np.float32)
        for part in parts.values():
            total += part
        speakers = {leg_id: soft_clip(total - part) for leg_id, part in parts.items()}
        return MixResult(soft_clip(total), speakers, levels)

    def _choose(self, heard: Mapping[str, Frame], levels: Mapping[str, int]) -> set[str]:
        for leg_id in list(self._held):
            self._held[leg_id] -= 1
            if leg_id not in heard or self._held[leg_id] <= 0:
                del self._held[leg_id]
        loud = [leg_id for leg_id in heard if levels[leg_id] > GATE_DBOV]
        candidates = set(loud) | self._held.keys()
        # a holder counts 10 dB louder, so that two equal voices do not swap places each frame
        ordered = sorted(
            candidates,
            key=lambda leg_id: levels[leg_id] + (10 if leg_id in self._held else 0),
            reverse=True,
        )
        chosen = set(ordered[: self._max_speakers])
        for leg_id in loud:
            if leg_id in chosen:
                self._held[leg_id] = HOLD_TICKS
        for leg_id in self._held.keys() - chosen:
            del self._held[leg_id]
        return chosen

    def _ramped(
        self, heard: Mapping[str, Frame], chosen: set[str]
    ) -> dict[str, NDArray[np.float32]]:
        parts: dict[str, NDArray[np.float32]] = {}
        gains: dict[str, float] = {}
        for leg_id, frame in heard.items():
            before = self._gains.get(leg_id, 0.0)
            after = 1.0 if leg_id in chosen else 0.0
            if after:
                gains[leg_id] = after
            if before == after == 0.0:
                continue
            samples = frame.astype(np.float32)
            if before != after:
                samples *= self._ramp if after else 1.0 - self._ramp
            parts[leg_id] = samples
        self._gains = gains
        return parts


__all__ = ["FRAME_SAMPLES", "MAX_SPEAKERS", "SILENCE_DBOV", "MixResult", "Mixer", "level_dbov"]
