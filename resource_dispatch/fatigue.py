"""How tired a team is: what its work of the last day costs, and when it must rest.

Rules of this house, not of a standard: 8 hours of work in 24 are free, each hour more counts as
five minutes of delay for whatever the team is sent to, and after 12 hours it rests 8.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

WINDOW = timedelta(hours=24)
FREE_S = 8 * 3_600
FULL_S = 12 * 3_600
REST = timedelta(hours=8)
DELAY_S_PER_HOUR = 300


def worked(
    spans: Iterable[tuple[datetime, datetime]], now: datetime
) -> tuple[int, datetime | None]:
    """(seconds worked in the day before `now`, to the end of work in hand; when the last ends)."""
    total, last = 0, None
    for begins, ends in spans:
        begun = max(begins, now - WINDOW)
        if ends > begun:
            total += round((ends - begun).total_seconds())
            last = ends if last is None else max(last, ends)
    return total, last


def tired_s(worked_s: int) -> int:
    """What sending a team that has worked so long costs, in seconds of delay."""
    return max(0, worked_s - FREE_S) * DELAY_S_PER_HOUR // 3_600


def rest_until(worked_s: int, last: datetime | None) -> datetime | None:
    """When a team that has worked its fill may go out again; None: it need not rest."""
    return None if last is None or worked_s < FULL_S else last + REST
