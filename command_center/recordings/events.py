"""Live events of the recordings room, and the permission to be told each."""

from __future__ import annotations

from ..security.permissions import Permission

EVENTS: dict[str, Permission] = {
    "recording.updated": Permission.RECORDING_READ,
    "live_output.updated": Permission.CONSULTATION_READ,
}
