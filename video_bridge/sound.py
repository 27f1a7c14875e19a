"""The sound side of a conference: every 20 ms, decode, mix N-1, encode once per codec, send.

Decoding, mixing and encoding happen in one audio thread of the node; the event loop only sends.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field

import numpy as np

from .allocation.links import USUAL, AudioTerms, terms_of
from .audio.mixer import FRAME_SAMPLES, Frame, Mixer
from .audio.voice import Voice
from .codecs.audio import AudioEncoder, audio_encoder
from .datapath import Fanout, create_fanout
from .leg import Leg
from .prompt import over
from .streams.outbound import Outbound

log = logging.getLogger(__name__)

TICK_S = 0.020
MAX_BEHIND_S = 0.2
SPEAKING_DBOV = -45
SPEAKER_HELD_S = 1.2
METER_FALL_DB = 1  # per tick
_SHARED = "shared"
_SILENT = "silent"


@dataclass(frozen=True, slots=True)
class _Ear:
    """One receiver: whose it is, in which codec, and whether it is to hear anything."""

    leg_id: str
    codec: str
    terms: AudioTerms
    is_silenced: bool
    outbound: Outbound
    prompt: Frame | None  # 20 ms that it alone hears, over the others


_Key = tuple[str, str, AudioTerms]  # who hears it, codec, and for what line


@dataclass(slots=True)
class _Mixed:
    """One tick's outcome: payloads and levels."""

    payloads: dict[_Key, bytes] = field(default_factory=dict)
    heard_by: dict[str, _Key] = field(default_factory=dict)  # leg id -> key of payloads
    levels_dbov: dict[str, int] = field(default_factory=dict)
    full: Frame | None = None


class Sound:
    """One conference's sound."""

    def __init__(
        self,
        pool: Executor,
        legs: Callable[[], Sequence[Leg]],
        receivers: Callable[[], Sequence[tuple[Leg, Outbound]]],
        on_levels: Callable[[Mapping[str, int], float], None],
    ) -> None:
        self._on_levels = on_levels  # of those who may be heard, each tick
        self._pool = pool
        self._legs = legs
        self._receivers = receivers
        self.taps: list[Callable[[Frame, float], None]] = []  # recorders: the full mix
        self._mixer = Mixer()
        self._voices: dict[str, Voice] = {}
        self._encoders: dict[_Key, AudioEncoder] = {}
        self._fanouts: dict[str, Fanout] = {}
        self._ticks = 0
        self.speaker: str | None = None
        self._spoke_at = 0.0
        self._loop = asyncio.get_running_loop()

    async def run(self) -> None:
        """Until cancelled."""
        due = self._loop.time()
        while True:
            due += TICK_S
            now = self._loop.time()
            if now - due > MAX_BEHIND_S:
                self._ticks += round((now - due) / TICK_S)
                due = now
            await asyncio.sleep(max(0.0, due - now))
            await self._tick()

    async def _tick(self) -> None:
        self._ticks += 1
        legs = [leg for leg in self._legs() if leg.publish and leg.has_media]
        ears = [
            _Ear(
                leg.leg_id,
                outbound.plan.codec,
                _terms(leg, outbound),
                leg.speaker_muted,
                outbound,
                _prompt_of(leg),
            )
            for leg, outbound in self._receivers()
        ]
        if not legs and not ears and not self.taps:
            return
        now = self._loop.time()
        try:
            mixed = await self._loop.run_in_executor(self._pool, self._mix, legs, ears, now)
        except Exception:
            log.exception("sound tick failed")
            return
        self._send(ears, mixed)
        if mixed.full is not None:
            for tap in list(self.taps):
                tap(mixed.full, now)
        self._judge_speaker(legs, mixed.levels_dbov, now)

    # --- in the audio thread ------------------------------------------------------------------

    def _mix(self, legs: list[Leg], ears: list[_Ear], now: float) -> _Mixed:
        inputs, levels = self._take_voices(legs, now)
        muted = {leg.leg_id for leg in legs if leg.microphone_muted}
        result = self._mixer.tick(inputs, muted)
        mixed = _Mixed(levels_dbov=levels, full=result.listeners)
        for ear in ears:
            if ear.prompt is not None:
                who = ear.leg_id
            elif ear.is_silenced:
                who = _SILENT
            elif result.is_shared(ear.leg_id):
                who = _SHARED
            else:
                who = ear.leg_id
            key = (who, ear.codec, ear.terms)
            mixed.heard_by[ear.leg_id] = key
            if key not in mixed.payloads:
                frame = (
                    np.zeros(FRAME_SAMPLES, np.int16)
                    if who == _SILENT
                    else result.for_leg(ear.leg_id)
                )
                if ear.prompt is not None:
                    frame = over(ear.prompt, np.zeros_like(frame) if ear.is_silenced else frame)
                mixed.payloads[key] = self._encoder(key).encode(frame)
        prompted = {ear.leg_id for ear in ears if ear.prompt is not None}
        self._forget_encoders({leg.leg_id for leg in legs} | prompted)
        return mixed

    def _take_voices(
        self, legs: list[Leg], now: float
    ) -> tuple[dict[str, Frame | None], dict[str, int]]:
        """What each leg brings to the mix, and how loud it came in: meters show the room's own."""
        inputs: dict[str, Frame | None] = {}
        levels: dict[str, int] = {}
        for leg in legs:
            frame = leg.media.tick_audio(now)
            if frame is not None:
                voice = self._voices.setdefault(leg.leg_id, Voice())
                frame, levels[leg.leg_id] = voice.process(frame)
            inputs[leg.leg_id] = frame
        for leg_id in self._voices.keys() - inputs.keys():
            del self._voices[leg_id]
        return inputs, levels

    def _encoder(self, key: _Key) -> AudioEncoder:
        encoder = self._encoders.get(key)
        if encoder is None:
            encoder = self._encoders[key] = audio_encoder(
                key[1], bitrate_bps=key[2].bitrate_bps, expected_loss_pct=key[2].expected_loss_pct
            )
        return encoder

    def _forget_encoders(self, present: set[str]) -> None:
        for key in list(self._encoders):
            if key[0] not in present and key[0] not in (_SHARED, _SILENT):
                del self._encoders[key]

    # --- on the event loop --------------------------------------------------------------------

    def _send(self, ears: list[_Ear], mixed: _Mixed) -> None:
        by_payload: dict[_Key, list[Outbound]] = {}
        for ear in ears:
            if ear.outbound.target is not None:
                key = mixed.heard_by[ear.leg_id]
                by_payload.setdefault(key, []).append(ear.outbound)
        for key, outbounds in by_payload.items():
            payload = mixed.payloads[key]
            if not payload:
                continue
            codec = key[1]
            fanout = self._fanouts.get(codec)
            if fanout is None:
                fanout = self._fanouts[codec] = create_fanout()
            timestamp = self._ticks * self._encoders[key].clock_units & 0xFFFFFFFF
            targets = [outbound.target for outbound in outbounds if outbound.target is not None]
            fanout.send(targets, [payload], timestamp, marker_last=False)

    def _judge_speaker(self, legs: list[Leg], levels: dict[str, int], now: float) -> None:
        """Mark the loudest who speaks; the mark stays a moment, so that it does not flicker."""
        for leg in legs:
            leg.level_dbov = _meter(leg.level_dbov, levels.get(leg.leg_id))
        audible = {
            leg.leg_id: levels[leg.leg_id]
            for leg in legs
            if leg.leg_id in levels and not leg.microphone_muted
        }
        self._on_levels(audible, now)
        loudest = max(audible, key=lambda leg_id: audible[leg_id], default=None)
        if loudest is not None and audible[loudest] >= SPEAKING_DBOV:
            if loudest == self.speaker or now - self._spoke_at > SPEAKER_HELD_S / 2:
                self.speaker, self._spoke_at = loudest, now
        elif now - self._spoke_at > SPEAKER_HELD_S:
            self.speaker = None
        for leg in legs:
            leg.is_speaking = leg.leg_id == self.speaker


def _prompt_of(leg: Leg) -> Frame | None:
    """The next 20 ms of what this leg alone is told, a muted speaker or not."""
    if leg.prompt is None:
        return None
    frame = leg.prompt.tick()
    if frame is None:
        leg.prompt = None
    return frame


def _terms(leg: Leg, outbound: Outbound) -> AudioTerms:
    """Only Opus is encoded otherwise for another line."""
    return terms_of(leg.link).audio if outbound.plan.codec == "opus" else USUAL


def _meter(before: int | None, level: int | None) -> int | None:
    """A meter that jumps up and falls slowly, so that a glance between two words shows a voice."""
    if level is None:
        return None
    return level if before is None else max(level, before - METER_FALL_DB)
