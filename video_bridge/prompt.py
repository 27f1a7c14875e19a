"""Spoken prompts: short recordings of the house that one leg hears, in Mandarin then English."""

from __future__ import annotations

from functools import cache
from importlib import resources

import av
import numpy as np
from numpy.typing import NDArray

from .audio.mixer import FRAME_SAMPLES, Frame
from .errors import LocalMediaError

RATE = 48_000
FRAME_S = FRAME_SAMPLES / RATE
UNDER = 0.2  # what is left of the others while a prompt is heard


@cache
def recording(name: str) -> NDArray[np.int16]:
    """Samples of `prompts/NAME.ogg`, whole frames. Raises LocalMediaError `prompt_unknown`."""
    file = resources.files(__package__).joinpath("prompts", f"{name}.ogg")
    if not (name.isascii() and name.replace("_", "").isalnum() and file.is_file()):
        raise LocalMediaError("prompt_unknown", name=name[:40])
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    parts: list[NDArray[np.int16]] = []
    with file.open("rb") as stream, av.open(stream, mode="r") as container:
        for decoded in [*container.decode(audio=0), None]:
            for one in resampler.resample(decoded):
                parts.append(one.to_ndarray().reshape(-1).astype(np.int16))
    samples = np.concatenate(parts)
    padded = np.zeros(-(-len(samples) // FRAME_SAMPLES) * FRAME_SAMPLES, np.int16)
    padded[: len(samples)] = samples
    return padded


class Prompt:
    """One playing of a recording to one leg; `tick` gives 20 ms at a time."""

    def __init__(self, name: str) -> None:
        self._samples = recording(name)
        self._at = 0

    @property
    def duration_s(self) -> float:
        return len(self._samples) / RATE

    def tick(self) -> Frame | None:
        """The next frame; None when it is over."""
        frame = self._samples[self._at : self._at + FRAME_SAMPLES]
        self._at += FRAME_SAMPLES
        return frame if len(frame) else None


def over(prompt: Frame, heard: Frame) -> Frame:
    """The prompt with the others quietly under it."""
    mixed = prompt.astype(np.int32) + (heard * UNDER).astype(np.int32)
    return np.clip(mixed, -32768, 32767).astype(np.int16)
