"""Ids are UUIDv7: they sort by the time they were minted and can be minted by any caller."""

from __future__ import annotations

from uuid import UUID

from uuid6 import uuid7


def new_id() -> UUID:
    """A UUIDv7 as the standard library's type."""
    return UUID(bytes=uuid7().bytes)
