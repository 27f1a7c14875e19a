"""Opus decoding through libopus itself: PyAV exposes neither its loss concealment nor its FEC.

The library is the one PyAV's wheel brings, else the system's. `load()` gives None where there is
neither, and the caller decodes through PyAV without FEC.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
from pathlib import Path

import av
import numpy as np

from ..errors import LocalMediaError, RemoteMediaError
from .resample import Samples

_MAX_SAMPLES = 5760


@functools.cache
def load() -> ctypes.CDLL | None:
    """libopus with its prototypes set, or None."""
    bundled = sorted((Path(av.__file__).parent.parent / "av.libs").glob("libopus-*.so*"))
    for name in [*map(str, bundled), ctypes.util.find_library("opus"), "libopus.so.0"]:
        if name is None:
            continue
        try:
            library = ctypes.CDLL(name)
            _declare(library)
        except (OSError, AttributeError):
            continue
        return library
    return None


def _declare(library: ctypes.CDLL) -> None:
    library.opus_decoder_create.restype = ctypes.c_void_p
    library.opus_decoder_create.argtypes = [ctypes.c_int32, ctypes.c_int, ctypes.c_void_p]
    library.opus_decoder_destroy.restype = None
    library.opus_decoder_destroy.argtypes = [ctypes.c_void_p]
    library.opus_decode.restype = ctypes.c_int
    library.opus_decode.argtypes = [
        ctypes.c_void_p,
        ctypes.c_char_p,
        ctypes.c_int32,
        ctypes.c_void_p,
        ctypes.c_int,
        ctypes.c_int,
    ]


class LibopusDecoder:
    """Mono at 48 kHz; stereo packets are mixed down by libopus."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        error = ctypes.c_int(0)
        self._state = library.opus_decoder_create(48_000, 1, ctypes.addressof(error))
        if not self._state or error.value:
            raise LocalMediaError("opus_decoder_refused", status=error.value)
        self._out = np.zeros(_MAX_SAMPLES, np.int16)

    def __del__(self) -> None:
        if getattr(self, "_state", None):
            self._library.opus_decoder_destroy(self._state)
            self._state = None

    def decode(self, payload: bytes) -> Samples:
        """Raises RemoteMediaError `audio_undecodable`."""
        return self._decode(payload, _MAX_SAMPLES, False)

    def decode_lost_from(self, next_payload: bytes, samples: int) -> Samples:
        """The lost packet before `next_payload`, from its in-band FEC or by concealment."""
        return self._decode(next_payload, samples, True)

    def conceal(self, samples: int) -> Samples:
        return self._decode(None, samples, False)

    def _decode(self, payload: bytes | None, samples: int, use_fec: bool) -> Samples:
        size = 0 if payload is None else len(payload)
        count = self._library.opus_decode(
            self._state, payload, size, self._out.ctypes.data, samples, int(use_fec)
        )
        if count < 0:
            raise RemoteMediaError("audio_undecodable", codec="opus", status=count)
        return self._out[:count].copy()
