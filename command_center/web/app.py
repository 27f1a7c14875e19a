"""The app factory: gathers every room's routes, events and errors and serves them with the console.

Rooms are found, not listed: any `command_center.<room>.routes` with `ROUTES`, `.events` with
`EVENTS` (event type -> permission) and `.errors` with `PROBLEMS` takes part.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

import command_center

from ..security.permissions import Permission
from ..security.work import Desk
from .console import add_console
from .context import DESK, EVENT_PERMISSIONS, SERVICES
from .edge import PROBLEM_TABLE, bind
from .live import Live
from .middlewares import guard
from .openapi import describe
from .problems import PROBLEMS, Problem
from .routing import Route
from .socket_calls import SocketCalls
from .strict_json import MAX_BODY

API = "/api/v1"
LIVE: web.AppKey[Live] = web.AppKey("live", Live)


@dataclass(frozen=True, slots=True)
class Rooms:
    """What the rooms declare."""

    routes: list[Route]
    events: dict[str, Permission]
    problems: dict[str, Problem]


def gather_rooms() -> Rooms:
    """Import each room's routes, events and errors."""
    routes: list[Route] = []
    events: dict[str, Permission] = {}
    problems = dict(PROBLEMS)
    for module in sorted(
        m.name for m in pkgutil.walk_packages(command_center.__path__, "command_center.")
    ):
        last = module.rsplit(".", 1)[-1]
        if last not in ("routes", "events", "errors"):
            continue
        loaded = importlib.import_module(module)
        routes += getattr(loaded, "ROUTES", [])
        events.update(getattr(loaded, "EVENTS", {}))
        problems.update(getattr(loaded, "PROBLEMS", {}))
    return Rooms(routes, events, problems)


def create_app(
    desk: Desk,
    services: Sequence[object] = (),
    *,
    console: Path | None = None,
    named_services: dict[type[Any], object] | None = None,
    origins: list[str] | None = None,
) -> web.Application:
    """The web process's application.

    `services` are found by their class with `ctx.service(Class)`; `named_services` are found by
    the type they are registered under (ports). `origins` lists further origins that may open a
    socket (the public URL behind a proxy).
    """
    rooms = gather_rooms()
    app = web.Application(middlewares=[guard], client_max_size=MAX_BODY * 4)
    app[DESK] = desk
    app[SERVICES] = {type(service): service for service in services} | (named_services or {})
    app[PROBLEM_TABLE] = rooms.problems
    app[EVENT_PERMISSIONS] = rooms.events
    for route in rooms.routes:
        app.router.add_route(route.method, API + route.path, bind(route))
    document = describe(rooms.routes, rooms.problems)

    async def openapi(_request: web.Request) -> web.Response:
        return web.json_response(document)

    app.router.add_get(f"{API}/openapi.json", openapi)

    async def feel_the_pulse(_app: web.Application) -> AsyncIterator[None]:
        desk.database.pulse.start()
        yield
        await desk.database.pulse.stop()

    app.cleanup_ctx.append(feel_the_pulse)
    live = Live(desk, rooms.events, origins=origins)
    live.answer_call = SocketCalls(app, rooms.routes).answer
    live.attach(app)
    app[LIVE] = live
    add_console(app, console or Path(__file__).parent / "dist")
    return app
