"""Statutory countdowns: which clocks an incident should have, decided from data rows. Pure.

A clock starts when its trigger first holds and is closed, leaving its trace, when a correction
takes the trigger away. A late step stays late: it is shown red and carries its explanation.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib import resources

from .casualties import Casualties
from .grade import Grade

ROAD_AND_FIRE = frozenset({"road_traffic", "traffic", "fire"})
FOLLOW_UPS = frozenset({"follow_up_daily", "follow_up_twice_daily"})


@dataclass(frozen=True, slots=True)
class ClockRule:
    """One row: what starts it, from when, how many minutes, to whom, by which text."""

    key: str
    label: str
    basis: str
    line: str
    channel: str
    trigger: str
    starts: str
    minutes: int
    to_whom: str
    demonstration: bool = False
    closes_by_itself: bool = False


@dataclass(frozen=True, slots=True)
class Situation:
    """What the triggers look at. `received_at` is when these facts were learnt."""

    event_type: str
    grade: Grade | None
    is_near_accident: bool
    casualties: Casualties
    occurred_at: datetime | None
    received_at: datetime

    def grade_reaches(self, least: Grade) -> bool:
        return self.grade is not None and self.grade.rank >= least.rank


@dataclass(frozen=True, slots=True)
class Start:
    """A clock to start."""

    rule: ClockRule
    starts_at: datetime
    due_at: datetime


def _dead_or_missing(situation: Situation) -> int:
    return (situation.casualties.deaths or 0) + (situation.casualties.missing or 0)


_TRIGGERS: dict[str, Callable[[Situation], bool]] = {
    "receipt": lambda s: True,
    "near_accident_or_larger": lambda s: s.is_near_accident or s.grade_reaches(Grade.LARGER),
    "larger": lambda s: s.grade_reaches(Grade.LARGER),
    "major": lambda s: s.grade_reaches(Grade.MAJOR),
    "dead_or_missing_3": lambda s: _dead_or_missing(s) >= 3,
    "follow_up_daily": lambda s: not s.grade_reaches(Grade.MAJOR),
    "follow_up_twice_daily": lambda s: s.grade_reaches(Grade.MAJOR),
    "supplement": lambda s: True,
}


@cache
def rules() -> tuple[ClockRule, ...]:
    """The rows of `clock_rules.toml`."""
    text = resources.files(__package__).joinpath("clock_rules.toml").read_text("utf-8")
    return tuple(ClockRule(**row) for row in tomllib.loads(text)["rule"])


def due(rule: ClockRule, situation: Situation) -> Start:
    """When this clock starts and ends."""
    starts_at = situation.received_at
    if rule.starts == "occurred" and situation.occurred_at is not None:
        starts_at = situation.occurred_at
    minutes = rule.minutes
    if rule.trigger == "supplement" and situation.event_type in ROAD_AND_FIRE:
        minutes = 7 * 24 * 60
    return Start(rule, starts_at, starts_at + timedelta(minutes=minutes))


def to_start(situation: Situation, running_or_done: set[str]) -> list[Start]:
    """Clocks whose trigger holds and that the incident does not have yet.

    `running_or_done`: keys of its clocks that are not closed. Follow-up clocks are given anew with
    each report: the caller closes the one before.
    """
    return [
        due(rule, situation)
        for rule in rules()
        if _TRIGGERS[rule.trigger](situation) and rule.key not in running_or_done
    ]


def to_close(situation: Situation, running: set[str]) -> set[str]:
    """Keys of running clocks whose trigger no longer holds (a downward correction)."""
    return {
        rule.key
        for rule in rules()
        if rule.key in running and not _TRIGGERS[rule.trigger](situation)
    }


def state_of(
    *, due_at: datetime, done_at: datetime | None, closed_at: datetime | None, now: datetime
) -> str:
    """running | done | late | closed. Late is late whether it was done since or not."""
    if done_at is not None:
        return "late" if done_at > due_at else "done"
    if closed_at is not None:
        return "late" if closed_at > due_at else "closed"
    return "late" if now > due_at else "running"


def minutes_late(due_at: datetime, done_at: datetime) -> int:
    """Whole minutes begun after the limit, 0 when in time."""
    seconds = (done_at - due_at).total_seconds()
    return 0 if seconds <= 0 else int(-(-seconds // 60))
