"""Alarms of bad lines in plain words: rules with hysteresis, pure.

A value must stay bad for some seconds before it is an alarm and stay good for longer before the
alarm ends; between the two thresholds nothing changes. So a line that flutters raises one alarm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ..schemas import ParticipantStatsOut
from ..words import word

Reading = Callable[[ParticipantStatsOut], float | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """`raise_at` is bad, `clear_at` is good; which of them is larger says which way is worse."""

    code: str
    reading: Reading
    raise_at: float
    clear_at: float
    raise_after: timedelta = timedelta(seconds=3)
    clear_after: timedelta = timedelta(seconds=8)

    def is_bad(self, value: float) -> bool:
        return value >= self.raise_at if self.raise_at > self.clear_at else value <= self.raise_at

    def is_good(self, value: float) -> bool:
        return value <= self.clear_at if self.raise_at > self.clear_at else value >= self.clear_at


def _uplink_loss(stats: ParticipantStatsOut) -> float | None:
    return None if stats.in_ is None else stats.in_.loss_pct


def _downlink_loss(stats: ParticipantStatsOut) -> float | None:
    return None if stats.out is None else stats.out.loss_pct


def _uplink_jitter(stats: ParticipantStatsOut) -> float | None:
    return None if stats.in_ is None else stats.in_.jitter_ms


def _round_trip(stats: ParticipantStatsOut) -> float | None:
    ways = [way.round_trip_ms for way in (stats.in_, stats.out) if way is not None]
    return max((time for time in ways if time is not None), default=None)


def _uplink_frame_rate(stats: ParticipantStatsOut) -> float | None:
    """Of a picture that comes at all: none is a choice of the member, not a bad line."""
    if stats.in_ is None or stats.in_.width is None:
        return None
    return stats.in_.frame_rate or None


RULES = (
    Rule("uplink_loss", _uplink_loss, raise_at=5.0, clear_at=2.0),
    Rule("downlink_loss", _downlink_loss, raise_at=5.0, clear_at=2.0),
    Rule("uplink_jitter", _uplink_jitter, raise_at=80.0, clear_at=40.0),
    Rule("round_trip", _round_trip, raise_at=900.0, clear_at=700.0),
    Rule("uplink_frame_rate", _uplink_frame_rate, raise_at=6.0, clear_at=9.0),
)
"""Loss in per cent; a satellite's 600 ms round trip is no alarm; frames a second."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """One rule at one leg: since when it is bad or good, since when it is an alarm."""

    value: float = 0.0
    bad_since: datetime | None = None
    good_since: datetime | None = None
    raised_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Alarm:
    """What is wrong with a leg's line; `value` is the newest."""

    leg_id: str
    code: str
    value: float
    since: datetime

    def text(self, name: str) -> str:
        """In plain words: whose line, what, how much, what to do."""
        return word("alarm", self.code, name=name, value=f"{self.value:.0f}")


Gauges = Mapping[tuple[str, str], Gauge]


def step(rule: Rule, gauge: Gauge, value: float, now: datetime) -> Gauge:
    """The gauge after one more reading."""
    bad_since = (gauge.bad_since or now) if rule.is_bad(value) else None
    good_since = (gauge.good_since or now) if rule.is_good(value) else None
    raised_at = gauge.raised_at
    if raised_at is None and bad_since is not None and now - bad_since >= rule.raise_after:
        raised_at = now
    elif raised_at is not None and good_since is not None:
        raised_at = None if now - good_since >= rule.clear_after else raised_at
    return replace(
        gauge, value=value, bad_since=bad_since, good_since=good_since, raised_at=raised_at
    )


def feed(gauges: Gauges, legs: Mapping[str, ParticipantStatsOut], now: datetime) -> Gauges:
    """All gauges after one second's figures. A leg that is gone has no alarms."""
    following: dict[tuple[str, str], Gauge] = {}
    for leg_id, stats in legs.items():
        for rule in RULES:
            value, key = rule.reading(stats), (leg_id, rule.code)
            if value is not None:
                following[key] = step(rule, gauges.get(key, Gauge()), value, now)
            elif key in gauges:
                following[key] = gauges[key]  # no reading is neither good nor bad
    return following


def alarms(gauges: Gauges) -> list[Alarm]:
    """What stands now, the oldest first."""
    found = [
        Alarm(leg_id, code, gauge.value, gauge.raised_at)
        for (leg_id, code), gauge in gauges.items()
        if gauge.raised_at is not None
    ]
    return sorted(found, key=lambda alarm: (alarm.since, alarm.leg_id, alarm.code))


def changes(before: Gauges, after: Gauges) -> tuple[list[Alarm], list[Alarm]]:
    """Alarms raised and alarms cleared between two seconds."""
    old = {(alarm.leg_id, alarm.code): alarm for alarm in alarms(before)}
    new = {(alarm.leg_id, alarm.code): alarm for alarm in alarms(after)}
    raised = [alarm for key, alarm in new.items() if key not in old]
    return raised, [alarm for key, alarm in old.items() if key not in new]
