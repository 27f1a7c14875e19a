"""Routes of the consultation room."""

from __future__ import annotations

from . import (
    address_routes,
    bans,
    bridge_routes,
    desk_routes,
    line_routes,
    password_routes,
    session_routes,
)

ROUTES = [
    *address_routes.ROUTES,
    *bans.ROUTES,
    *bridge_routes.ROUTES,
    *desk_routes.ROUTES,
    *line_routes.ROUTES,
    *password_routes.ROUTES,
    *session_routes.ROUTES,
]
