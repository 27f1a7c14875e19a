"""轮询: whose turn is next. Pure; whose turn it is now is a row, so a restart changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Turn:
    """Who is shown, and since when."""

    site: UUID | None
    since: datetime | None


def next_turn(
    sites: Sequence[UUID],
    present: Collection[UUID],
    turn: Turn,
    interval_s: float,
    now: datetime,
) -> UUID | None:
    """Who is shown from now on: the same site while its time lasts; None when nobody is in.

    Sites that are not in are passed over; a site that leaves during its turn gives it up at once.
    """
    current = turn.site
    is_in = current in present and current in sites
    due = due_at(turn, interval_s)
    is_over = due is None or now >= due
    if is_in and not is_over:
        return current
    start = sites.index(current) + 1 if current is not None and current in sites else 0
    for step in range(len(sites)):
        candidate = sites[(start + step) % len(sites)]
        if candidate in present:
            return candidate
    return None


def due_at(turn: Turn, interval_s: float) -> datetime | None:
    """When the next turn is due; None: at once."""
    return None if turn.since is None else turn.since + timedelta(seconds=interval_s)
