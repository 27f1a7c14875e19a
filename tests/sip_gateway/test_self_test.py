"""What a self-test says of what it saw and heard."""

from __future__ import annotations

from typing import Any

import pytest

from sip_gateway.self_test import Heard, _words, in_words
from video_bridge.messages import LegKind, LegState, LegStats, StreamStats

PICTURE = StreamStats(
    media="video", direction="in", codec="H264", width=1280, height=720, frame_rate=25.0
)
SOUND = StreamStats(media="audio", direction="in", codec="PCMA", packets=500)


def heard(*streams: StreamStats, level_dbov: int | None = -20) -> Heard:
    made = Heard()
    made.take(
        LegStats(
            leg_id="leg",
            conference_id="conf",
            kind=LegKind.RTP,
            name="翁源县",
            state=LegState.UP,
            publish=True,
            play=True,
            microphone_muted=False,
            speaker_muted=False,
            level_dbov=level_dbov,
            streams=list(streams),
        )
    )
    return made


def changed(stream: StreamStats, **fields: Any) -> StreamStats:
    return stream.model_copy(update=fields)


@pytest.mark.parametrize(
    ("streams", "level_dbov", "codes"),
    [
        ([PICTURE, SOUND], -20, ["good"]),
        ([changed(PICTURE, frame_rate=None), SOUND], -20, ["no_picture"]),
        ([PICTURE, changed(SOUND, packets=0)], None, ["no_sound"]),
        ([PICTURE, SOUND], -90, ["quiet"]),
        ([PICTURE, changed(SOUND, loss_pct=8.0)], -20, ["loss"]),
        ([changed(PICTURE, codec="H263"), SOUND], -20, ["good", "old_codec"]),
        ([SOUND], -20, ["good", "sound_only"]),
        (
            [changed(PICTURE, frame_rate=0.0, loss_pct=9.0), changed(SOUND, packets=0)],
            None,
            ["no_picture", "no_sound", "loss"],
        ),
    ],
)
def test_findings_name_what_is_wrong(
    streams: list[StreamStats], level_dbov: int | None, codes: list[str]
) -> None:
    """Each figure has its word; nothing wrong is said to be good."""
    found = heard(*streams, level_dbov=level_dbov)
    assert found.findings() == codes
    for language in ("zh", "en"):
        said = in_words(found, "020-12345678", language)
        assert ("020-12345678" in said) is (codes[0] != "good")
        assert len(said) <= 120 or language == "en"  # fits the line at the foot of the picture


def test_both_languages_have_every_sentence() -> None:
    """The English table is complete, though halls read the Chinese one."""
    assert _words("zh").keys() == _words("en").keys()
