"""Whether and when the desk brings an absent member back by itself.

A camera is pulled again as long as the consultation is open. A room that was in and fell out
through a fault is redialled; one that was refused, left or is unregistered waits for the operator.
Phones come back by themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from .model import PULLED, SIGNALLED, Protocol
from .transitions import (
    AccountAbsent,
    AccountPresent,
    Entered,
    Event,
    FellSilent,
    FoundUnregistered,
    Left,
    NodeGone,
    Rang,
    Refused,
    Started,
    WentAway,
)

CAMERA_RETRY = timedelta(seconds=4)
REDIAL_FIRST = timedelta(seconds=1)
REDIAL_NEXT = timedelta(seconds=5)
REDIAL_LIMIT = 120  # attempts: ten minutes and more
FINAL = frozenset({"camera_url_refused"})


@dataclass(frozen=True, slots=True)
class Effort:
    """`attempts` counts tries since the member fell out; 0: it never did."""

    is_wanted: bool
    attempts: int = 0
    retry_at: datetime | None = None


def effort_after(effort: Effort, protocol: Protocol, event: Event, now: datetime) -> Effort:
    """What the desk goes on to try after `event`."""
    if isinstance(event, Started | Rang | FellSilent | AccountAbsent):
        return effort
    if isinstance(event, AccountPresent):
        is_awaited = effort.is_wanted and effort.attempts > 0
        return Effort(True, effort.attempts, now) if is_awaited else effort
    if isinstance(event, Entered):
        return Effort(effort.is_wanted)
    if isinstance(event, Left) or not effort.is_wanted or event.reason_code in FINAL:
        return Effort(is_wanted=False)
    if protocol in PULLED and isinstance(event, NodeGone):
        return Effort(True, effort.attempts, now)  # nothing was wrong with the camera
    if protocol in PULLED:
        return Effort(True, effort.attempts + 1, now + CAMERA_RETRY)
    if protocol in SIGNALLED:
        return _room(effort, event, now)
    return Effort(is_wanted=False)


def _room(effort: Effort, event: Event, now: datetime) -> Effort:
    if isinstance(event, NodeGone):
        return effort  # the gateway gives the room its leg again, or ends the call
    if isinstance(event, WentAway):
        return Effort(True, max(effort.attempts, 1), now + REDIAL_FIRST)
    if effort.attempts == 0 or effort.attempts >= REDIAL_LIMIT:
        return Effort(is_wanted=False)
    if isinstance(event, FoundUnregistered | Refused):
        return Effort(True, effort.attempts + 1, now + REDIAL_NEXT)
    return effort
