"""Live events: the outbox pushed over Socket.IO to those who may see each event.

Nobody connects without a cookie session or a join token. Each event type has a permission; events
of a region go to users of that region, events of a consultation to its join tokens. A session
that ends is thrown off its socket within a few seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
import socketio
import structlog
from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from ..database.tables import EventRow
from ..database.urls import sync_url
from ..security.actor import Actor, ActorKind
from ..security.errors import SecurityError
from ..security.permissions import Permission
from ..security.sessions import resolve_join_token, resolve_session
from ..security.work import EVENT_CHANNEL, Desk
from .outbox import events_after, newest_seq, wire_event

AnswerCall = Callable[[Actor, object], Awaitable[dict[str, Any]]]
COOKIE = "cc_session"
RECHECK_S = 3.0
_log = structlog.get_logger("command_center.live")


@dataclass(slots=True)
class _Listener:
    """One connected socket and the secret it came with, kept to see when it ends."""

    actor: Actor
    cookie: str | None
    token: str | None


def may_see(actor: Actor, event: EventRow, permission: Permission) -> bool:
    """Whether this actor may be told this event."""
    if actor.kind is ActorKind.FIELD_TEAM:
        if event.consultation_id is not None:
            return event.consultation_id == actor.consultation_id
        return event.team_id is not None and event.team_id == actor.team_id
    if not actor.may(permission):
        return False
    return event.region_code is None or actor.covers(event.region_code)


class Live:
    """The Socket.IO server and the task that feeds it."""

    def __init__(
        self, desk: Desk, events: Mapping[str, Permission], *, origins: list[str] | None = None
    ) -> None:
        self._desk = desk
        self._events = events
        self._listeners: dict[str, _Listener] = {}
        self._told: int | None = None  # the number of the last event that was told
        self._server = socketio.AsyncServer(
            async_mode="aiohttp",
            cors_allowed_origins=origins or None,  # None: the same origin only
            max_http_buffer_size=64 * 1024,
            logger=False,
            engineio_logger=False,
        )
        self.answer_call: AnswerCall | None = None
        self._server.on("connect", self._connect)
        self._server.on("call", self._call)
        self._server.on("disconnect", self._disconnect)

    def attach(self, app: web.Application) -> None:
        self._server.attach(app)
        app.cleanup_ctx.append(self._run)

    async def _run(self, _app: web.Application) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self._feed()), asyncio.create_task(self._recheck())]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._server.shutdown()

    # --- who is there --------------------------------------------------------------------

    async def _connect(self, sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        request: web.Request | None = environ.get("aiohttp.request")
        cookie = request.cookies.get(COOKIE) if request is not None else None
        given = auth.get("join_token") if isinstance(auth, dict) else None
        listener = _Listener(
            Actor("", "", ActorKind.ANONYMOUS),
            cookie=None if given else cookie,
            token=given if isinstance(given, str) else None,
        )
        try:
            actor = await self._actor(listener)
            await self._begin()
        except (SQLAlchemyError, TimeoutError, OSError) as error:
            raise socketio.exceptions.ConnectionRefusedError("database_unavailable") from error
        if actor is None:
            raise socketio.exceptions.ConnectionRefusedError("not_signed_in")
        listener.actor = actor
        self._listeners[sid] = listener

    async def _disconnect(self, sid: str, *_reason: object) -> None:
        self._listeners.pop(sid, None)

    async def _call(self, sid: str, asked: Any = None) -> dict[str, Any]:
        """An order over the socket (`socket_calls`), as the person who holds it."""
        listener = self._listeners.get(sid)
        if listener is None or self.answer_call is None:
            return {"status": 401, "body": {"code": "not_signed_in"}}
        actor = await self._actor(listener)  # now, not as it was at the last recheck
        if actor is None:
            return {"status": 401, "body": {"code": "not_signed_in"}}
        return await self.answer_call(actor, asked)

    async def _actor(self, listener: _Listener) -> Actor | None:
        async with self._desk.database.session() as session:
            now = self._desk.clock()
            if listener.token is not None:
                try:
                    return await resolve_join_token(session, listener.token, now)
                except SecurityError:
                    return None
            if listener.cookie is None:
                return None
            found = await resolve_session(session, listener.cookie, now, is_use=False)
            return None if found is None else found[0]

    async def _recheck(self) -> None:
        """Throw off whoever is no longer signed in, and notice changed rights."""
        while True:
            await asyncio.sleep(RECHECK_S)
            for sid, listener in list(self._listeners.items()):
                try:
                    actor = await self._actor(listener)
                except (SQLAlchemyError, TimeoutError, OSError):
                    break  # the database is away: nobody is thrown off for that
                if actor is None:
                    self._listeners.pop(sid, None)
                    await self._server.disconnect(sid)
                else:
                    listener.actor = actor

    async def push(
        self,
        name: str,
        payload: dict[str, Any],
        *,
        consultation_id: UUID | None,
        region_code: str,
        permission: Permission,
    ) -> None:
        """Tell something that is not kept (figures, levels, progress) to those who may see it."""
        for sid, listener in list(self._listeners.items()):
            actor = listener.actor
            if actor.kind is ActorKind.FIELD_TEAM:
                is_told = consultation_id is not None and (actor.consultation_id == consultation_id)
            else:
                is_told = actor.may(permission) and actor.covers(region_code or None)
            if is_told:
                with contextlib.suppress(KeyError):
                    await self._server.emit(name, payload, to=sid)

    # --- what is told --------------------------------------------------------------------

    async def _feed(self) -> None:
        """Follow the outbox; after a lost database connection go on where we were."""
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    sync_url(self._desk.database.url), autocommit=True, connect_timeout=5
                ) as connection:
                    await connection.execute(f"LISTEN {EVENT_CHANNEL}")
                    await self._begin()
                    while True:
                        await self._send_news()
                        async for _ in connection.notifies(timeout=5.0, stop_after=1):
                            pass
            except (psycopg.Error, SQLAlchemyError, OSError, TimeoutError) as error:
                _log.warning("live_feed_interrupted", error=type(error).__name__)
                await asyncio.sleep(0.5)

    async def _begin(self) -> int:
        """The number to go on from. Set before the first listener is let in: what happens while
        the feed is still connecting is told to him, too."""
        if self._told is None:
            async with self._desk.database.session() as session:
                newest = await newest_seq(session)
            if self._told is None:  # another was faster
                self._told = newest
        return self._told

    async def _send_news(self) -> None:
        while True:
            async with self._desk.database.session() as session:
                events = await events_after(session, await self._begin(), limit=200)
            for event in events:
                await self._tell(event)
                self._told = event.seq or self._told
            if len(events) < 200:
                return

    async def _tell(self, event: EventRow) -> None:
        permission = self._events.get(event.type)
        if permission is None:
            _log.error("event_type_undeclared", type=event.type)
            return
        payload = wire_event(event)
        for sid, listener in list(self._listeners.items()):
            if may_see(listener.actor, event, permission):
                with contextlib.suppress(KeyError):
                    await self._server.emit("event", payload, to=sid)
