"""Audio encoders and decoders: 48 kHz mono 16-bit on our side, 20 ms frames of 960 samples.

Each belongs to one leg (decoders) or one codec of a conference's mix (encoders) and is used by one
thread at a time.
"""

from __future__ import annotations

import ctypes
from fractions import Fraction
from typing import Protocol, cast

import av
import av.error
import numpy as np

from ..errors import LocalMediaError, RemoteMediaError
from . import g711, libopus
from .concealment import PitchRepeater
from .resample import Decimator, Interpolator, Samples

RATE = 48_000
FRAME_SAMPLES = 960
OPUS_DTX_SIZE = 2  # bytes: the encoder says that nobody speaks (RFC 6716 section 2.1.9)
QUIET_PEAK = 32  # no sample above it: below -60 dBov, nobody speaks


class AudioEncoder(Protocol):
    """`codec` is the SDP name; `clock_units` is what the RTP timestamp grows by per frame."""

    codec: str
    clock_units: int

    def encode(self, frame: Samples) -> bytes:
        """One 20 ms payload of 960 samples."""


class AudioDecoder(Protocol):
    codec: str

    def decode(self, payload: bytes) -> Samples:
        """Samples at 48 kHz, as many as the payload holds. Raises RemoteMediaError."""

    def conceal(self, next_payload: bytes | None = None) -> Samples:
        """960 samples for a lost packet; the packet after it helps Opus (in-band FEC)."""

    def is_surely_quiet(self, payload: bytes) -> bool:
        """Whether a payload is silence, where that can be told without decoding it."""


def audio_encoder(
    codec: str, *, bitrate_bps: int = 32_000, expected_loss_pct: int = 10
) -> AudioEncoder:
    """`opus`, `G722`, `PCMA` or `PCMU`; rate and loss are Opus's. Raises LocalMediaError."""
    if codec == "opus":
        return OpusEncoder(bitrate_bps, expected_loss_pct)
    if codec == "G722":
        return G722Encoder()
    if codec in ("PCMA", "PCMU"):
        return G711Encoder(codec)
    raise LocalMediaError("audio_codec_unknown", codec=codec)


def audio_decoder(codec: str) -> AudioDecoder:
    """`opus`, `G722`, `PCMA` or `PCMU`. Raises LocalMediaError."""
    if codec == "opus":
        library = libopus.load()
        return PlainOpusDecoder() if library is None else OpusDecoder(library)
    if codec == "G722":
        return G722Decoder()
    if codec in ("PCMA", "PCMU"):
        return G711Decoder(codec)
    raise LocalMediaError("audio_codec_unknown", codec=codec)


def _check(frame: Samples) -> None:
    if frame.shape != (FRAME_SAMPLES,) or frame.dtype != np.int16:
        raise LocalMediaError("audio_frame_misshapen", shape=frame.shape)


def _audio_frame(samples: Samples, rate: int, pts: int) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate = rate
    frame.time_base = Fraction(1, rate)
    frame.pts = pts
    return frame


class _PyavEncoder:
    def __init__(self, name: str, rate: int, bitrate_bps: int, options: dict[str, str]) -> None:
        context = cast(av.AudioCodecContext, av.CodecContext.create(name, "w"))
        context.sample_rate = rate
        context.format = "s16"
        context.layout = "mono"
        context.bit_rate = bitrate_bps
        context.time_base = Fraction(1, rate)
        context.options = options
        context.open()
        self._context, self._rate, self._pts = context, rate, 0

    def encode(self, samples: Samples) -> bytes:
        frame = _audio_frame(samples, self._rate, self._pts)
        self._pts += len(samples)
        return b"".join(bytes(packet) for packet in self._context.encode(frame))


class OpusEncoder:
    """Voice tuning with in-band FEC for the loss that is expected, 20 ms, mono."""

    codec = "opus"
    clock_units = FRAME_SAMPLES

    def __init__(self, bitrate_bps: int = 32_000, expected_loss_pct: int = 10) -> None:
        options = {
            "application": "voip",
            "frame_duration": "20",
            "packet_loss": str(expected_loss_pct),
            "fec": "1",
            "vbr": "on",
            "compression_level": "5",
        }
        self._encoder = _PyavEncoder("libopus", RATE, bitrate_bps, options)

    def encode(self, frame: Samples) -> bytes:
        _check(frame)
        return self._encoder.encode(frame)


class G722Encoder:
    """64 kbit/s; the RTP clock is 8000 though the sound is 16 kHz (RFC 3551 section 4.5.2)."""

    codec = "G722"
    clock_units = 160

    def __init__(self) -> None:
        self._encoder = _PyavEncoder("g722", 16_000, 64_000, {})
        self._decimator = Decimator(3)

    def encode(self, frame: Samples) -> bytes:
        _check(frame)
        return self._encoder.encode(self._decimator.process(frame))


class G711Encoder:
    clock_units = 160

    def __init__(self, codec: str) -> None:
        self.codec = codec
        self._encode = g711.encode_alaw if codec == "PCMA" else g711.encode_ulaw
        self._decimator = Decimator(6)

    def encode(self, frame: Samples) -> bytes:
        _check(frame)
        return self._encode(self._decimator.process(frame))


class OpusDecoder:
    """libopus's own concealment and FEC."""

    codec = "opus"

    def __init__(self, library: ctypes.CDLL) -> None:
        self._decoder = libopus.LibopusDecoder(library)

    def decode(self, payload: bytes) -> Samples:
        if not payload:
            raise RemoteMediaError("audio_undecodable", codec=self.codec)
        return self._decoder.decode(payload)

    def conceal(self, next_payload: bytes | None = None) -> Samples:
        if next_payload:
            try:
                return self._decoder.decode_lost_from(next_payload, FRAME_SAMPLES)
            except RemoteMediaError:
                pass  # the next packet is bad too: it is judged when its own turn comes
        return self._decoder.conceal(FRAME_SAMPLES)

    def is_surely_quiet(self, payload: bytes) -> bool:
        return len(payload) <= OPUS_DTX_SIZE


class _PyavDecoder:
    def __init__(self, name: str, codec: str) -> None:
        self._context = cast(av.AudioCodecContext, av.CodecContext.create(name, "r"))
        self._codec = codec

    @property
    def context(self) -> av.AudioCodecContext:
        return self._context

    def decode(self, payload: bytes) -> Samples:
        """Mono samples at the codec's own rate."""
        try:
            frames = self._context.decode(av.Packet(payload)) if payload else []
        except (av.error.FFmpegError, ValueError) as error:
            raise RemoteMediaError("audio_undecodable", codec=self._codec) from error
        parts = [_mono(frame) for frame in frames]
        if not parts:
            raise RemoteMediaError("audio_undecodable", codec=self._codec)
        return np.concatenate(parts)


def _mono(frame: av.AudioFrame) -> Samples:
    samples = frame.to_ndarray()
    channels = len(frame.layout.channels)
    if samples.dtype.kind == "f":
        samples = np.clip(samples * 32768.0, -32768, 32767)
    if not frame.format.is_planar:
        samples = samples.reshape(-1, channels).T
    if channels > 1:
        samples = samples.astype(np.int32).sum(axis=0) // channels
    return np.ascontiguousarray(samples.reshape(-1).astype(np.int16))


class PlainOpusDecoder:
    """Opus where no libopus can be loaded beside PyAV: no FEC, concealment by repetition."""

    codec = "opus"

    def __init__(self) -> None:
        self._decoder = _PyavDecoder("libopus", self.codec)
        self._decoder.context.sample_rate = RATE
        self._repeater = PitchRepeater()

    def decode(self, payload: bytes) -> Samples:
        return self._repeater.played(self._decoder.decode(payload))

    def conceal(self, next_payload: bytes | None = None) -> Samples:
        return self._repeater.conceal(FRAME_SAMPLES)

    def is_surely_quiet(self, payload: bytes) -> bool:
        return len(payload) <= OPUS_DTX_SIZE


class G722Decoder:
    codec = "G722"

    def __init__(self) -> None:
        self._decoder = _PyavDecoder("g722", self.codec)
        self._decoder.context.sample_rate = 16_000
        self._decoder.context.layout = "mono"
        self._interpolator = Interpolator(3)
        self._repeater = PitchRepeater()

    def decode(self, payload: bytes) -> Samples:
        samples = self._decoder.decode(payload)
        return self._repeater.played(self._interpolator.process(samples))

    def conceal(self, next_payload: bytes | None = None) -> Samples:
        return self._repeater.conceal(FRAME_SAMPLES)

    def is_surely_quiet(self, payload: bytes) -> bool:
        return False  # only decoding tells


class G711Decoder:
    def __init__(self, codec: str) -> None:
        self.codec = codec
        self._quiet_codes = g711.quiet_codes(codec, QUIET_PEAK)
        self._decode = g711.decode_alaw if codec == "PCMA" else g711.decode_ulaw
        self._interpolator = Interpolator(6)
        self._repeater = PitchRepeater()

    def decode(self, payload: bytes) -> Samples:
        if not payload:
            raise RemoteMediaError("audio_undecodable", codec=self.codec)
        return self._repeater.played(self._interpolator.process(self._decode(payload)))

    def conceal(self, next_payload: bytes | None = None) -> Samples:
        return self._repeater.conceal(FRAME_SAMPLES)

    def is_surely_quiet(self, payload: bytes) -> bool:
        return not payload.translate(None, self._quiet_codes)
