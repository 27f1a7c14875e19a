"""Routes of the edge itself: health, public configuration, replay of events."""

from __future__ import annotations

from ..security.sessions import resolve_session
from .context import EVENT_PERMISSIONS, Context, Credential
from .edge import COOKIE
from .health import Health
from .live import may_see
from .outbox import events_after, newest_seq, wire_event
from .routing import PUBLIC, SIGNED_IN, route
from .schemas import ComponentOut, EventOut, EventsOut, HealthOut, PublicConfig


@route("GET", "/health", access=PUBLIC, reply=HealthOut)
async def health(ctx: Context[None]) -> HealthOut:
    """Whether the system is up; its parts only for the signed-in."""
    components = await ctx.service(Health).check()
    is_ok = all(component.state == "ok" for component in components)
    cookie = ctx.request.cookies.get(COOKIE)
    known = cookie and await resolve_session(ctx.work.session, cookie, ctx.work.now)
    shown = [ComponentOut(name=c.name, state=c.state, detail=c.detail) for c in components]
    return HealthOut(status="ok" if is_ok else "degraded", components=shown if known else [])


@route("GET", "/config", access=PUBLIC, reply=PublicConfig)
async def config(ctx: Context[None]) -> PublicConfig:
    """What the console needs before log-in."""
    return ctx.service(PublicConfig)


@route("GET", "/events", access=SIGNED_IN, reply=EventsOut, credential=Credential.EITHER)
async def events(ctx: Context[None]) -> EventsOut:
    """Live events after a number, so that a page that was offline misses none."""
    after = ctx.query_int("after", 0, low=0, high=2**62)
    limit = ctx.query_int("limit", 200, low=1, high=1000)
    newest = await newest_seq(ctx.work.session)
    permissions = ctx.request.app[EVENT_PERMISSIONS]
    items: list[EventOut] = []
    while len(items) < limit:
        batch = await events_after(ctx.work.session, after, limit=limit)
        for event in batch:
            after = event.seq or after
            permission = permissions.get(event.type)
            if permission is not None and may_see(ctx.actor, event, permission):
                items.append(EventOut(**wire_event(event)))
                if len(items) == limit:
                    break
        if len(batch) < limit:
            break
    return EventsOut(items=items, newest=newest)


ROUTES = [health, config, events]
