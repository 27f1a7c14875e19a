"""Live events of the dispatch desk, and the permission to be told each."""

from __future__ import annotations

from ..security.permissions import Permission

EVENTS: dict[str, Permission] = {
    "dispatch_plan.updated": Permission.DISPATCH_PROPOSE,
    "dispatch_override.updated": Permission.DISPATCH_PROPOSE,
}
