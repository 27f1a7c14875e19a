"""G.711 A-law and mu-law by table (ITU-T G.711): no audioop, one numpy look-up per frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def _alaw_decode_table() -> NDArray[np.int16]:
    code = np.arange(256) ^ 0x55
    exponent, mantissa = (code & 0x70) >> 4, code & 0x0F
    magnitude = np.where(
        exponent == 0, (mantissa << 4) + 8, ((mantissa << 4) + 0x108) << np.maximum(exponent - 1, 0)
    )
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


def _ulaw_decode_table() -> NDArray[np.int16]:
    code = ~np.arange(256) & 0xFF
    magnitude = ((((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _encode_table(decode: NDArray[np.int16]) -> NDArray[np.uint8]:
    """Nearest code of every 16-bit sample; ties go to the smaller magnitude, zero to +0."""
    order = np.argsort(decode, kind="stable")
    levels = decode[order].astype(np.int32)
    samples = np.arange(-32768, 32768)
    right = np.clip(np.searchsorted(levels, samples, side="right"), 1, len(levels) - 1)
    below, above = levels[right - 1], levels[right]
    nearer_above = above - samples < samples - below
    ties = above - samples == samples - below
    use_above = nearer_above | (ties & (np.abs(above) <= np.abs(below)))
    codes = order[np.where(use_above, right, right - 1)]
    return codes.astype(np.uint8)


ALAW_TO_LINEAR = _alaw_decode_table()
ULAW_TO_LINEAR = _ulaw_decode_table()
_LINEAR_TO_ALAW = _encode_table(ALAW_TO_LINEAR)
_LINEAR_TO_ULAW = _encode_table(ULAW_TO_LINEAR)


def encode_alaw(samples: NDArray[np.int16]) -> bytes:
    return _LINEAR_TO_ALAW[samples.astype(np.int32) + 32768].tobytes()


def encode_ulaw(samples: NDArray[np.int16]) -> bytes:
    return _LINEAR_TO_ULAW[samples.astype(np.int32) + 32768].tobytes()


def decode_alaw(encoded: bytes) -> NDArray[np.int16]:
    return ALAW_TO_LINEAR[np.frombuffer(encoded, np.uint8)]


def decode_ulaw(encoded: bytes) -> NDArray[np.int16]:
    return ULAW_TO_LINEAR[np.frombuffer(encoded, np.uint8)]


def quiet_codes(codec: str, peak: int) -> bytes:
    """All codes of `PCMA` or `PCMU` whose sample is no larger than `peak`."""
    table = ALAW_TO_LINEAR if codec == "PCMA" else ULAW_TO_LINEAR
    return bytes(np.flatnonzero(np.abs(table.astype(np.int32)) <= peak).astype(np.uint8))
