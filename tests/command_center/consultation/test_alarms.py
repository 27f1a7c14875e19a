"""Alarms of bad lines: one alarm for one trouble, in words that say what to do."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from command_center.consultation.control.alarms import Gauges, alarms, changes, feed
from command_center.consultation.schemas import ParticipantStatsOut

from .seats import NOW

Story = Iterable[dict[str, Any]]


def stats(**uplink: Any) -> ParticipantStatsOut:
    return ParticipantStatsOut.model_validate({"in": uplink, "out": {}})


def told(story: Story) -> tuple[list[str], list[str], Gauges]:
    """Codes raised and cleared while a leg's uplink goes through the story, a second each."""
    gauges: Gauges = {}
    raised, cleared = [], []
    for second, uplink in enumerate(story):
        following = feed(gauges, {"leg": stats(**uplink)}, NOW + timedelta(seconds=second))
        up, down = changes(gauges, following)
        raised += [alarm.code for alarm in up]
        cleared += [alarm.code for alarm in down]
        gauges = following
    return raised, cleared, gauges


def test_loss_that_stays_is_an_alarm_in_plain_words() -> None:
    """The operator reads whose line, which way, how much and what to do."""
    raised, cleared, gauges = told([{"loss_pct": 12.0}] * 5)
    assert (raised, cleared) == (["uplink_loss"], [])
    (alarm,) = alarms(gauges)
    assert alarm.text("惠州会场") == "惠州会场上行丢包 12%，建议降速或检查网络"


def test_a_short_burst_is_no_alarm() -> None:
    """Two bad seconds happen on every line."""
    assert told([{"loss_pct": 30.0}] * 2 + [{"loss_pct": 0.0}] * 10)[0] == []


def test_a_fluttering_line_raises_one_alarm() -> None:
    """Between the thresholds nothing changes, and good must last."""
    bad, middling, good = {"loss_pct": 8.0}, {"loss_pct": 3.0}, {"loss_pct": 0.5}
    story = [bad] * 5 + ([middling] * 4 + [good] * 4 + [bad] * 2) * 5
    assert told(story)[:2] == (["uplink_loss"], [])
    assert told([*story, *[good] * 12])[:2] == (["uplink_loss"], ["uplink_loss"])


def test_a_satellites_round_trip_is_no_alarm() -> None:
    """600 ms is what a satellite takes; 1.2 s is trouble."""
    assert told([{"round_trip_ms": 640.0}] * 9)[0] == []
    assert told([{"round_trip_ms": 1200.0}] * 9)[0] == ["round_trip"]


def test_a_slow_picture_is_an_alarm_and_no_picture_is_none() -> None:
    """Whoever sends no camera chose so; four frames a second are a fault."""
    assert told([{"width": 1280, "frame_rate": 4.0}] * 5)[0] == ["uplink_frame_rate"]
    assert told([{"frame_rate": None}] * 9)[0] == []


def test_a_leg_that_is_gone_has_no_alarms() -> None:
    """The roster says that it is away; two marks for one thing would be one too many."""
    gauges = told([{"loss_pct": 12.0}] * 5)[2]
    after = feed(gauges, {}, NOW + timedelta(seconds=6))
    assert alarms(after) == []
    assert [alarm.code for alarm in changes(gauges, after)[1]] == ["uplink_loss"]


@given(st.lists(st.floats(0, 100), max_size=60))
def test_alarms_begin_and_end_in_turn(losses: list[float]) -> None:
    """Never two beginnings without an end, never an end without a beginning."""
    gauges: Gauges = {}
    standing = 0
    for second, loss in enumerate(losses):
        following = feed(gauges, {"leg": stats(loss_pct=loss)}, NOW + timedelta(seconds=second))
        up, down = changes(gauges, following)
        standing += len(up) - len(down)
        assert standing in (0, 1)
        gauges = following
