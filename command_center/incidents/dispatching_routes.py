"""Routes of dispatch: filled when the dispatch room offers its front door."""

from __future__ import annotations

from ..web.routing import Route

ROUTES: list[Route] = []
