"""The N-1 mix."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from video_bridge.audio.level import level_dbov
from video_bridge.audio.mixer import HOLD_TICKS, Mixer, soft_clip

from ..codecs.test_audio import Sound, tone


def _frames(sound: Sound) -> list[Sound]:
    return [sound[i : i + 960] for i in range(0, len(sound), 960)]


def _power_at(sound: Sound, frequency: float) -> float:
    """dB of one line against full scale."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) / (len(sound) / 4)
    index = round(frequency * len(sound) / 48_000)
    return float(20 * np.log10(spectrum[index - 2 : index + 3].max() / 32768 + 1e-12))


def test_everybody_hears_all_others_and_never_himself() -> None:
    """Three speakers and a listener, each speaker known by his tone."""
    pitches = {"hall": 500.0, "phone": 1100.0, "camera": 2300.0}
    voices = {leg: _frames(tone(pitch, 1.0, 6000)) for leg, pitch in pitches.items()}
    mixer = Mixer()
    heard: dict[str, list[Sound]] = {leg: [] for leg in (*pitches, "listener")}
    for tick in range(50):
        result = mixer.tick({**{leg: f[tick] for leg, f in voices.items()}, "listener": None})
        for leg, sounds in heard.items():
            sounds.append(result.for_leg(leg))
    for leg, sounds in heard.items():
        sound = np.concatenate(sounds)[9600:]
        for other, pitch in pitches.items():
            loudness = _power_at(sound, pitch)
            if other == leg:
                assert loudness < -80, (leg, "hears himself")
            else:
                assert loudness == pytest.approx(20 * np.log10(6000 / 32768), abs=0.3)


def test_all_pure_listeners_share_one_frame() -> None:
    """It is encoded once per codec, whether two listen or two hundred."""
    result = Mixer().tick({"a": tone(440, 0.02), "b": None, "c": np.zeros(960, np.int16)})
    assert result.for_leg("b") is result.for_leg("c") is result.for_leg("never heard of")
    assert result.is_shared("b")
    assert not result.is_shared("a")


def test_a_muted_leg_is_not_heard_but_its_level_is_shown() -> None:
    """会控闭音: the desk sees that he speaks into a closed microphone."""
    mixer = Mixer()
    for _ in range(3):
        result = mixer.tick({"a": tone(440, 0.02), "b": None}, muted={"a"})
        assert not result.listeners.any()
    assert result.levels_dbov["a"] > -20
    assert result.for_leg("a") is result.listeners


def test_muting_in_the_middle_of_speech_takes_effect_at_once() -> None:
    """From the next frame on nothing of him is heard."""
    mixer = Mixer()
    mixer.tick({"a": tone(440, 0.02)})
    mixer.tick({"a": tone(440, 0.02)})
    assert not mixer.tick({"a": tone(440, 0.02)}, muted={"a"}).listeners.any()


def test_only_the_loudest_are_mixed() -> None:
    """A hundred noisy rooms must not become one noise."""
    mixer = Mixer(max_speakers=2)
    frames = {f"leg{i}": tone(400 + 100 * i, 0.02, 1000 * (i + 1)) for i in range(5)}
    mixer.tick(frames)
    assert mixer.tick(frames).speakers.keys() == {"leg3", "leg4"}


def test_two_equal_voices_do_not_swap_places() -> None:
    """A speaker keeps his place until somebody is clearly louder."""
    mixer = Mixer(max_speakers=1)
    mixer.tick({"a": tone(440, 0.02, 8000), "b": None})
    for _ in range(5):
        result = mixer.tick({"a": tone(440, 0.02, 6000), "b": tone(500, 0.02, 8000)})
        assert "a" in result.speakers
    for _ in range(2):
        result = mixer.tick({"a": tone(440, 0.02, 500), "b": tone(500, 0.02, 8000)})
    assert result.speakers.keys() == {"b"}


def test_a_pause_between_words_keeps_the_place() -> None:
    """300 ms; after that his room's noise is gone too."""
    mixer = Mixer()
    quiet = tone(440, 0.02, 10)
    mixer.tick({"a": tone(440, 0.02)})
    results = [mixer.tick({"a": quiet}) for _ in range(HOLD_TICKS + 3)]
    assert "a" in results[HOLD_TICKS - 3].speakers
    assert "a" not in results[-1].speakers


def test_coming_and_going_does_not_click() -> None:
    """A ramp over one frame instead of a step."""
    mixer = Mixer()
    loud = tone(100, 2.0, 20_000)
    out = []
    for tick, frame in enumerate(_frames(loud)):
        out.append(mixer.tick({"a": frame if 10 <= tick < 40 else None, "b": None}).listeners)
    steps = np.abs(np.diff(np.concatenate(out[:38]).astype(int)))
    assert steps.max() < 2 * np.abs(np.diff(loud.astype(int))).max()


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 8), st.integers(0, 32767))
def test_no_sum_leaves_sixteen_bits_or_turns_over(count: int, amplitude: int) -> None:
    """Eight people shouting give a loud frame, not a noise burst."""
    frame = np.full(960, amplitude, np.int16)
    mixer = Mixer()
    for _ in range(2):
        result = mixer.tick({f"leg{i}": frame for i in range(count)})
    assert (result.listeners >= 0).all()
    if amplitude > 100:
        assert result.listeners.min() >= min(amplitude, 24_000) * 0.99


def test_soft_clipping_leaves_normal_loudness_alone() -> None:
    """Bit for bit below the knee, monotonic above."""
    quiet = np.arange(-24_000, 24_000, 50).astype(np.float32)
    assert np.array_equal(soft_clip(quiet), quiet.astype(np.int16))
    bent = soft_clip(np.arange(0, 200_000, 100).astype(np.float32))
    assert (np.diff(bent.astype(int)) >= 0).all()
    assert bent.max() <= 32767


@pytest.mark.parametrize(("amplitude", "dbov"), [(32767, -3), (3277, -23), (0, -127), (33, -63)])
def test_level_is_in_dbov(amplitude: int, dbov: int) -> None:
    """RFC 6464: a full-scale sine is -3 dBov."""
    assert level_dbov(tone(1000, 0.02, amplitude)) == dbov
    assert level_dbov(np.zeros(0, np.int16)) == -127


def test_nobody_there_is_silence() -> None:
    """An empty conference still answers."""
    result = Mixer().tick({})
    assert result.listeners.shape == (960,)
    assert not result.listeners.any()
