"""Live events of coverage studies, and the permission to be told each."""

from __future__ import annotations

from ..security.permissions import Permission

EVENTS: dict[str, Permission] = {"sweep.updated": Permission.DISPATCH_PROPOSE}
