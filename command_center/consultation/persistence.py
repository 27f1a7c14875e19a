"""Whether and when the desk brings an absent member back by itself.

A camera is pulled again as long as the consultation is open. A room that was in and fell out
through a fault is redialled; one that was refused, left or is unregistered waits for the operator,
unless 呼叫全部未入会 asked for a number of further tries. Phones come back by themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
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
HOPELESS = frozenset(
    {
        "declined",
        "not_found",
        "no_common_codec",
        "not_encrypted",
        "authentication_failed",
        "account_missing",
        "trunk_missing",
        "number_barred",
        "number_emptied",
        "number_malformed",
    }
)
"""Reasons that a further try will not change: somebody said no, or something is to be set up."""


@dataclass(frozen=True, slots=True)
class Effort:
    """`attempts` counts tries since the member fell out, or that failed; 0: none did.

    `limit` further tries were asked for by the desk, `pause` apart; 0: none. After giving up both
    counts stay, to be shown.
    """

    is_wanted: bool
    attempts: int = 0
    retry_at: datetime | None = None
    limit: int = 0
    pause: timedelta = timedelta()

    @property
    def has_given_up(self) -> bool:
        return not self.is_wanted and self.limit > 0


def effort_after(effort: Effort, protocol: Protocol, event: Event, now: datetime) -> Effort:
    """What the desk goes on to try after `event`."""
    if isinstance(event, Started | Rang | FellSilent | AccountAbsent):
        return effort
    if isinstance(event, AccountPresent):
        is_awaited = effort.is_wanted and effort.attempts > 0
        return replace(effort, retry_at=now) if is_awaited else effort
    if isinstance(event, Entered):
        return Effort(effort.is_wanted)
    if protocol in SIGNALLED and effort.limit > 0 and effort.is_wanted:
        asked = _as_asked(effort, event, now)
        if asked is not None:
            return asked
    if isinstance(event, Left) or not effort.is_wanted or event.reason_code in FINAL:
        return Effort(is_wanted=False)
    if protocol in PULLED and isinstance(event, NodeGone):
        return Effort(True, effort.attempts, now)  # nothing was wrong with the camera
    if protocol in PULLED:
        return Effort(True, effort.attempts + 1, now + CAMERA_RETRY)
    if protocol in SIGNALLED:
        return _room(effort, event, now)
    return Effort(is_wanted=False)


def _as_asked(effort: Effort, event: Event, now: datetime) -> Effort | None:
    """The tries that the desk asked for; None: the event is no failed try."""
    if not isinstance(event, FoundUnregistered | Refused):
        return None
    is_over = effort.attempts >= effort.limit or event.reason_code in HOPELESS
    if is_over:
        return replace(effort, is_wanted=False, retry_at=None)
    return replace(effort, attempts=effort.attempts + 1, retry_at=now + effort.pause)


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
