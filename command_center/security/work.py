"""A unit of work: one transaction with its actor, its time, its events and its audit rows.

`Work` is the first argument of every service. `Desk.work(actor)` opens one and is used by the
request edge, by the gateway's and node's event loops and by timers alike: on leaving the block
the events and audit rows are appended and the transaction commits; an exception rolls back all.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from ..database.engine import Database
from ..database.tables import EventRow
from .actor import Actor
from .audit import AuditChain, AuditEntry, take_append_lock
from .errors import AuditUnavailableError
from .permissions import Permission

P = ParamSpec("P")
T = TypeVar("T")

EVENT_CHANNEL = "command_center_event"


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Work:
    """What a service gets: `session` to read and write, `actor`, `now`, and where to tell it."""

    session: AsyncSession
    actor: Actor
    now: datetime
    request_id: str = ""
    remote: str = ""
    _events: list[EventRow] = field(default_factory=list)
    _done: list[AuditEntry] = field(default_factory=list)
    _open: list[AuditEntry] = field(default_factory=list)

    def emit(
        self,
        type_: str,
        body: dict[str, Any],
        *,
        incident_id: UUID | None = None,
        consultation_id: UUID | None = None,
        region_code: str | None = None,
        team_id: UUID | None = None,
        is_drill: bool = False,
    ) -> None:
        """Tell everybody concerned, once this transaction has committed. `body` is plain JSON."""
        self._events.append(
            EventRow(
                type=type_,
                incident_id=incident_id,
                consultation_id=consultation_id,
                region_code=region_code,
                team_id=team_id,
                at=self.now,
                actor=self.actor.as_json(),
                body=body,
                is_drill=is_drill,
            )
        )

    def concerns(
        self, kind: str, id_: UUID | str, *, is_drill: bool = False, **detail: Any
    ) -> None:
        """Name the object of the running service call in its audit row."""
        if self._open:
            entry = self._open[-1]
            entry.object_kind, entry.object_id = kind, str(id_)
            entry.is_drill = entry.is_drill or is_drill
            entry.detail.update(detail)

    def record(self, entry: AuditEntry) -> None:
        """Add an audit row directly (refusals at the edge)."""
        self._done.append(entry)

    def begin_call(self, action: str) -> AuditEntry:
        entry = AuditEntry(action)
        self._open.append(entry)
        return entry

    def end_call(self, entry: AuditEntry, *, succeeded: bool) -> None:
        self._open.remove(entry)
        if succeeded:
            self._done.append(entry)

    async def seal(self, chain: AuditChain) -> None:
        """Append events and audit rows; the last thing before the commit.

        Raises AuditUnavailableError: without its audit row the change is not made.
        """
        if not self._events and not self._done:
            return
        await self.session.flush()
        await take_append_lock(self.session)
        if self._done:
            try:
                await chain.append(
                    self.session,
                    self._done,
                    actor=self.actor,
                    at=self.now,
                    request_id=self.request_id,
                    remote=self.remote,
                )
            except SQLAlchemyError as error:
                raise AuditUnavailableError() from error
        for event in self._events:
            self.session.add(event)
            await self.session.flush()  # one by one: their order is their number
        if self._events:
            await self.session.execute(text(f"NOTIFY {EVENT_CHANNEL}"))
        self._events, self._done = [], []


class ServiceCall(Generic[P, T]):
    """A service function with its declared permission and audit action."""

    def __init__(
        self,
        function: Callable[Concatenate[Work, P], Awaitable[T]],
        permission: Permission | None,
        audit: str,
    ) -> None:
        self.function = function
        self.permission = permission
        self.audit = audit
        self.__name__ = function.__name__
        self.__doc__ = function.__doc__
        self.__module__ = function.__module__

    async def __call__(self, work: Work, *args: P.args, **kwargs: P.kwargs) -> T:
        """Raises PermissionDeniedError before anything is done."""
        if self.permission is not None:
            work.actor.require(self.permission)
        entry = work.begin_call(self.audit)
        succeeded = False
        try:
            result = await self.function(work, *args, **kwargs)
            succeeded = True
        finally:
            work.end_call(entry, succeeded=succeeded)
        return result


def service_call(
    *, permission: Permission | None, audit: str
) -> Callable[[Callable[Concatenate[Work, P], Awaitable[T]]], ServiceCall[P, T]]:
    """Declare what a state-changing service needs and how its audit row is called.

    `permission=None` is for calls that decide for themselves (log-in); say so in their docstring.
    """

    def wrap(function: Callable[Concatenate[Work, P], Awaitable[T]]) -> ServiceCall[P, T]:
        return ServiceCall(function, permission, audit)

    return wrap


class Desk:
    """Opens units of work. One per process, built by the composition root."""

    def __init__(
        self, database: Database, chain: AuditChain, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self.database = database
        self.chain = chain
        self.clock = clock

    @asynccontextmanager
    async def work(
        self, actor: Actor, *, request_id: str = "", remote: str = ""
    ) -> AsyncIterator[Work]:
        """One transaction: seals and commits on leaving, rolls back on an exception."""
        async with self.database.session() as session, session.begin():
            work = Work(session, actor, self.clock(), request_id, remote)
            yield work
            await work.seal(self.chain)
