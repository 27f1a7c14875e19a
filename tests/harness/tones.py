"""Keyed tones: what a site hears is proven by the frequencies in its sound.

A tone is 300 ms on and 200 ms off, because noise suppression eats a steady one.
"""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

ON_S, OFF_S = 0.3, 0.2
LOOP_S = 10.0


def keyed_tone(frequency: float, rate: int, seconds: float, level: float = 0.4) -> Samples:
    """Mono samples of a keyed sine with 10 ms ramps."""
    t = np.arange(int(rate * seconds)) / rate
    phase = t % (ON_S + OFF_S)
    ramp = np.clip(np.minimum(phase, ON_S - phase) / 0.01, 0.0, 1.0)
    wave_form: Samples = (np.sin(2 * np.pi * frequency * t) * ramp * level * 32767).astype(np.int16)
    return wave_form


def write_wav(path: Path, frequency: float, rate: int, seconds: float = 10.0) -> Path:
    """Whole periods, so that a looped file has no click; a long one is repeated."""
    once = round(min(seconds, LOOP_S) / (ON_S + OFF_S)) * (ON_S + OFF_S)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        period = keyed_tone(frequency, rate, once).tobytes()
        for _ in range(round(seconds / once)):
            out.writeframes(period)
    return path


def read_wav(path: Path) -> tuple[Samples, int]:
    """Mono samples and rate; tolerates a header whose length was never written."""
    raw = path.read_bytes()
    rate = int.from_bytes(raw[24:28], "little")
    channels = int.from_bytes(raw[22:24], "little")
    start = raw.find(b"data") + 8
    body = raw[start : start + (len(raw) - start) // (2 * channels) * 2 * channels]
    samples: Samples = np.frombuffer(body, np.int16)[::channels].copy()
    return samples, rate


def tone_strength(samples: Samples, rate: int, frequency: float) -> float:
    """How far the loudest 200 ms at `frequency` stand above the noise beside it, in dB.

    Compares power within 15 Hz with the median power 60 to 200 Hz away, in the loudest windows.
    """
    size = int(rate * 0.2)
    if len(samples) < size:
        return 0.0
    best = 0.0
    window = np.hanning(size)
    bins = np.fft.rfftfreq(size, 1 / rate)
    near = np.abs(bins - frequency) <= 15
    beside = (np.abs(bins - frequency) > 60) & (np.abs(bins - frequency) < 200)
    for start in range(0, len(samples) - size + 1, size // 2):
        power = np.abs(np.fft.rfft(samples[start : start + size] * window)) ** 2
        if power[near].max() < (size * 30) ** 2 / 16:  # below about -60 dBov: silence
            continue
        best = max(best, 10 * np.log10(power[near].max() / (np.median(power[beside]) + 1e3)))
    return float(best)


def heard(
    samples: Samples, rate: int, frequencies: list[float], least_db: float = 20
) -> set[float]:
    """Which of the tones are in the sound."""
    return {f for f in frequencies if tone_strength(samples, rate, f) >= least_db}
