"""Pushes how far a plan is to open pages, as the socket event `dispatch_progress`. Not stored."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from ..security.permissions import Permission
from ..web.app import LIVE
from .runner import Push


def push_progress(app: web.Application) -> Push:
    """What the runner calls with progress and the region that may see it."""

    async def push(body: dict[str, Any], region_code: str) -> None:
        await app[LIVE].push(
            "dispatch_progress",
            body,
            consultation_id=None,
            region_code=region_code,
            permission=Permission.DISPATCH_PROPOSE,
        )

    return push
