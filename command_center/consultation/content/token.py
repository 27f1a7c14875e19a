"""The rules of the content token: pure, so that every order of events can be tried."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from ..errors import LocalConsultationError


@dataclass(frozen=True, slots=True)
class Token:
    """`queue` waits, who came first first. With `locked_to` nobody else may hold it (锁定演示)."""

    holder: UUID | None = None
    queue: tuple[UUID, ...] = ()
    locked_to: UUID | None = None

    def request(self, who: UUID, *, can_wait: bool) -> Token:
        """Granted, or queued where `can_wait`; asking twice changes nothing.

        Raises `content_locked`, `content_held`: the edge names whom.
        """
        if self.holder == who:
            return self
        if self.locked_to not in (None, who):
            raise LocalConsultationError("content_locked", participant_id=str(self.locked_to))
        if self.holder is None:
            return replace(self, holder=who, queue=_without(self.queue, who))
        if not can_wait:
            raise LocalConsultationError("content_held", participant_id=str(self.holder))
        return self if who in self.queue else replace(self, queue=(*self.queue, who))

    def release(self, who: UUID) -> Token:
        """Given back, taken back, or gone: the next in the queue is granted."""
        queue = _without(self.queue, who)
        if self.holder != who:
            return replace(self, queue=queue)
        return replace(self, holder=queue[0] if queue else None, queue=queue[1:])

    def lock(self, site: UUID | None) -> Token:
        """To one site alone, or with None to whoever comes first. Another holder loses it."""
        if site is None:
            return replace(self, locked_to=None)
        holder = self.holder if self.holder == site else None
        if holder is None and site in self.queue:
            holder = site
        return Token(holder, (), site)

    def place(self, who: UUID) -> int | None:
        """1: next; None: not in the queue."""
        return self.queue.index(who) + 1 if who in self.queue else None


def _without(queue: tuple[UUID, ...], who: UUID) -> tuple[UUID, ...]:
    return tuple(one for one in queue if one != who)
