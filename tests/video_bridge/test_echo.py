"""The echo of a self-test: listens ten seconds, then plays them, and never hears itself."""

from __future__ import annotations

import numpy as np

from video_bridge.ingest.echo import EchoMedia, Tap


def frame(value: int) -> np.ndarray:
    return np.full(960, value, np.int16)


async def test_what_was_said_comes_back_once_and_in_order() -> None:
    """Half a second here; while it plays nothing is kept."""
    taps: list[Tap] = []
    echo = EchoMedia(taps, heard_s=0.5)
    for number in range(25):
        assert echo.tick_audio(0.0) is None
        taps[0](frame(number), 0.0)
    played = []
    for _ in range(25):
        said = echo.tick_audio(0.0)
        assert said is not None
        played.append(int(said[0]))
        taps[0](frame(99), 0.0)
    assert played == list(range(25))
    assert echo.tick_audio(0.0) is None
    await echo.close()
    assert taps == []
