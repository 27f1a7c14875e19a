"""One leg's sound from packets to 20 ms frames: jitter buffer, decoder, concealment, and a queue.

Packets of any length (10 to 120 ms) come out as frames of 960 samples.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..codecs.audio import FRAME_SAMPLES, RATE, AudioDecoder, audio_decoder
from ..errors import LocalMediaError, RemoteMediaError
from ..payload import g711, g722, opus
from ..rtp.jitter import AudioJitterBuffer, Conceal, Nothing, Payload
from ..rtp.packet import RtpPacket

_FORMATS: dict[str, tuple[int, Callable[[bytes], int]]] = {
    "opus": (opus.CLOCK_RATE, opus.duration),
    "G722": (g722.CLOCK_RATE, g722.duration),
    "PCMA": (g711.CLOCK_RATE, g711.duration),
    "PCMU": (g711.CLOCK_RATE, g711.duration),
}


MAX_PACKET_SAMPLES = RATE // 5  # 200 ms, RFC 3551
GATE_DBOV = -65  # quieter than this by the sender's own word is nobody speaking
HANGOVER_S = 0.3  # decoding goes on this long after the last sound, for the ends of words
_SILENCE: NDArray[np.int16] = np.zeros(MAX_PACKET_SAMPLES, np.int16)


class AudioReceiver:
    """`receive` packets of the negotiated payload type as they come, `tick` every 20 ms.

    A leg that is surely silent - its level says so (RFC 6464), or its G.711 does - is not decoded:
    of 144 rooms in a conference, 140 only listen.
    """

    def __init__(self, codec: str) -> None:
        """Raises LocalMediaError for an unknown codec."""
        if codec not in _FORMATS:
            raise LocalMediaError("audio_codec_unknown", codec=codec)
        clock_rate, duration = _FORMATS[codec]
        self.codec = codec
        self.buffer = AudioJitterBuffer(clock_rate, duration)
        self.undecodable = 0
        self._decoder: AudioDecoder = audio_decoder(codec)
        self._queue: NDArray[np.int16] = np.zeros(0, np.int16)
        self._clock_rate = clock_rate
        self._quiet_s = 0.0
        self.slots_skipped = 0

    @property
    def is_idle(self) -> bool:
        """Nothing is held and nothing plays: a tick would give nothing."""
        return not len(self._queue) and self.buffer.is_idle

    def receive(self, packet: RtpPacket, now: float, level_dbov: int | None = None) -> None:
        """`level_dbov` is the packet's own (`rtp.header_ext.audio_level`) where it has one.

        Raises RemoteMediaError when the payload is malformed; the stream goes on.
        """
        self.buffer.insert(packet, now, level_dbov)

    def tick(self, now: float) -> NDArray[np.int16] | None:
        """The next 960 samples; None while nothing comes."""
        while len(self._queue) < FRAME_SAMPLES:
            slot = self.buffer.pop(now, len(self._queue) / RATE)
            if isinstance(slot, Nothing):
                return self._rest()
            samples = self._decode(slot)
            self._queue = np.concatenate((self._queue, samples)) if len(self._queue) else samples
        frame, self._queue = self._queue[:FRAME_SAMPLES], self._queue[FRAME_SAMPLES:]
        return frame

    def _decode(self, slot: Payload | Conceal) -> NDArray[np.int16]:
        if isinstance(slot, Conceal):
            if self._is_gated:
                return self._skip(FRAME_SAMPLES)
            return self._decoder.conceal(slot.next_payload)
        seconds = slot.units / self._clock_rate
        is_quiet = (
            self._decoder.is_surely_quiet(slot.data)
            if slot.level_dbov is None
            else slot.level_dbov <= GATE_DBOV
        )
        self._quiet_s = self._quiet_s + seconds if is_quiet else 0.0
        if self._is_gated:
            return self._skip(round(seconds * RATE))
        try:
            return self._decode_sound(slot)
        except RemoteMediaError:
            self.undecodable += 1
            return self._decoder.conceal()

    def _decode_sound(self, slot: Payload) -> NDArray[np.int16]:
        """Raises RemoteMediaError. A slot that was left out is faded into the one that follows."""
        if slot.skipped is None:
            return self._decoder.decode(slot.data)
        before = self._decoder.decode(slot.skipped)
        after = self._decoder.decode(slot.data)
        if len(before) != len(after):
            return after
        ramp = np.linspace(0.0, 1.0, len(after), dtype=np.float32)
        faded: NDArray[np.int16] = (before * (1 - ramp) + after * ramp).astype(np.int16)
        return faded

    @property
    def _is_gated(self) -> bool:
        return self._quiet_s > HANGOVER_S

    def _skip(self, samples: int) -> NDArray[np.int16]:
        """Silence in place of a packet that was not decoded."""
        self.slots_skipped += 1
        return _SILENCE[:samples]

    def _rest(self) -> NDArray[np.int16] | None:
        """What is left of the last packet before silence, padded to a frame."""
        if not len(self._queue):
            return None
        frame = np.zeros(FRAME_SAMPLES, np.int16)
        frame[: len(self._queue)] = self._queue
        self._queue = self._queue[:0]
        return frame
