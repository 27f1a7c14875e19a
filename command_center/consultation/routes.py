"""Routes of the consultation room."""

from __future__ import annotations

from . import address_routes, bans, desk_routes, line_routes, session_routes

ROUTES = [
    *address_routes.ROUTES,
    *bans.ROUTES,
    *desk_routes.ROUTES,
    *line_routes.ROUTES,
    *session_routes.ROUTES,
]
