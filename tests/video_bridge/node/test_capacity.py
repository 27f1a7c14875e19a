"""A node knows what it carries, says so, and refuses what it cannot."""

from __future__ import annotations

import pytest

from video_bridge import messages as m
from video_bridge.allocation.budget import LEAST_SHARE, LegCount, Machine
from video_bridge.errors import LocalMediaError
from video_bridge.messages import LegKind
from video_bridge.node.calibration import FASTEST, SLOWEST, measure_speed
from video_bridge.node.capacity import NodeCapacity


class Node:
    """Legs and pictures by hand."""

    def __init__(self, limit_ms_per_s: float | None = None) -> None:
        self.legs = LegCount(conferences=1)
        self.ticks = (0, 0)
        self.now = 0.0
        self.capacity = NodeCapacity(
            Machine(2), lambda: self.legs, lambda: self.ticks, limit_ms_per_s, lambda: self.now
        )

    def add(self) -> None:
        request = m.LegAdd(conference_id="c", leg_id="l", kind=LegKind.RTP, name="翁源县")
        self.capacity.admit(request)
        is_shown = self.legs.shown < 9
        self.legs = self.legs.plus(publish=True, play=True, is_camera=False, is_shown=is_shown)


def test_two_cores_take_a_province_and_no_more_than_they_can() -> None:
    """144 halls fit; at some number the next one is told so instead of spoiling all pictures."""
    node = Node()
    node.capacity.take("c", 420.0, 20.0)
    for _ in range(144):
        node.add()
    with pytest.raises(LocalMediaError) as refused:
        for _ in range(5000):
            node.add()
    assert refused.value.code == "node_at_capacity"
    assert node.capacity.figures().used_ms_per_s > 0.8 * node.capacity.figures().promised_ms_per_s


def test_rungs_that_can_be_shed_do_not_keep_a_hall_out() -> None:
    """A place in the consultation is worth more than another's 720p."""
    node = Node(limit_ms_per_s=600.0)
    node.capacity.take("c", 590.0, 10.0)
    node.add()
    node.capacity.take("c", 590.0, 590.0)
    with pytest.raises(LocalMediaError):
        node.add()
    node.capacity.forget("c")
    node.add()


def test_late_pictures_shrink_what_encoders_get() -> None:
    """Rungs are shed before frames are."""
    node = Node(limit_ms_per_s=1000.0)
    before = node.capacity.left_for("c")
    for _ in range(20):
        node.now += 1.0
        node.ticks = (node.ticks[0] + 25, node.ticks[1] + 10)
        node.capacity.left_for("c")
    assert node.capacity.promised == pytest.approx(1000.0 * LEAST_SHARE)
    assert node.capacity.left_for("c") < before / 3


def test_late_pictures_keep_nobody_out() -> None:
    """A machine that was busy with something else for a minute must not refuse a hall."""
    node = Node(limit_ms_per_s=400.0)
    node.capacity.take("c", 150.0, 150.0)
    for _ in range(20):
        node.now += 1.0
        node.ticks = (node.ticks[0] + 25, node.ticks[1] + 10)
        node.capacity.left_for("c")
    assert node.capacity.promised < node.capacity.used
    node.add()


def test_machine_is_measured_in_its_own_time() -> None:
    """Whatever else runs beside the test: the same machine is about as fast twice."""
    first, second = measure_speed(), measure_speed()
    assert SLOWEST < first < FASTEST
    assert 0.4 < first / second < 2.5
