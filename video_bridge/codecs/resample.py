"""Streaming sample-rate change by whole factors: 48 kHz to 8 and 16 kHz and back.

Linear-phase FIR, Kaiser window (beta 7, about 70 dB), 16 taps per side and factor: flat to 0.43 of
the low rate, delay 16 low-rate samples (2 ms at 8 kHz). One matrix product per 20 ms.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

_SIDE = 16  # low-rate samples on each side of the kernel


def _kernel(factor: int) -> NDArray[np.float32]:
    """Low-pass at 0.46 of the low rate, unit gain at zero frequency."""
    side = _SIDE * factor
    position = np.arange(-side, side) + 0.5
    cutoff = 0.92 / factor
    taps = np.sinc(position * cutoff) * np.kaiser(2 * side, 7.0)
    kernel: NDArray[np.float32] = (taps / taps.sum()).astype(np.float32)
    return kernel


def _to_int16(samples: NDArray[np.float32]) -> Samples:
    return np.clip(np.rint(samples), -32768, 32767).astype(np.int16)


class Decimator:
    """48 kHz to 48 kHz / `factor`; feed whole multiples of `factor` samples."""

    def __init__(self, factor: int) -> None:
        self.factor = factor
        self._taps = _kernel(factor)
        self._tail = np.zeros(len(self._taps) - factor, np.float32)

    def process(self, samples: Samples) -> Samples:
        stream = np.concatenate((self._tail, samples.astype(np.float32)))
        count = len(samples) // self.factor
        windows = np.lib.stride_tricks.sliding_window_view(stream, len(self._taps))
        self._tail = stream[len(samples) :]
        return _to_int16(windows[:: self.factor][:count] @ self._taps)


class Interpolator:
    """48 kHz / `factor` to 48 kHz."""

    def __init__(self, factor: int) -> None:
        self.factor = factor
        # one sub-filter per output phase: rows are taps against consecutive low-rate samples
        taps = _kernel(factor) * factor
        self._phases = np.ascontiguousarray(taps.reshape(-1, factor)[::-1])
        self._tail = np.zeros(len(self._phases) - 1, np.float32)

    def process(self, samples: Samples) -> Samples:
        stream = np.concatenate((self._tail, samples.astype(np.float32)))
        windows = np.lib.stride_tricks.sliding_window_view(stream, len(self._phases))
        self._tail = stream[len(samples) :]
        return _to_int16((windows @ self._phases).reshape(-1))
