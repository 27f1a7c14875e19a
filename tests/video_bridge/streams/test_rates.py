"""Figures on the roster are per second, of the last seconds."""

from video_bridge.streams.rates import Rate


def test_rate_is_of_the_last_two_seconds() -> None:
    """A stopped stream shows zero soon, a steady one its rate at once."""
    rate = Rate()
    for tick in range(100):
        rate.add(10, tick * 0.04)
    assert abs(rate.per_second(4.0) - 250) < 30
    assert rate.per_second(7.0) == 0.0
    assert Rate().per_second(1.0) == 0.0
