"""Spoken prompts: recordings that load, and that one leg hears over the others."""

from __future__ import annotations

from importlib import resources

import numpy as np
import pytest

from video_bridge.audio.level import level_dbov
from video_bridge.errors import LocalMediaError
from video_bridge.prompt import RATE, Prompt, over, recording

NAMES = sorted(
    file.name.removesuffix(".ogg")
    for file in resources.files("video_bridge").joinpath("prompts").iterdir()
    if file.name.endswith(".ogg")
)


@pytest.mark.parametrize("name", NAMES)
def test_every_recording_is_short_and_loud_enough_to_be_understood(name: str) -> None:
    """A silent prompt leaves a county clerk in front of a mute room."""
    samples = recording(name)
    assert 1.0 < len(samples) / RATE < 15.0
    assert level_dbov(samples) > -35


def test_a_prompt_is_given_in_frames_and_ends() -> None:
    """20 ms at a time, then nothing."""
    prompt = Prompt("muted")
    frames = []
    while (frame := prompt.tick()) is not None:
        frames.append(frame)
    assert {len(frame) for frame in frames} == {960}
    assert len(frames) * 0.02 == pytest.approx(prompt.duration_s)


def test_the_others_stay_audible_under_a_prompt_and_nothing_wraps() -> None:
    """The loudest sums are cut, not folded over."""
    loud = np.full(960, 32_000, np.int16)
    assert over(loud, loud).max() == 32_767 and over(-loud, -loud).min() == -32_768
    assert over(np.zeros(960, np.int16), loud)[0] == 6_400


@pytest.mark.parametrize("name", ["nobody", "../prompts/muted", "", "muted.ogg", "静音"])
def test_an_unknown_prompt_is_refused(name: str) -> None:
    """A name from a wire never becomes a path."""
    with pytest.raises(LocalMediaError) as caught:
        recording(name)
    assert caught.value.code == "prompt_unknown"
