"""The halls' picture without one of them, for a bridge above us.

A bridge that is sent our whole picture would see its own within it, and that within it again. It
is sent what the halls see with its own pane left out; where they see nothing but it, all the rest.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from .leg import Leg
from .programme import Programme
from .video.layouts import Layout

log = logging.getLogger(__name__)


def name_of(leg_id: str) -> str:
    """The picture's name among a conference's; no leg is called so."""
    return f"rest {leg_id}"


def without(layout: Layout, leg_id: str) -> Layout:
    """A layout with the leg's seat taken out; automatic where nobody else sits."""
    if layout.seats is None or leg_id not in layout.seats:
        return layout
    seats = tuple(seat for seat in layout.seats if seat not in (leg_id, None))
    return replace(layout, arrangement=None, seats=seats or None)


class Rests:
    """One picture for each leg that is sent the rest; `keep` it up to date with each tick."""

    def __init__(self, make: Callable[[str], Programme]) -> None:
        self._make = make
        self._programmes: dict[str, Programme] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ending: list[asyncio.Task[None]] = []

    def __iter__(self) -> Iterator[Programme]:
        return iter(list(self._programmes.values()))

    def keep(self, receivers: Iterable[Leg], hall: Programme) -> None:
        """Make the pictures that are wanted, end the others; all follow the halls'."""
        wanted = {leg.leg_id for leg in receivers if leg.seat_view == "rest"}
        for leg_id in self._programmes.keys() - wanted:
            ended = _end(self._programmes.pop(leg_id), self._tasks.pop(leg_id))
            ending = [task for task in self._ending if not task.done()]
            self._ending = [*ending, asyncio.create_task(ended)]
        for leg_id in wanted:
            programme = self._programmes.get(leg_id)
            if programme is None:
                programme = self._programmes[leg_id] = self._make(leg_id)
                self._tasks[leg_id] = asyncio.create_task(programme.run())
                self._tasks[leg_id].add_done_callback(_report)
            programme.layout = without(hall.layout, leg_id)
            programme.switch = hall.switch
            programme.placeholders = hall.placeholders
            programme.wording = hall.wording

    def tasks(self) -> list[asyncio.Task[None]]:
        """All that runs, for its owner to end."""
        return [*self._tasks.values(), *self._ending]


async def _end(programme: Programme, task: asyncio.Task[None]) -> None:
    """Its encoders are given back once nothing is drawn any more."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await programme.close()


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("a picture's task ended", exc_info=task.exception())
