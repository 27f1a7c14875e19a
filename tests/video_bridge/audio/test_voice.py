"""Quiet speakers are lifted, loud ones lowered, and a hall's noise is not mixed at all."""

import numpy as np
import pytest

from video_bridge.audio.level import level_dbov
from video_bridge.audio.voice import MOST_GAIN_DB, TARGET_DBOV, Voice


def tone(level: float, frames: int, *, seed: int = 0) -> list[np.ndarray]:
    """Frames of noise at a level: voice-like as far as levels go."""
    rng = np.random.default_rng(seed)
    samples = rng.normal(0.0, 32768 * 10 ** (level / 20), frames * 960)
    return list(np.clip(samples, -32768, 32767).astype(np.int16).reshape(frames, 960))


def through(voice: Voice, frames: list[np.ndarray]) -> list[np.ndarray | None]:
    return [voice.process(frame)[0] for frame in frames]


@pytest.mark.parametrize("level", [-36.0, -30.0, -16.0])
def test_every_speaker_comes_to_one_level(level: float) -> None:
    """The village secretary and the trained speaker are heard alike."""
    out = through(Voice(), tone(level, 500))
    last = [frame for frame in out[-50:] if frame is not None]
    assert len(last) == 50
    assert abs(np.mean([level_dbov(frame) for frame in last]) - TARGET_DBOV) < 1.5


def test_gain_has_a_limit() -> None:
    """A whisper from another room is not made a shout."""
    voice = Voice()
    through(voice, tone(-48.0, 600))
    assert voice.gain.gain_db <= MOST_GAIN_DB


def test_pauses_teach_the_gain_nothing() -> None:
    """After a minute of silence the first word must not be a bang."""
    voice = Voice()
    through(voice, tone(-23.0, 200))
    before = voice.gain.gain_db
    through(voice, tone(-70.0, 1000))
    assert voice.gain.gain_db == pytest.approx(before, abs=0.5)


def test_noise_of_a_hall_is_not_mixed_but_its_speaker_is() -> None:
    """An air conditioner must not take one of eight places in the mix."""
    voice = Voice()
    through(voice, tone(-52.0, 600))
    assert all(frame is None for frame in through(voice, tone(-52.0, 100, seed=1)))
    spoken = through(voice, tone(-30.0, 10))
    assert spoken[0] is not None, "the first syllable is not cut"
    assert all(frame is not None for frame in spoken)


def test_steady_loud_sound_is_heard_for_ever() -> None:
    """A siren or a test tone is meant to be heard."""
    voice = Voice()
    assert all(frame is not None for frame in through(voice, tone(-30.0, 2500)))


def test_word_ends_are_kept_and_the_gate_closes_without_a_click() -> None:
    """Speech dies away; the last frame fades to nothing."""
    voice = Voice()
    through(voice, tone(-25.0, 50))
    out = through(voice, tone(-70.0, 40))
    kept = [frame for frame in out if frame is not None]
    assert 10 <= len(kept) <= 20
    assert np.abs(kept[-1][-10:]).max() <= 1
    assert out[len(kept) :] == [None] * (40 - len(kept))


def test_loud_peaks_are_not_lifted_into_clipping() -> None:
    """Gain learnt from a whisper must not distort the shout that follows."""
    voice = Voice()
    through(voice, tone(-38.0, 600))
    shout = (np.sin(np.arange(960) / 7) * 29_000).astype(np.int16)
    out, level = voice.process(shout)
    out, _ = voice.process(shout)
    assert out is not None and np.abs(out.astype(int)).max() <= 30_100
    assert level == level_dbov(shout), "the level is told as it came"
