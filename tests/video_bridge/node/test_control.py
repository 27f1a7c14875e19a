"""A node that nobody controls ends its legs, but not before somebody did."""

from video_bridge.node.control import CONTROL_LOST_AFTER_S, ControlWatch


def test_control_is_lost_ten_seconds_after_the_last_client() -> None:
    """A web process that restarts is back sooner; a dead one must not leave rooms connected."""
    watch = ControlWatch()
    assert not watch.look(0, 1000.0), "nobody was there yet"
    assert not watch.look(1, 1001.0)
    assert not watch.look(0, 1002.0)
    assert not watch.look(0, 1002.0 + CONTROL_LOST_AFTER_S - 0.1)
    assert watch.look(0, 1002.0 + CONTROL_LOST_AFTER_S)
    assert not watch.look(0, 1020.0), "told once"


def test_client_that_returns_in_time_saves_the_legs() -> None:
    """Each absence counts by itself."""
    watch = ControlWatch()
    watch.look(2, 0.0)
    watch.look(0, 1.0)
    watch.look(1, 9.0)
    assert not watch.look(0, 10.0)
    assert not watch.look(0, 19.0)
    assert watch.look(0, 20.5)
